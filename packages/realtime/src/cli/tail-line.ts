import type { PresenceChange, TransportJoin, TransportPublication } from '../client/transport.ts';
import { printable } from './printable.ts';
import type { Style } from './style.ts';

/** What `tail` writes for a publication. The data is compact JSON, whatever is in it. */
export function publicationLine(publication: TransportPublication, at: Date, style: Style): string {
  const { offset, data, recovered } = publication;
  const number = offset === null ? '' : `${style.cyan(`#${offset}`)} `;
  return `${style.dim(timeOf(at))} ${number}${printable(JSON.stringify(data) ?? 'null')}${recovered ? style.dim(' (missed, recovered)') : ''}`;
}

/** The same for programs: one JSON object per line. */
export function publicationJson(channel: string, epoch: string | null, publication: TransportPublication): string {
  const { offset, data, recovered, tags } = publication;
  return JSON.stringify({
    kind: 'publication',
    channel,
    position: offset === null ? null : { epoch, offset },
    recovered,
    tags,
    data,
  });
}

export function presenceLine({ kind, client }: PresenceChange, at: Date, style: Style): string {
  const who = client.userId === '' ? 'anonymous' : `user ${printable(client.userId)}`;
  const sign = kind === 'join' ? style.green('+') : style.red('-');
  return `${style.dim(timeOf(at))} ${sign} ${who} ${style.dim(`(${printable(client.clientId)})`)}`;
}

export function presenceJson(channel: string, { kind, client }: PresenceChange): string {
  return JSON.stringify({ kind, channel, userId: client.userId, clientId: client.clientId });
}

/** What a (re)join means to who reads along. */
export function joinText(channel: string, { position, recovered, wasRecovering }: TransportJoin): string {
  const where = position
    ? ` at number ${position.offset}, epoch ${printable(position.epoch)}`
    : ', which keeps no history';
  if (!wasRecovering) return `Joined ${channel}${where}.`;
  return recovered
    ? `Joined again; nothing was lost since number ${position?.offset ?? '?'}.`
    : `Joined again${where}. What was published in between is not to be had any more.`;
}

const timeOf = (at: Date): string => at.toTimeString().slice(0, 8);
