import type { Check } from '../check.ts';
import { failure, type Outcome, ok, skipped, warning } from '../finding.ts';
import { DOCTOR_USER } from '../patient.ts';
import type { Opening } from '../probes/socket-probe.ts';
import { VARIABLES } from '../settings.ts';
import { fixTls, TLS_TROUBLE } from '../tls-trouble.ts';

/** A name that nobody can own (RFC 2606). */
const FOREIGN_ORIGIN = 'https://op-realtime-doctor.invalid';
/** Proxies close connections that are silent for about this long. */
const LONGEST_PING_SECONDS = 50;

const NGINX =
  'In nginx: proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";';
const ALLOW = 'CENTRIFUGO_CLIENT_ALLOWED_ORIGINS of the server (several are separated by spaces)';

export const WEBSOCKET_CHECKS: readonly Check[] = [
  {
    id: 'websocket.upgrade',
    needs: ['env.ws-url'],
    run: async (patient) => describeOpening(await patient.open()),
  },
  {
    id: 'websocket.origin',
    needs: ['websocket.upgrade'],
    async run(patient) {
      const { origin } = patient;
      if (origin === undefined)
        return skipped('The origin of the pages is not known. Name it: --origin https://app.example.com');
      if (!URL.canParse(origin) || new URL(origin).origin !== origin)
        return failure(
          'The origin is none: browsers send scheme, host and port, and no path.',
          'Name it like --origin https://app.example.com',
        );
      const opening = await patient.open(origin);
      if (opening.kind === 'open') return ok(`Pages of ${new URL(origin).host} may connect.`);
      if (opening.kind === 'refused' && opening.status === 403)
        return failure(
          `Pages of ${new URL(origin).host} get HTTP 403: their origin is not allowed.`,
          `Put this origin into ${ALLOW}.`,
        );
      return describeOpening(opening);
    },
  },
  {
    id: 'websocket.foreign-origin',
    needs: ['websocket.upgrade'],
    async run(patient) {
      const opening = await patient.open(FOREIGN_ORIGIN);
      if (opening.kind === 'refused') return ok('Pages of other sites may not connect.');
      if (opening.kind !== 'open') return describeOpening(opening);
      return warning('Pages of any site may connect.', `Name only your own origins in ${ALLOW}, and not *.`);
    },
  },
];

export const PING_CHECKS: readonly Check[] = [
  {
    id: 'websocket.ping',
    needs: ['token.secret'],
    async run(patient) {
      const token = await patient.signer.connectionToken({ userId: DOCTOR_USER, channels: [] });
      const { reply } = await patient.connect({ token });
      const ping = reply?.kind === 'result' ? reply.result.ping : undefined;
      if (typeof ping === 'number' && ping > 0 && ping <= LONGEST_PING_SECONDS)
        return ok(`The broker pings every ${ping} seconds.`);
      return warning(
        typeof ping === 'number' && ping > 0
          ? `The broker pings only every ${ping} seconds.`
          : 'The broker does not ping.',
        'Leave CENTRIFUGO_CLIENT_PING_INTERVAL at 25s: proxies close silent connections, often after a minute, and a dead one is noticed by its missing ping.',
      );
    },
  },
];

function describeOpening(opening: Opening): Outcome {
  if (opening.kind === 'open') return ok('A WebSocket opens.');
  if (opening.kind === 'timeout')
    return failure(
      'The WebSocket does not open in time.',
      'Is there a firewall, or a proxy that does not pass WebSockets on, between here and the broker?',
    );
  if (opening.kind === 'unreachable')
    return failure(
      `The address of the WebSocket cannot be reached${opening.code && ` (${opening.code})`}.`,
      TLS_TROUBLE.test(opening.code)
        ? fixTls(VARIABLES.wsUrl, 'ws')
        : `Start the broker (locally: op-realtime dev), or correct host and port of ${VARIABLES.wsUrl}.`,
    );
  const found = `The address of the WebSocket answers HTTP ${opening.status} instead of an upgrade`;
  const { status } = opening;
  if (status === 404)
    return failure(
      `${found}: nothing is there.`,
      `Correct the path of ${VARIABLES.wsUrl}; Centrifugo's is /connection/websocket.`,
    );
  if (status === 403)
    return failure(
      `${found}, also to who sends no origin: something in front of the broker refuses.`,
      'Look into the rules of the proxy or firewall.',
    );
  if (status === 503)
    return failure(
      `${found}: the broker takes no more connections, or the proxy does not reach it.`,
      'Look at CENTRIFUGO_CLIENT_CONNECTION_LIMIT and …_CONNECTION_RATE_LIMIT of the server, and into the log of the proxy.',
    );
  if (status >= 500)
    return failure(
      `${found}: a proxy does not reach the broker.`,
      'Correct where the proxy passes /connection/ on to.',
    );
  if (status >= 300 && status < 400)
    return failure(
      `${found}: it redirects, and browsers do not follow.`,
      `Set ${VARIABLES.wsUrl} to the address that it redirects to.`,
    );
  return failure(`${found}: a proxy does not pass WebSocket upgrades on, or something else is there.`, NGINX);
}
