import { ConfigError, RealtimeError } from '../../core/errors.ts';
import { isRecord } from '../../core/is-record.ts';
import { ApiTimeoutError, ApiUnauthorizedError, ApiUnavailableError } from '../../server/errors.ts';
import type { Check } from '../check.ts';
import { failure, type Outcome, ok, skipped, warning } from '../finding.ts';
import type { Patient } from '../patient.ts';
import { VARIABLES } from '../settings.ts';
import { fixTls, TLS_TROUBLE } from '../tls-trouble.ts';

/** The settings of this library are those of version 6; older ones have other names and shapes. */
const OLDEST_MAJOR = 6;
const WRONG_KEY = 'wrong-key-of-the-doctor';

export const API_CHECKS: readonly Check[] = [
  {
    id: 'api.reachable',
    needs: ['env.api-url'],
    async run(patient) {
      const error = await failureOf(patient, WRONG_KEY);
      if (error === null || error instanceof ApiUnauthorizedError) return ok('The server API answers.');
      return failure(error.message, fixOf(error));
    },
  },
  {
    id: 'api.key',
    needs: ['api.reachable', 'env.api-key'],
    async run(patient) {
      const error = await failureOf(patient);
      if (error === null) return ok('The server API accepts CENTRIFUGO_API_KEY.');
      if (error instanceof ApiUnauthorizedError)
        return failure(
          'The server API refuses CENTRIFUGO_API_KEY.',
          "Give CENTRIFUGO_API_KEY the value of the server's CENTRIFUGO_HTTP_API_KEY, and restart what was changed. The server ignores CENTRIFUGO_API_KEY itself.",
        );
      return failure(error.message, fixOf(error));
    },
  },
  {
    id: 'api.closed',
    needs: ['api.reachable'],
    async run(patient) {
      const error = await failureOf(patient, WRONG_KEY);
      if (error instanceof ApiUnauthorizedError) return ok('A wrong key is refused.');
      if (error !== null) return skipped('The server API gave no answer that tells.');
      return failure(
        'The server API accepts any key: whoever reaches it can publish, and disconnect everybody.',
        'Remove CENTRIFUGO_HTTP_API_INSECURE from the server and set CENTRIFUGO_HTTP_API_KEY.',
      );
    },
  },
  { id: 'api.version', needs: ['api.key'], run: examineVersion },
];

/** Asks for `info`; what went wrong, or `null`. */
async function failureOf(patient: Patient, key?: string): Promise<RealtimeError | null> {
  try {
    await (key === undefined ? patient.api() : patient.api(key)).call('info', {}, patient.timeoutMs);
    return null;
  } catch (error) {
    if (error instanceof RealtimeError && !(error instanceof ConfigError)) return error;
    throw error;
  }
}

function fixOf(error: RealtimeError): string {
  if (error instanceof ApiTimeoutError)
    return 'Is there a firewall between here and the broker, or a proxy that does not pass the request on? CENTRIFUGO_API_URL must lead to the broker.';
  if (error instanceof ApiUnavailableError && TLS_TROUBLE.test(error.message)) return fixTls(VARIABLES.apiUrl, 'http');
  if (error instanceof ApiUnavailableError && error.status === null)
    return 'Start the broker (locally: op-realtime dev), or correct host and port of CENTRIFUGO_API_URL.';
  if (error instanceof ApiUnavailableError && (error.status ?? 0) >= 500)
    return 'Look into the log of the broker, and of the proxy in front of it: it answers for a broker that it cannot reach.';
  return 'Correct CENTRIFUGO_API_URL: it must lead to the server API, on the internal port where CENTRIFUGO_HTTP_SERVER_INTERNAL_PORT is set.';
}

async function examineVersion(patient: Patient): Promise<Outcome> {
  const { nodes } = await patient.callApi('info', {});
  const versions = Array.isArray(nodes) ? nodes.filter(isRecord).map(({ version }) => versionOf(version)) : [];
  const distinct = [...new Set(versions)];
  const fix = `Run Centrifugo ${OLDEST_MAJOR} on every node (the image centrifugo/centrifugo:v${OLDEST_MAJOR}).`;
  if (distinct.length === 0) return warning('The server API names no node.', fix);
  const unknown = distinct.filter((version) => version === 'unknown' || /^v?0\./.test(version));
  const old = distinct.filter(
    (version) => !unknown.includes(version) && Number.parseInt(version.replace(/^v/, ''), 10) < OLDEST_MAJOR,
  );
  if (old.length > 0) return failure(`Centrifugo ${old.join(' and ')} is too old.`, fix);
  if (distinct.length > 1) return warning(`The nodes have different versions: ${distinct.join(', ')}.`, fix);
  if (unknown.length > 0)
    return warning(`The version of the broker says nothing (${distinct[0]}): a build of one's own.`, fix);
  return ok(`Centrifugo ${distinct[0]}${versions.length > 1 ? ` on ${versions.length} nodes` : ''}.`);
}

/** `6.9.1` of `6.9.1 OSS`. It comes from outside, so only the form of a version is printed. */
function versionOf(value: unknown): string {
  return (typeof value === 'string' && /^v?\d+(?:\.\d+){0,3}/.exec(value)?.[0]) || 'unknown';
}
