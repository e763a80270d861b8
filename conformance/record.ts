/**
 * Fills in what a real Centrifugo says: `pnpm --filter conformance record transcripts/subscribe.txt`. Lines that say what is expected (`<`, `x`, `=`) are
 * dropped, everything else is played, and the transcripts are printed with what came. Read the result before you believe it.
 */
import { readFileSync } from 'node:fs';
import { App } from './clients/app.ts';
import { centrifugoDriver, findCentrifugo } from './drivers/centrifugo.ts';
import { ENVIRONMENTS } from './environments.ts';
import { ScenarioContext } from './scenario.ts';
import { parseTranscripts, TranscriptPlayer } from './transcript.ts';

const QUIET_MS = 70;
const [file] = process.argv.slice(2);
const source = findCentrifugo();
if (!file || !source) {
  process.stderr.write('usage: record <file>, with CENTRIFUGO_BIN or a centrifugo on PATH\n');
  process.exit(1);
}
const { environment, transcripts } = parseTranscripts(readFileSync(file, 'utf8'));
const app = await App.start();
const server = await centrifugoDriver(source).start(ENVIRONMENTS[environment]);
const out: string[] = [`environment: ${environment}`];
for (const [index, { sentence, lines }] of transcripts.entries()) {
  out.push('', `# ${sentence}`);
  const unique = `rec-${index}`;
  const context = new ScenarioContext(server, unique, app);
  const player = new TranscriptPlayer(context);
  const names = new Map<string, string>();
  const ids = new Map<string, string>();
  const pretty = (text: string): string =>
    text
      .replaceAll(/"([a-z]+):([a-z0-9]+)-rec-\d+"/g, (_, ns, label) =>
        label === 'c' ? `"$${ns}"` : `"$${ns}/${label}"`,
      )
      .replaceAll(/"([a-z0-9]+)-rec-\d+"/g, (_, label) => (label === 'u' ? '"$user"' : `"$user/${label}"`))
      .replaceAll(/"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}"/g, (id) => {
        for (const [name, value] of player.variables) if (`"${value}"` === id) return `"%${name}"`;
        if (!ids.has(id)) ids.set(id, `id${ids.size + 1}`);
        return `"<${ids.get(id)}>"`;
      })
      .replaceAll(/"version":"[^"]*"/g, `"version":"<*>"`)
      .replaceAll(/"epoch":"([A-Za-z]{8})"/g, (_, epoch) => {
        if (!names.has(epoch)) {
          names.set(epoch, names.size ? `epoch${names.size + 1}` : 'epoch');
          player.variables.set(names.get(epoch)!, epoch);
        }
        return `"epoch":"<${names.get(epoch)}>"`;
      });
  const closed = new Set<number>();
  for (const line of lines) {
    if (/^\d*(<=|<~|<|x|==|=)/.test(line)) continue;
    out.push(line);
    try {
      await player.play(line);
    } catch (error) {
      out.push(`! ${error instanceof Error ? error.message : error}`);
      continue;
    }
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
    if (line.startsWith('A ')) out.push(`= ${pretty(JSON.stringify(player.answer))}`);
    for (const [at, socket] of player.sockets.entries()) {
      const number = at === player.sockets.length - 1 ? '' : at + 1;
      while (socket.unread.length) {
        const text = socket.lines[socket.lines.length - socket.unread.length]!;
        await socket.next();
        out.push(`${number}< ${pretty(text)}`);
      }
      if (socket.isClosed && !closed.has(at)) {
        closed.add(at);
        const { code, reason } = await socket.closed;
        out.push(`${number}x ${code} ${reason}`.trim());
      }
    }
  }
  await context.end();
}
process.stdout.write(`${out.join('\n')}\n`);
await server.close();
await app.close();
