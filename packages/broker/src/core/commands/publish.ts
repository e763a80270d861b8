import { Disconnects, ReplyErrors } from '../../protocol/codes.ts';
import type { Command } from '../../protocol/schema.ts';
import { isAcceptable, isJson } from '../publication-data.ts';
import type { Session } from '../session.ts';
import type { Handled } from './dispatch.ts';
import { mayPublish } from './permissions.ts';

export function handlePublish(session: Session, id: number, request: NonNullable<Command['publish']>): Handled {
  const { channel, data = '', type } = request;
  const { engine } = session;
  const kind = channel === '' ? undefined : engine.namespaces.find(channel);
  if (channel === '') session.close(Disconnects.BadRequest);
  else if (!kind) session.error(id, ReplyErrors.UnknownChannel);
  else if (!engine.namespaces.isValidName(channel, kind)) session.error(id, ReplyErrors.BadRequest);
  // Type 1 writes into a map channel, which no namespace here is.
  else if (type === 1) session.error(id, ReplyErrors.PermissionDenied);
  else if (!isAcceptable(data, kind.options.publicationDataFormat)) session.error(id, ReplyErrors.BadRequest);
  else if (!mayPublish(session, channel, kind.options)) session.error(id, ReplyErrors.PermissionDenied);
  else {
    const info = session.clientInfo(session.subscriptions.get(channel)?.info);
    const knownJson = session.peer.encoding.name === 'json';
    engine.publish({ channel, options: kind.options, data, isJson: knownJson || isJson(data), info });
    // The client's own publication comes before this.
    session.reply({ id, publish: {} });
  }
  return undefined;
}
