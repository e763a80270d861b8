import type { Message } from '../core/message.ts';

/** Over which time the refetches that a message asks for are spread, in milliseconds. */
export function spreadOf(message: Message): number {
  return (message.type !== 'event' && message.spreadMs) || 0;
}
