import { InvalidMessageError } from '../../core/errors.ts';
import { assertMessage, type Message } from '../../core/message.ts';
import { readSetting } from '../../doctor/settings.ts';
import { createRealtime } from '../../server/create-realtime.ts';
import { readAppSettings } from '../app-settings.ts';
import { parseChannelArgument } from '../channel-argument.ts';
import { CliError } from '../cli-error.ts';
import { printable } from '../printable.ts';
import type { Terminal } from '../terminal.ts';

interface PublishCommandOptions {
  readonly channel: string;
  readonly json: string;
  readonly envFile?: string | undefined;
  /** Print the result as JSON. */
  readonly isJson?: boolean;
}

/** Publishes one message, and says where it stands in the channel. */
export async function publish(options: PublishCommandOptions, terminal: Terminal): Promise<number> {
  const channel = parseChannelArgument(options.channel);
  const message = parseMessageArgument(options.json);
  const { env } = readAppSettings(options.envFile, terminal);
  const realtime = createRealtime({ apiUrl: readSetting(env, 'apiUrl'), apiKey: readSetting(env, 'apiKey') });
  const progress = terminal.progress('publishing');
  try {
    const { position } = await realtime.publish(channel, message);
    if (options.isJson) terminal.out(JSON.stringify({ channel, position }));
    else {
      const where = position
        ? ` as number ${position.offset} ${terminal.style.dim(`(epoch ${printable(position.epoch)})`)}`
        : '';
      terminal.out(`${terminal.style.green('Published')} to ${channel}${where}.`);
    }
  } finally {
    progress.stop();
  }
  return 0;
}

const EXAMPLE = `'{"type":"channel-invalidation"}'`;

/** @throws CliError `usage` */
function parseMessageArgument(text: string): Message {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new CliError(
      'usage',
      `The message is no JSON. Put it in single quotes, so that the shell leaves it alone: ${EXAMPLE}`,
      { cause },
    );
  }
  try {
    return assertMessage(value);
  } catch (error) {
    if (error instanceof InvalidMessageError)
      throw new CliError('usage', `${printable(error.message)} For example: ${EXAMPLE}`, { cause: error });
    throw error;
  }
}
