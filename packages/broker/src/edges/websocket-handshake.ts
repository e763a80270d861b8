import { hash } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';

/** As much of a request as an upgrade needs. */
export interface UpgradeRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  /** By name in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

export type Handshake =
  /** The response, and the sub-protocol that it names: '' for none. */
  | { readonly response: string; readonly protocol: string }
  /** The HTTP status of a refusal, and headers that it needs. */
  | { readonly status: number; readonly headers: string };

/** Answers an upgrade request that is not granted. */
export function refuseUpgrade(socket: Socket, status: number, headers = '', text = STATUS_CODES[status] ?? ''): void {
  const body = `${text}\n`;
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${headers}Content-Type: text/plain; charset=utf-8\r\n` +
      `X-Content-Type-Options: nosniff\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
  );
  // Nobody listens any more; without this the end of the connection would not be seen.
  socket.resume();
}

/** 16 bytes in base64. */
const KEY = /^[+/0-9A-Za-z]{22}==$/;
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const VERSION = 'Sec-WebSocket-Version: 13\r\n';
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** Whether a list in a header has this word. */
function hasToken(header: string | string[] | undefined, token: string): boolean {
  return String(header ?? '')
    .split(',')
    .some((item) => item.trim().toLowerCase() === token);
}

/** The sub-protocols of a header, without those doubled; `undefined` if it is malformed. */
function parseProtocols(header: string): readonly string[] | undefined {
  const names = header.split(',').map((name) => name.trim());
  return names.every((name) => TOKEN.test(name)) && new Set(names).size === names.length ? names : undefined;
}

/**
 * Answers an upgrade request (RFC 6455 §4.2). Extensions are not negotiated.
 * @param supported sub-protocols; the client's order decides
 */
export function handshake({ method, headers }: UpgradeRequest, supported: readonly string[]): Handshake {
  const {
    connection,
    upgrade,
    'sec-websocket-key': key,
    'sec-websocket-version': version,
    'sec-websocket-protocol': wanted,
  } = headers;
  if (method !== 'GET') return { status: 405, headers: VERSION };
  const isUpgrade = hasToken(connection, 'upgrade') && hasToken(upgrade, 'websocket');
  if (!isUpgrade || typeof key !== 'string' || !KEY.test(key) || version !== '13')
    return { status: 400, headers: VERSION };
  let protocol = '';
  if (wanted !== undefined) {
    const names = parseProtocols(String(wanted));
    if (!names) return { status: 400, headers: VERSION };
    protocol = names.find((name) => supported.includes(name)) ?? '';
  }
  const accept = hash('sha1', key + GUID, 'base64');
  const chosen = protocol === '' ? '' : `Sec-WebSocket-Protocol: ${protocol}\r\n`;
  return {
    response: `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n${chosen}\r\n`,
    protocol,
  };
}
