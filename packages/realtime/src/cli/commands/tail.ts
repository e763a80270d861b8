import { WebSocket } from 'ws';
import { FIRST_BROKER_CODE } from '../../client/broker-codes.ts';
import { createCentrifugeTransport } from '../../client/centrifuge-transport.ts';
import type { Transport } from '../../client/transport.ts';
import type { ChannelName } from '../../core/channel.ts';
import { readSetting } from '../../doctor/settings.ts';
import { createRealtime } from '../../server/create-realtime.ts';
import { readAppSettings } from '../app-settings.ts';
import { parseChannelArgument } from '../channel-argument.ts';
import { CliError } from '../cli-error.ts';
import { note } from '../note.ts';
import { joinText, presenceJson, presenceLine, publicationJson, publicationLine } from '../tail-line.ts';
import type { Terminal } from '../terminal.ts';

interface TailOptions {
  readonly channel: string;
  readonly user?: string | undefined;
  readonly envFile?: string | undefined;
  readonly isJson?: boolean;
}

const DEFAULT_USER = 'op-realtime-tail';
const COMMAND_TIMEOUT_MS = 5_000;
const RETRY = { minMs: 200, maxMs: 5_000 };

/**
 * Prints what is published to a channel, as it comes, until `stop` is aborted. Results go to stdout, what happens to the connection to stderr.
 * @throws CliError `refused` where the broker refuses for good
 */
export async function tail(options: TailOptions, terminal: Terminal, stop: AbortSignal): Promise<number> {
  const channel = parseChannelArgument(options.channel);
  const { env } = readAppSettings(options.envFile, terminal);
  const wsUrl = readSetting(env, 'wsUrl').href;
  const realtime = createRealtime({
    tokenSecret: readSetting(env, 'tokenSecret'),
    tokenAudience: env.CENTRIFUGO_CLIENT_TOKEN_AUDIENCE || undefined,
    tokenIssuer: env.CENTRIFUGO_CLIENT_TOKEN_ISSUER || undefined,
  });
  const userId = options.user ?? DEFAULT_USER;
  const connectionToken = () => realtime.createConnectionToken({ userId, channels: [] });
  const channelToken = () => realtime.createChannelToken({ userId, channel });
  await follow({ channel, wsUrl, connectionToken, channelToken, isJson: options.isJson ?? false }, terminal, stop);
  return 0;
}

interface Followed {
  readonly channel: ChannelName;
  readonly wsUrl: string;
  readonly connectionToken: () => Promise<string>;
  readonly channelToken: () => Promise<string>;
  readonly isJson: boolean;
}

async function follow(
  { channel, wsUrl, connectionToken, channelToken, isJson }: Followed,
  terminal: Terminal,
  stop: AbortSignal,
): Promise<void> {
  const firstToken = await channelToken();
  const { style } = terminal;
  const progress = terminal.progress('connecting');
  let epoch: string | null = null;
  let isLost = false;
  let transport: Transport | undefined;
  await new Promise<void>((resolve, reject) => {
    const refused = (what: string, code: number | null) =>
      reject(
        new CliError('refused', `The broker ${what}${code ? ` (${code})` : ''}. What is wrong: op-realtime doctor`),
      );
    const lost = () => {
      if (!isLost) note('The broker cannot be reached; trying again.', terminal);
      isLost = true;
    };
    const ignored = { joined() {}, published() {}, presenceChanged() {}, dropped() {}, ended() {} };
    transport = createCentrifugeTransport(
      { wsUrl, websocket: WebSocket, timeoutMs: COMMAND_TIMEOUT_MS, retry: RETRY },
      {
        connected: () => {
          isLost = false;
        },
        connecting: (code) => code !== 0 && lost(),
        failing: (code) => code < FIRST_BROKER_CODE && lost(),
        disconnected: (code) => code !== 0 && refused('ended the connection for good', code),
        connectionChannel: () => ignored,
        getToken: connectionToken,
      },
    );
    if (stop.aborted) return resolve();
    stop.addEventListener('abort', () => resolve(), { once: true });
    transport.join(
      channel,
      { token: firstToken, renewToken: channelToken, wantsPresence: true },
      {
        joined: (join) => {
          progress.stop();
          epoch = join.position?.epoch ?? null;
          note(joinText(channel, join), terminal);
        },
        published: (publication) =>
          terminal.out(
            isJson ? publicationJson(channel, epoch, publication) : publicationLine(publication, new Date(), style),
          ),
        presenceChanged: (change) => {
          if (change) terminal.out(isJson ? presenceJson(channel, change) : presenceLine(change, new Date(), style));
        },
        dropped: () => {},
        ended: (code) => refused(`refuses the channel ${channel}`, code),
      },
    );
    transport.connect();
  }).finally(() => {
    transport?.dispose();
    progress.stop();
  });
}
