import type { IncomingMessage, ServerResponse } from 'node:http';

/** What answers every path that is not the API's. */
export interface Pages {
  readonly handler: (request: IncomingMessage, response: ServerResponse) => void;
  close(): Promise<void>;
}
