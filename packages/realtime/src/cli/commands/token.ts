import { type ChannelName, Channels, encodeChannelId, isChannelName, NAMESPACE } from '../../core/channel.ts';
import { readSetting } from '../../doctor/settings.ts';
import { createRealtime } from '../../server/create-realtime.ts';
import { CHANNEL_TTL_SECONDS, CONNECTION_TTL_SECONDS } from '../../server/tokens.ts';
import { readAppSettings } from '../app-settings.ts';
import { parseChannelArgument } from '../channel-argument.ts';
import { CliError } from '../cli-error.ts';
import { describeDuration, parseDuration } from '../duration.ts';
import { note } from '../note.ts';
import { printable } from '../printable.ts';
import type { Terminal } from '../terminal.ts';

interface TokenOptions {
  readonly user?: string | undefined;
  readonly channel?: string | undefined;
  readonly ttl?: string | undefined;
  readonly envFile?: string | undefined;
}

/** Prints a token and nothing else, so that it pipes; who and how long goes to a person's stderr. */
export async function token(options: TokenOptions, terminal: Terminal): Promise<number> {
  const { user: userId } = options;
  if (userId === undefined) throw new CliError('usage', 'Whose token? Say --user <id>.');
  const channel = options.channel === undefined ? undefined : parseChannelArgument(options.channel);
  const ttlSeconds =
    options.ttl === undefined
      ? channel
        ? CHANNEL_TTL_SECONDS
        : CONNECTION_TTL_SECONDS
      : parseDuration(options.ttl, '--ttl');
  const { env } = readAppSettings(options.envFile, terminal);
  const realtime = createRealtime({
    tokenSecret: readSetting(env, 'tokenSecret'),
    tokenAudience: env.CENTRIFUGO_CLIENT_TOKEN_AUDIENCE || undefined,
    tokenIssuer: env.CENTRIFUGO_CLIENT_TOKEN_ISSUER || undefined,
  });
  terminal.out(
    channel
      ? await realtime.createChannelToken({ userId, channel, ttlSeconds })
      : await realtime.createConnectionToken({ userId, channels: [Channels.global(), channelOf(userId)], ttlSeconds }),
  );
  if (terminal.isWatched) {
    const what = channel
      ? `Channel token for ${channel}`
      : `Connection token with ${Channels.global()} and the user's own channel`;
    note(`${what}, user ${printable(userId)}, for ${describeDuration(ttlSeconds)}.`, terminal);
  }
  return 0;
}

/** The user's own channel; an id that no channel can carry is encoded, as an application does it. */
function channelOf(userId: string): ChannelName {
  const plain = `${NAMESPACE}:${Channels.user.scope}:${userId}`;
  return isChannelName(plain) ? plain : Channels.user(encodeChannelId(userId));
}
