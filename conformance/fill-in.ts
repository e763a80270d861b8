import type { App } from './clients/app.ts';
import type { Server } from './drivers/driver.ts';
import { ScenarioContext } from './scenario.ts';
import { type Transcript, TranscriptPlayer } from './transcript.ts';

/** How long a server may take to say something. */
const QUIET_MS = 70;

/**
 * Plays what a transcript sends, and gives its lines with what the server said to it. Lines that say what is expected are dropped.
 * @param unique tells the users and channels of this transcript from those of others
 */
export async function fillIn(server: Server, app: App, unique: string, { lines }: Transcript): Promise<string[]> {
  const out: string[] = [];
  const context = new ScenarioContext(server, unique, app);
  const player = new TranscriptPlayer(context);
  const pretty = namer(player, unique);
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
    if (line.startsWith('A ')) out.push(`= ${pretty(player.answerText.trim())}`);
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
  return out;
}

/** Gives names to what is another value each time: channels and users, client ids, epochs. */
function namer(player: TranscriptPlayer, unique: string): (text: string) => string {
  const epochs = new Map<string, string>();
  const ids = new Map<string, string>();
  const channel = new RegExp(`"([a-z]+):([a-z0-9]+)-${unique}"`, 'g');
  const user = new RegExp(`"([a-z0-9]+)-${unique}"`, 'g');
  return (text) =>
    text
      .replaceAll(channel, (_, namespace, label) => (label === 'c' ? `"$${namespace}"` : `"$${namespace}/${label}"`))
      .replaceAll(user, (_, label) => (label === 'u' ? '"$user"' : `"$user/${label}"`))
      .replaceAll(/"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}"/g, (id) => {
        for (const [name, value] of player.variables) if (`"${value}"` === id) return `"%${name}"`;
        if (!ids.has(id)) ids.set(id, `id${ids.size + 1}`);
        return `"<${ids.get(id)}>"`;
      })
      .replaceAll(/"version":"[^"]*"/g, `"version":"<*>"`)
      .replaceAll(/"epoch":"([A-Za-z]{8})"/g, (_, epoch) => {
        if (!epochs.has(epoch)) {
          epochs.set(epoch, epochs.size ? `epoch${epochs.size + 1}` : 'epoch');
          player.variables.set(epochs.get(epoch)!, epoch);
        }
        return `"epoch":"<${epochs.get(epoch)}>"`;
      });
}
