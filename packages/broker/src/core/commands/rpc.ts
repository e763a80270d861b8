import { ReplyErrors } from '../../protocol/codes.ts';
import type { Command } from '../../protocol/schema.ts';
import type { Session } from '../session.ts';
import type { Handled } from './dispatch.ts';

/** A call of application code; not available where no application is asked. */
export function handleRpc(session: Session, id: number, { method, data }: NonNullable<Command['rpc']>): Handled {
  const { rpc } = session.engine.hooks;
  if (rpc) return ask();
  session.error(id, ReplyErrors.NotAvailable);
  return undefined;

  async function ask(): Promise<void> {
    const verdict = await rpc!(session, method, data);
    if (!session.isOpen) return;
    if ('error' in verdict) session.error(id, verdict.error);
    else if ('disconnect' in verdict) session.close(verdict.disconnect);
    else session.reply({ id, rpc: { data: verdict.ok } });
  }
}
