import { Disconnects, ReplyErrors } from '../../protocol/codes.ts';
import type { Command } from '../../protocol/schema.ts';
import type { Session } from '../session.ts';
import { handleConnect } from './connect.ts';
import { handlePublish } from './publish.ts';
import { handleHistory, handlePresence, handlePresenceStats } from './read.ts';
import { handleRefresh, handleSubRefresh } from './refresh.ts';
import { handleRpc } from './rpc.ts';
import { handleSubscribe, handleUnsubscribe } from './subscribe.ts';

/** Nothing, or a promise where the answer has to wait for somebody else. */
export type Handled = Promise<void> | undefined;

/** No command of its own; beside another it is the one that counts, and is not available. */
function handlePing(session: Session, { id, ping: _, ...others }: Command): void {
  if (Object.values(others).some((member) => member !== undefined)) session.error(id, ReplyErrors.NotAvailable);
  else session.close(Disconnects.BadRequest);
}

/**
 * Runs one command of a client. Where a command has several members, the first in this order counts.
 * An id of 0 is left to commands with `send`, which alone is not answered (and not available, as on every Centrifugo without a handler of its own).
 */
export function handleCommand(session: Session, command: Command): Handled {
  const { id } = command;
  if (command.connect) return handleConnect(session, id, command.connect);
  if (command.ping) {
    handlePing(session, command);
    return undefined;
  }
  if (command.subscribe) return handleSubscribe(session, id, command.subscribe);
  if (command.unsubscribe) return handleUnsubscribe(session, id, command.unsubscribe.channel);
  if (command.publish) return handlePublish(session, id, command.publish);
  if (command.presence) return handlePresence(session, id, command.presence.channel);
  if (command.presence_stats) return handlePresenceStats(session, id, command.presence_stats.channel);
  if (command.history) return handleHistory(session, id, command.history);
  if (command.rpc) return handleRpc(session, id, command.rpc);
  if (command.send) session.close(Disconnects.NotAvailable);
  else if (command.refresh) return handleRefresh(session, id, command.refresh.token);
  else if (command.sub_refresh) return handleSubRefresh(session, id, command.sub_refresh);
  else session.close(Disconnects.BadRequest);
  return undefined;
}
