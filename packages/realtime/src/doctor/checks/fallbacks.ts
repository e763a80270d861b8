import { endpointPrefix, httpAddress } from '../addresses.ts';
import type { Check } from '../check.ts';
import { type CheckId, failure, type Outcome, ok, skipped } from '../finding.ts';
import { DOCTOR_USER, type Patient } from '../patient.ts';

/** What a client gets that cannot use WebSockets. A proxy that buffers holds the first bytes back until the answer ends, which it never does. */
export const FALLBACK_CHECKS: readonly Check[] = [
  fallback('fallback.http-stream', 'http_stream', 'application/json'),
  fallback('fallback.sse', 'sse', 'text/event-stream'),
];

function fallback(id: CheckId, transport: string, accept: string): Check {
  return { id, needs: ['token.secret'], run: (patient) => examineFallback(patient, transport, accept) };
}

async function examineFallback(patient: Patient, transport: string, accept: string): Promise<Outcome> {
  const prefix = endpointPrefix(patient.wsUrl);
  if (prefix === null)
    return skipped(
      'The address of the WebSocket does not end in /connection/websocket, so the others cannot be known.',
    );
  const token = await patient.signer.connectionToken({ userId: DOCTOR_USER, channels: [] });
  const answer = await patient.ask({
    url: httpAddress(patient.wsUrl, `${prefix}/connection/${transport}`),
    method: 'POST',
    headers: { accept, 'content-type': 'application/json' },
    body: JSON.stringify({ id: 1, connect: { token } }),
    until: '"connect"',
  });
  if (answer.kind === 'answer' && answer.status === 200 && answer.body.includes('"connect"'))
    return ok(`${transport} works, and nothing holds its bytes back.`);
  if (answer.kind === 'answer' && (answer.status === 404 || answer.status === 400 || answer.status === 405))
    return skipped(`${transport} is not switched on.`);
  if (answer.kind === 'timeout')
    return failure(
      `${transport} gives no first byte in time: a proxy buffers the answer.`,
      'Switch buffering off for /connection/. In nginx: proxy_buffering off; proxy_cache off; proxy_read_timeout 60s;',
    );
  const how = answer.kind === 'answer' ? `answers HTTP ${answer.status}` : 'cannot be reached';
  return failure(
    `${transport} ${how}, while the WebSocket works.`,
    'Let the proxy pass all of /connection/ and /emulation on to the broker.',
  );
}
