import type { ByteString } from '../../protocol/byte-string.ts';
import { Disconnects, ReplyErrors } from '../../protocol/codes.ts';
import type { Command } from '../../protocol/schema.ts';
import type { ResolvedChannelOptions } from '../channel-options.ts';
import type { PublishAnswer } from '../hooks.ts';
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
  // Type 1 writes into a map channel, which no namespace here is; without permission checks it fails only when it is tried.
  else if (type === 1)
    session.error(id, engine.settings.client.insecure ? ReplyErrors.Internal : ReplyErrors.PermissionDenied);
  else if (!isAcceptable(data, kind.options.publicationDataFormat)) session.error(id, ReplyErrors.BadRequest);
  else if (kind.options.publishProxyEnabled) return askApplication(session, id, channel, kind.options, data);
  else if (!mayPublish(session, channel, kind.options)) session.error(id, ReplyErrors.PermissionDenied);
  else publish(session, id, channel, kind.options, data);
  return undefined;
}

function publish(
  session: Session,
  id: number,
  channel: string,
  options: ResolvedChannelOptions,
  data: ByteString,
  answer?: PublishAnswer,
): void {
  const info = session.clientInfo(session.subscriptions.get(channel)?.info);
  const knownJson = session.peer.encoding.name === 'json' && answer?.data === undefined;
  const published = answer?.data ?? data;
  session.engine.publish({
    ...answer,
    channel,
    options,
    data: published,
    isJson: knownJson || isJson(published),
    info,
  });
  // The client's own publication comes before this.
  session.reply({ id, publish: {} });
}

async function askApplication(
  session: Session,
  id: number,
  channel: string,
  options: ResolvedChannelOptions,
  data: ByteString,
): Promise<void> {
  const verdict = await session.engine.hooks.publish?.(session, options.publishProxyName, channel, data);
  if (!session.isOpen) return;
  if (!verdict) session.error(id, ReplyErrors.NotAvailable);
  else if ('error' in verdict) session.error(id, verdict.error);
  else if ('disconnect' in verdict) session.close(verdict.disconnect);
  else publish(session, id, channel, options, data, verdict.ok);
}
