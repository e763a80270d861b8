import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Figures } from './case.ts';
import type { GeneratorAnswer, GeneratorOrder } from './generator.ts';
import { startTarget, type TargetName } from './targets.ts';

const GENERATOR = fileURLToPath(new URL('./generator.ts', import.meta.url));

/** Runs a case, or one size of a sweep, with a fresh server and a fresh generator. */
export async function measureOnce(name: string, targetName: TargetName, size?: number): Promise<Figures> {
  const server = await startTarget(targetName);
  const generator = fork(GENERATOR, { execArgv: ['--import', 'tsx'] });
  try {
    const target = { port: server.port, pid: server.pid };
    generator.send({ name, target, ...(size !== undefined && { size }) } satisfies GeneratorOrder);
    const [answer] = (await once(generator, 'message')) as [GeneratorAnswer];
    if ('failure' in answer) throw new Error(`${name} on ${targetName}: ${answer.failure}`);
    return answer.figures;
  } finally {
    generator.kill('SIGKILL');
    await server.stop();
  }
}
