import { type ChannelName, isChannelName, NAMESPACE, parseChannelName } from '../core/channel.ts';
import { InvalidChannelError } from '../core/errors.ts';
import { CliError } from './cli-error.ts';
import { printable } from './printable.ts';

/** A channel as somebody typed it. @throws CliError `usage`, with what was probably meant */
export function parseChannelArgument(word: string): ChannelName {
  try {
    return parseChannelName(word);
  } catch (error) {
    if (!(error instanceof InvalidChannelError)) throw error;
    const guess = `${NAMESPACE}:${word}`;
    const hint = isChannelName(guess) ? ` Did you mean ${guess}?` : '';
    throw new CliError('usage', `${printable(error.message)}${hint}`, { cause: error });
  }
}
