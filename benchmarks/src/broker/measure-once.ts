import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Figures } from './case.ts';
import type { GeneratorAnswer, GeneratorOrder } from './generator.ts';
import { startTarget, type TargetName } from './targets.ts';

const GENERATOR = fileURLToPath(new URL('./generator.ts', import.meta.url));

/** Runs a case, or one size of a sweep, with a fresh server and a fresh generator. */
export async function measureOnce(name: string, targetName: TargetName, size?: number): Promise<Figures> {
  const generator = fork(GENERATOR, { execArgv: ['--import', 'tsx'] });
  const tell = async (order: GeneratorOrder): Promise<Figures> => {
    generator.send(order);
    const [answer] = (await once(generator, 'message')) as [GeneratorAnswer];
    if ('failure' in answer) throw new Error(`${name} on ${targetName}: ${answer.failure}`);
    return answer.figures;
  };
  try {
    await tell({ name, prepare: true });
    const server = await startTarget(targetName);
    try {
      const target = { port: server.port, pid: server.pid };
      return await tell({ name, target, ...(size !== undefined && { size }) });
    } finally {
      await server.stop();
    }
  } finally {
    generator.kill('SIGKILL');
  }
}
