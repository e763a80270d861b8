import { isRecord } from '../../core/is-record.ts';
import { endpointPrefix, httpAddress, isLoopback } from '../addresses.ts';
import type { Check } from '../check.ts';
import { failure, type Outcome, ok, skipped, warning } from '../finding.ts';
import type { Patient } from '../patient.ts';

const KEEP_INSIDE =
  'Set CENTRIFUGO_HTTP_SERVER_INTERNAL_PORT on the server and publish only the other port, or let the proxy pass /connection/ alone.';

/** What the public address shows beside the WebSocket. */
export const PUBLIC_CHECKS: readonly Check[] = [
  {
    id: 'public.api',
    needs: ['env.ws-url'],
    async run(patient) {
      const answers = await answersAsApi(patient);
      if (answers === null) return skipped('The public address does not answer plain requests.');
      if (!answers) return ok('The server API does not answer on the public address.');
      if (isLoopback(patient.wsUrl.hostname))
        return ok('The server API answers on the address of the WebSocket, which only this machine reaches.');
      return warning(
        'The server API answers on the public address: only the key stands between it and the world.',
        KEEP_INSIDE,
      );
    },
  },
  { id: 'public.pages', needs: ['env.ws-url'], run: examinePages },
];

/** 401 without a key, or an answer where it needs none. */
async function answersAsApi(patient: Patient): Promise<boolean | null> {
  const url = httpAddress(patient.wsUrl, `${endpointPrefix(patient.wsUrl) ?? ''}/api/info`);
  const headers = { 'content-type': 'application/json' };
  const answer = await patient.ask({ url, method: 'POST', headers, body: '{}' });
  if (answer.kind !== 'answer') return null;
  return answer.status === 401 || (answer.status === 200 && isRecord(jsonOf(answer.body)?.result));
}

async function examinePages(patient: Patient): Promise<Outcome> {
  let hasAnswered = false;
  const get = async (path: string, mark: RegExp) => {
    const answer = await patient.ask({ url: httpAddress(patient.wsUrl, path) });
    hasAnswered ||= answer.kind === 'answer';
    return answer.kind === 'answer' && answer.status === 200 && mark.test(answer.body) ? answer.body : null;
  };
  const [admin, metrics, debug] = await Promise.all([
    get('/admin/init', /"insecure"/),
    get('/metrics', /^centrifugo_/m),
    get('/debug/pprof/', /goroutine/),
  ]);
  if (!hasAnswered) return skipped('The public address does not answer plain requests.');
  if (admin !== null && jsonOf(admin)?.insecure === true)
    return failure(
      'The admin pages are open without a password: whoever reaches them can publish, and disconnect everybody.',
      'Remove CENTRIFUGO_ADMIN_INSECURE from the server, and set CENTRIFUGO_ADMIN_PASSWORD and CENTRIFUGO_ADMIN_SECRET.',
    );
  const open = [admin !== null && 'the admin pages', metrics !== null && '/metrics', debug !== null && '/debug/pprof'];
  const names = open.filter((name) => name !== false).join(', ');
  if (names === '') return ok('The public address shows no admin pages, metrics or profiles.');
  if (isLoopback(patient.wsUrl.hostname))
    return ok(`The address of the WebSocket also shows ${names}; only this machine reaches it.`);
  return warning(`The public address also shows ${names}.`, KEEP_INSIDE);
}

function jsonOf(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : null;
  } catch {
    return null; // a page
  }
}
