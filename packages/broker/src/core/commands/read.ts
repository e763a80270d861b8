import { Disconnects, ReplyErrors } from '../../protocol/codes.ts';
import type { HistoryRequest } from '../../protocol/schema.ts';
import type { ResolvedChannelOptions } from '../channel-options.ts';
import type { Session } from '../session.ts';
import type { Handled } from './dispatch.ts';
import { publicationMessage } from './join.ts';
import { mayReadHistory, mayReadPresence } from './permissions.ts';

/** The channel's options, if the client may read from it; otherwise it has been answered. */
function readable(
  session: Session,
  id: number,
  channel: string,
  isOn: (options: ResolvedChannelOptions) => boolean,
  may: (session: Session, channel: string, options: ResolvedChannelOptions) => boolean,
): ResolvedChannelOptions | undefined {
  const { namespaces } = session.engine;
  const kind = channel === '' ? undefined : namespaces.find(channel);
  if (channel === '') session.close(Disconnects.BadRequest);
  else if (!kind) session.error(id, ReplyErrors.UnknownChannel);
  else if (!namespaces.isValidName(channel, kind)) session.error(id, ReplyErrors.BadRequest);
  else if (!isOn(kind.options)) session.error(id, ReplyErrors.NotAvailable);
  else if (!may(session, channel, kind.options)) session.error(id, ReplyErrors.PermissionDenied);
  else return kind.options;
  return undefined;
}

export function handlePresence(session: Session, id: number, channel: string): Handled {
  if (readable(session, id, channel, (options) => options.presence, mayReadPresence))
    session.reply({ id, presence: { presence: session.engine.presence(channel) } });
  return undefined;
}

export function handlePresenceStats(session: Session, id: number, channel: string): Handled {
  if (!readable(session, id, channel, (options) => options.presence, mayReadPresence)) return undefined;
  const { clients, users } = session.engine.presenceStats(channel);
  session.reply({ id, presence_stats: { num_clients: clients, num_users: users } });
  return undefined;
}

export function handleHistory(session: Session, id: number, request: HistoryRequest): Handled {
  const { channel, since, reverse } = request;
  const options = readable(session, id, channel, (channelOptions) => channelOptions.hasHistory, mayReadHistory);
  if (!options) return undefined;
  const most = session.engine.settings.client.historyMaxPublicationLimit;
  const limit = most > 0 && (request.limit < 0 || request.limit > most) ? most : request.limit;
  const result = session.engine.history(channel, options, { limit, since, isReverse: reverse });
  if ('code' in result) session.error(id, result);
  else if (session.peer.encoding.name === 'json' && result.publications.some((publication) => !publication.isJson))
    session.close(Disconnects.InappropriateProtocol);
  else {
    const publications = result.publications.map(publicationMessage);
    session.reply({ id, history: { publications, ...result.position } });
  }
  return undefined;
}
