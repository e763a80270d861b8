import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { freePort } from '../free-port.ts';
import { filesOf } from '../markdown.ts';
import type { EmptyProject } from './empty-project.ts';

const PATIENCE_MS = 20_000;

/** Copies a server of the recipes into the project as printed, starts it and asks it. Returns what it answered. */
export async function tryRecipe(project: EmptyProject): Promise<string> {
  for (const [file, code] of Object.entries(filesOf('docs/recipes/node.md'))) project.write(`recipe/${file}`, code);
  await project.node('out/bundle.js', 'recipe');
  const port = await freePort();
  const { command, cwd, env } = project.spawnOptions;
  const server = spawn(command, ['out/recipe.js'], { cwd, env: { ...env, PORT: String(port) }, stdio: 'inherit' });
  try {
    for (const deadline = Date.now() + PATIENCE_MS; ; ) {
      const answer = await fetch(`http://localhost:${port}/trpc/list`).catch(() => null);
      if (answer?.ok) return await answer.text();
      if (server.exitCode !== null || Date.now() > deadline)
        throw new Error('the server of the recipe does not answer');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  } finally {
    server.kill();
    if (server.exitCode === null && server.signalCode === null) await once(server, 'exit');
  }
}
