import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  appVariables,
  type ClinicBroker,
  everyNameIsHere,
  GOOD,
  KEY,
  ORIGIN,
  SECRET,
  wards,
} from '../../test/clinic.ts';
import { FakeApi } from '../../test/fake-api.ts';
import { type ProxyHabit, startSiteProxy } from '../../test/site-proxy.ts';
import type { Clock } from '../core/clock.ts';
import { callClock } from '../server/deadline.ts';
import { CHECKS } from './checks/index.ts';
import { type DiagnoseOptions, diagnoseIn } from './diagnose.ts';
import { CHECK_IDS, type CheckId, type Finding, type FindingState } from './finding.ts';
import type { Surroundings } from './patient.ts';

const closing: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of closing.splice(0)) await one.close();
});
function closeLater<T extends { close(): Promise<void> }>(one: T): T {
  closing.push(one);
  return one;
}

/** Generous: no fault here is found by waiting. */
const timeoutMs = 25_000;

/** Examines, and looks through everything that is said for what must not be in it. */
async function examine(options: DiagnoseOptions, surroundings: Partial<Surroundings> = {}) {
  const findings = await diagnoseIn(
    { timeoutMs, origin: 'http://localhost:3000', ...options },
    { clock: callClock, ...surroundings },
  );
  const said = JSON.stringify(findings);
  const env = options.env ?? {};
  const confidential = [
    'CENTRIFUGO_API_KEY',
    'CENTRIFUGO_TOKEN_SECRET',
    'CENTRIFUGO_API_URL',
    'NEXT_PUBLIC_CENTRIFUGO_WS_URL',
  ];
  for (const value of [KEY, SECRET, ...confidential.map((name) => env[name]?.trim())])
    if (value) expect(said).not.toContain(value);
  expect(said).not.toMatch(/eyJ[\w-]+\./);
  for (const { state, found, fix } of findings) {
    expect(fix !== undefined, `a fix for ${found}`).toBe(state === 'warning' || state === 'failure');
  }
  return new Map(findings.map((finding) => [finding.id, finding]));
}

const states = (findings: ReadonlyMap<CheckId, Finding>) =>
  [...findings.values()].map(({ id, state }) => `${id} ${state}`);

interface Symptom {
  readonly id: CheckId;
  readonly state: FindingState;
  readonly found: RegExp;
  readonly fix?: RegExp;
}
const failing = (id: CheckId, found: RegExp, fix: RegExp): Symptom => ({ id, state: 'failure', found, fix });
const warned = (id: CheckId, found: RegExp, fix: RegExp): Symptom => ({ id, state: 'warning', found, fix });

function expectSymptom(findings: ReadonlyMap<CheckId, Finding>, { id, state, found, fix }: Symptom): void {
  expect(findings.get(id)).toEqual({
    id,
    state,
    found: expect.stringMatching(found),
    ...(fix && { fix: expect.stringMatching(fix) }),
  });
}

/** A clock whose time limits pass when the test says so: a proxy that holds something back is then found without waiting. */
function heldClock() {
  const limits = new Set<() => void>();
  const clock: Clock = {
    now: Date.now,
    after(_, fn) {
      limits.add(fn);
      return () => limits.delete(fn);
    },
  };
  return { clock, pass: () => [...limits].forEach((limit) => void limit()) };
}

it('has one check per id, in the order of the report, and each needs only what came before', () => {
  expect(CHECKS.map(({ id }) => id)).toEqual(CHECK_IDS);
  for (const [at, { id, needs }] of CHECKS.entries())
    for (const need of needs) expect(CHECK_IDS.indexOf(need), `${need} before ${id}`).toBeLessThan(at);
});

describe.each(wards())('on $name', (ward) => {
  let good: ClinicBroker;
  beforeAll(async () => {
    good = await ward.start();
  });
  afterAll(() => good.close());

  it('finds nothing wrong with a good set-up', async () => {
    const findings = await examine({ env: { ...GOOD, ...appVariables(good.port) } });
    expect(states(findings).filter((line) => !line.endsWith(' ok'))).toEqual([]);
    expect([...findings.keys()]).toEqual(CHECK_IDS);
  });

  type Change = Readonly<Record<string, string | undefined>>;

  /** Beside a good broker, the application's side is wrong. */
  const applicationFaults: [string, (port: number) => Change, Symptom][] = [
    [
      'no key',
      () => ({ CENTRIFUGO_API_KEY: undefined }),
      failing('env.api-key', /CENTRIFUGO_API_KEY is not set/, /Set CENTRIFUGO_API_KEY to/),
    ],
    [
      'an empty secret',
      () => ({ CENTRIFUGO_TOKEN_SECRET: ' ' }),
      failing('env.token-secret', /CENTRIFUGO_TOKEN_SECRET is empty/, /Set CENTRIFUGO_TOKEN_SECRET/),
    ],
    [
      'a key in quotes',
      () => ({ CENTRIFUGO_API_KEY: `"${KEY}"` }),
      failing('env.api-key', /wrapped in quotes/, /without quotes/),
    ],
    [
      "only the server's half of the key",
      () => ({ CENTRIFUGO_API_KEY: undefined, CENTRIFUGO_HTTP_API_KEY: KEY }),
      failing('env.api-key', /CENTRIFUGO_HTTP_API_KEY is, but that is what the server reads/, /Set CENTRIFUGO_API_KEY/),
    ],
    [
      'halves that differ',
      () => ({ CENTRIFUGO_HTTP_API_KEY: 'another-key-of-the-server' }),
      failing('env.api-key', /differ here/, /same value/),
    ],
    [
      'a short secret',
      () => ({ CENTRIFUGO_TOKEN_SECRET: 'short-secret' }),
      warned('env.token-secret', /has 12 bytes/, /openssl rand/),
    ],
    [
      'an http address for the WebSocket',
      (port) => ({ NEXT_PUBLIC_CENTRIFUGO_WS_URL: `http://127.0.0.1:${port}/connection/websocket` }),
      failing('env.ws-url', /must be a ws or wss address/, /wss:/),
    ],
    [
      'a key in the WebSocket address',
      (port) => ({ NEXT_PUBLIC_CENTRIFUGO_WS_URL: `ws://user:word-of-passing@127.0.0.1:${port}/connection/websocket` }),
      failing('env.ws-url', /no user info/, /wss:/),
    ],
    [
      'a name of version 5',
      () => ({ CENTRIFUGO_TOKEN_HMAC_SECRET_KEY: SECRET }),
      failing('env.broker', /Centrifugo 5/, /CENTRIFUGO_CLIENT_TOKEN_HMAC_SECRET_KEY/),
    ],
    [
      'origins with commas',
      () => ({ CENTRIFUGO_CLIENT_ALLOWED_ORIGINS: 'https://a.example,https://b.example' }),
      failing('env.broker', /commas/, /spaces/),
    ],
    [
      'half a history',
      () => ({ CENTRIFUGO_CHANNEL_NAMESPACES_TRPC_HISTORY_SIZE: '300' }),
      failing('env.broker', /HISTORY_TTL is missing/, /HISTORY_TTL=10m/),
    ],
    [
      'a history of seconds',
      () => ({
        CENTRIFUGO_CHANNEL_NAMESPACES_TRPC_HISTORY_SIZE: '300',
        CENTRIFUGO_CHANNEL_NAMESPACES_TRPC_HISTORY_TTL: '30s',
      }),
      warned('env.broker', /less than a minute/, /10m/),
    ],
    [
      'a wrong key',
      () => ({ CENTRIFUGO_API_KEY: 'a-key-of-another-broker' }),
      failing('api.key', /refuses CENTRIFUGO_API_KEY/, /CENTRIFUGO_HTTP_API_KEY/),
    ],
    [
      'a wrong secret',
      () => ({ CENTRIFUGO_TOKEN_SECRET: 'a-secret-of-another-broker-0123456789' }),
      failing('token.secret', /3500/, /CENTRIFUGO_CLIENT_TOKEN_HMAC_SECRET_KEY/),
    ],
    [
      'an API address with a wrong path',
      (port) => ({ CENTRIFUGO_API_URL: `http://127.0.0.1:${port}/nowhere` }),
      failing('api.reachable', /404/, /CENTRIFUGO_HTTP_SERVER_INTERNAL_PORT/),
    ],
    [
      'an API address where nobody listens',
      () => ({ CENTRIFUGO_API_URL: 'http://127.0.0.1:1/api' }),
      failing('api.reachable', /cannot be reached/, /Start the broker/),
    ],
    [
      'a WebSocket address with a wrong path',
      (port) => ({ NEXT_PUBLIC_CENTRIFUGO_WS_URL: `ws://127.0.0.1:${port}/websocket` }),
      failing('websocket.upgrade', /HTTP 404/, /\/connection\/websocket/),
    ],
    [
      'https where nothing encrypts',
      (port) => ({ CENTRIFUGO_API_URL: `https://127.0.0.1:${port}/api` }),
      failing('api.reachable', /cannot be reached \(\w+\)/, /certificate.*begin CENTRIFUGO_API_URL with http:/),
    ],
    [
      'wss where nothing encrypts',
      (port) => ({ NEXT_PUBLIC_CENTRIFUGO_WS_URL: `wss://127.0.0.1:${port}/connection/websocket` }),
      failing(
        'websocket.upgrade',
        /cannot be reached \(\w+\)/,
        /certificate.*begin NEXT_PUBLIC_CENTRIFUGO_WS_URL with ws:/,
      ),
    ],
    [
      'a WebSocket address where nobody listens',
      () => ({ NEXT_PUBLIC_CENTRIFUGO_WS_URL: 'ws://127.0.0.1:1/connection/websocket' }),
      failing('websocket.upgrade', /cannot be reached/, /host and port/),
    ],
  ];
  // Settings alone are judged without asking the broker: once is enough.
  const faultsHere = applicationFaults.filter(([, , { id }]) => ward.name === 'embedded' || !id.startsWith('env.'));
  it.each(faultsHere)('names %s', async (_, change, symptom) => {
    const port = symptom.id.startsWith('env.') ? 1 : good.port; // where nobody listens the rest is over soon
    expectSymptom(await examine({ env: { ...appVariables(port), ...change(port) } }), symptom);
  });

  it.each([
    [
      'https://foreign.example',
      failing('websocket.origin', /foreign.example get HTTP 403/, /CENTRIFUGO_CLIENT_ALLOWED_ORIGINS/),
    ],
    ['https://app.example.com/', failing('websocket.origin', /no path/, /--origin/)],
  ])('names the wrong origin %s', async (origin, symptom) => {
    expectSymptom(await examine({ env: appVariables(good.port), origin }), symptom);
  });

  it.each([
    ['ahead of', 60_000, /behind this one/],
    ['behind', -60_000, /ahead of this one/],
  ])("names a clock of the application that is a minute %s the broker's", async (_, aheadMs, found) => {
    const clock: Clock = { ...callClock, now: () => Date.now() + aheadMs };
    expectSymptom(await examine({ env: appVariables(good.port) }, { clock }), failing('clock.skew', found, /NTP/));
  });

  it('names everything that is open to the world on a public address, which is not encrypted either', async () => {
    const ws = `ws://realtime.example.test:${good.port}/connection/websocket`;
    const env = { ...appVariables(good.port), NEXT_PUBLIC_CENTRIFUGO_WS_URL: ws };
    const findings = await examine({ env, origin: undefined }, { lookup: everyNameIsHere });
    expectSymptom(
      findings,
      warned('public.api', /server API answers on the public address/, /CENTRIFUGO_HTTP_SERVER_INTERNAL_PORT/),
    );
    expectSymptom(findings, warned('env.ws-url', /not encrypted/, /TLS/));
    expectSymptom(
      await examine({ env, origin: ORIGIN }, { lookup: everyNameIsHere }),
      failing('env.ws-url', /browsers refuse/, /wss:/),
    );
  });

  it('names two addresses that lead to different brokers', async () => {
    const other = closeLater(await ward.start());
    const env = { ...appVariables(good.port), CENTRIFUGO_API_URL: `http://127.0.0.1:${other.port}/api` };
    const { clock } = heldClock(); // no time limit passes: they are told apart, not waited for
    expectSymptom(
      await examine({ env }, { clock }),
      failing('delivery.same-broker', /different brokers/, /same Centrifugo/),
    );
  });

  const NAMESPACE = 'CENTRIFUGO_CHANNEL_NAMESPACES_TRPC_';
  const noNamespace = Object.fromEntries(
    Object.keys(GOOD)
      .filter((name) => name.startsWith('CENTRIFUGO_CHANNEL_'))
      .map((name) => [name, undefined]),
  );
  const noHistory = {
    [`${NAMESPACE}HISTORY_SIZE`]: undefined,
    [`${NAMESPACE}HISTORY_TTL`]: undefined,
    [`${NAMESPACE}FORCE_RECOVERY`]: undefined,
  };

  /** Beside a good application, the broker is wrong; its settings are not among the application's. */
  const brokerFaults: [string, Change, Symptom][] = [
    [
      'no namespace',
      noNamespace,
      failing('namespace.history', /no namespace trpc/, /CENTRIFUGO_CHANNEL_NAMESPACES=trpc/),
    ],
    [
      'no namespace, by a token',
      noNamespace,
      failing('token.identity', /no namespace trpc/, /CENTRIFUGO_CHANNEL_NAMESPACES=trpc/),
    ],
    ['no history', noHistory, failing('namespace.history', /keeps no history/, /HISTORY_SIZE=300/)],
    [
      'a small history',
      { [`${NAMESPACE}HISTORY_SIZE`]: '7' },
      warned('namespace.history', /last 7 messages/, /HISTORY_SIZE=300/),
    ],
    [
      'no recovery',
      { [`${NAMESPACE}FORCE_RECOVERY`]: undefined },
      failing('namespace.recovery', /does not recover/, /FORCE_RECOVERY=true/),
    ],
    [
      'recovery in cache mode',
      { [`${NAMESPACE}FORCE_RECOVERY_MODE`]: 'cache' },
      failing('namespace.recovery', /cache mode/, /FORCE_RECOVERY_MODE/),
    ],
    [
      'recovery of less than is missed',
      { CENTRIFUGO_CLIENT_RECOVERY_MAX_PUBLICATION_LIMIT: '1' },
      failing('namespace.recovery', /where it was little/, /RECOVERY_MAX_PUBLICATION_LIMIT=300/),
    ],
    [
      'open subscribing',
      { [`${NAMESPACE}ALLOW_SUBSCRIBE_FOR_CLIENT`]: 'true' },
      failing('namespace.subscribe', /without a grant/, /ALLOW_SUBSCRIBE_FOR_CLIENT/),
    ],
    [
      'open publishing',
      { [`${NAMESPACE}ALLOW_PUBLISH_FOR_CLIENT`]: 'true' },
      warned('namespace.publish', /Clients may publish/, /ALLOW_PUBLISH_FOR_CLIENT/),
    ],
    [
      'few channels',
      { CENTRIFUGO_CLIENT_CHANNEL_LIMIT: '5' },
      failing('limits.channels', /only 5 channels/, /CENTRIFUGO_CLIENT_CHANNEL_LIMIT=128/),
    ],
    [
      'small messages',
      { CENTRIFUGO_WEBSOCKET_MESSAGE_SIZE_LIMIT: '2000' },
      failing('limits.channels', /not for their number/, /MESSAGE_SIZE_LIMIT/),
    ],
    [
      'few connections',
      { CENTRIFUGO_CLIENT_USER_CONNECTION_LIMIT: '3' },
      warned('limits.connections', /only 3 connections/, /USER_CONNECTION_LIMIT/),
    ],
    [
      'any origin',
      { CENTRIFUGO_CLIENT_ALLOWED_ORIGINS: '*' },
      warned('websocket.foreign-origin', /any site/, /not \*/),
    ],
    [
      'no origin',
      { CENTRIFUGO_CLIENT_ALLOWED_ORIGINS: undefined },
      failing('websocket.origin', /403/, /CENTRIFUGO_CLIENT_ALLOWED_ORIGINS/),
    ],
    [
      'an open server API',
      { CENTRIFUGO_HTTP_API_INSECURE: 'true' },
      failing('api.closed', /any key/, /HTTP_API_INSECURE/),
    ],
    [
      'tokens that anybody signs',
      { CENTRIFUGO_CLIENT_INSECURE_SKIP_TOKEN_SIGNATURE_VERIFY: 'true' },
      failing('token.forged', /every user/, /SKIP_TOKEN_SIGNATURE_VERIFY/),
    ],
    [
      'connections without a token',
      { CENTRIFUGO_CLIENT_ALLOW_ANONYMOUS_CONNECT_WITHOUT_TOKEN: 'true' },
      warned('token.missing', /as anonymous/, /ALLOW_ANONYMOUS/),
    ],
    [
      'no permission checks',
      { CENTRIFUGO_CLIENT_INSECURE: 'true' },
      failing('namespace.subscribe', /Every user/, /CENTRIFUGO_CLIENT_INSECURE/),
    ],
    [
      'another secret for channel tokens',
      {
        CENTRIFUGO_CLIENT_SUBSCRIPTION_TOKEN_ENABLED: 'true',
        CENTRIFUGO_CLIENT_SUBSCRIPTION_TOKEN_HMAC_SECRET_KEY: 'another-secret',
      },
      failing('namespace.grant', /refuses channel tokens/, /SUBSCRIPTION_TOKEN_ENABLED/),
    ],
    [
      'an audience that the application does not know',
      { CENTRIFUGO_CLIENT_TOKEN_AUDIENCE: 'somebody' },
      failing('token.secret', /3500/, /CENTRIFUGO_CLIENT_TOKEN_AUDIENCE/),
    ],
    ['rare pings', { CENTRIFUGO_CLIENT_PING_INTERVAL: '90s' }, warned('websocket.ping', /every 90 seconds/, /25s/)],
    [
      'no fallbacks, which is no fault',
      { CENTRIFUGO_HTTP_STREAM_ENABLED: 'false', CENTRIFUGO_SSE_ENABLED: 'false' },
      { id: 'fallback.sse', state: 'skipped', found: /not switched on/ },
    ],
  ];
  it.each(brokerFaults)('names %s', async (_, change, symptom) => {
    const broker = closeLater(await ward.start(change));
    expectSymptom(await examine({ env: appVariables(broker.port) }), symptom);
  });

  it.runIf(ward.name === 'centrifugo')('names admin pages, metrics and profiles that anybody can open', async () => {
    const pages = {
      CENTRIFUGO_PROMETHEUS_ENABLED: 'true',
      CENTRIFUGO_DEBUG_ENABLED: 'true',
      CENTRIFUGO_ADMIN_ENABLED: 'true',
    };
    const closed = closeLater(
      await ward.start({
        ...pages,
        CENTRIFUGO_ADMIN_PASSWORD: 'word-of-passing',
        CENTRIFUGO_ADMIN_SECRET: 'word-of-signing',
      }),
    );
    const env = {
      ...appVariables(closed.port),
      NEXT_PUBLIC_CENTRIFUGO_WS_URL: `ws://realtime.example.test:${closed.port}/connection/websocket`,
    };
    const findings = await examine({ env, origin: undefined }, { lookup: everyNameIsHere });
    expectSymptom(findings, warned('public.pages', /the admin pages, \/metrics, \/debug\/pprof/, /INTERNAL_PORT/));
    const open = closeLater(await ward.start({ ...pages, CENTRIFUGO_ADMIN_INSECURE: 'true' }));
    expectSymptom(
      await examine({ env: appVariables(open.port) }),
      failing('public.pages', /without a password/, /CENTRIFUGO_ADMIN_INSECURE/),
    );
  });

  it('names an API that answers on the public address also where it is on another port inside', async () => {
    const findings = await examine({ env: appVariables(good.port) });
    expect(findings.get('public.api')).toEqual({
      id: 'public.api',
      state: 'ok',
      found: expect.stringContaining('only this machine'),
    });
  });

  describe('behind a proxy', () => {
    async function behind(habit: ProxyHabit, clock?: Clock) {
      const proxy = closeLater(await startSiteProxy(good.port, habit));
      const { NEXT_PUBLIC_CENTRIFUGO_WS_URL } = appVariables(proxy.port);
      return examine({ env: { ...appVariables(good.port), NEXT_PUBLIC_CENTRIFUGO_WS_URL } }, clock && { clock });
    }

    it('that is faithful, finds nothing wrong', async () => {
      expect(states(await behind({ kind: 'faithful' })).filter((line) => !line.endsWith(' ok'))).toEqual([
        'env.broker skipped',
      ]);
    });

    it.each<[string, ProxyHabit, RegExp, RegExp]>([
      ['drops the upgrade', { kind: 'no-upgrade' }, /does not pass WebSocket upgrades/, /proxy_set_header Upgrade/],
      ['answers with a page', { kind: 'answers', status: 200, body: '<html>' }, /HTTP 200 instead/, /proxy_set_header/],
      [
        'redirects',
        { kind: 'answers', status: 301, headers: { location: 'https://elsewhere.example/' } },
        /redirects/,
        /redirects to/,
      ],
      ['forbids', { kind: 'answers', status: 403 }, /something in front/, /firewall/],
      [
        'does not reach the broker',
        { kind: 'answers', status: 502 },
        /does not reach the broker/,
        /passes \/connection\//,
      ],
      ['has no more room', { kind: 'answers', status: 503 }, /no more connections/, /CONNECTION_LIMIT/],
    ])('that %s, says so', async (_, habit, found, fix) => {
      expectSymptom(await behind(habit), failing('websocket.upgrade', found, fix));
    });

    it('that buffers, says so for each fallback, while the WebSocket works', async () => {
      const { clock, pass } = heldClock();
      const findings = await behind({ kind: 'buffers', held: pass }, clock);
      expect(findings.get('token.secret')?.state).toBe('ok');
      for (const id of ['fallback.http-stream', 'fallback.sse'] as const)
        expectSymptom(findings, failing(id, /a proxy buffers/, /proxy_buffering off/));
    });

    it('that opens WebSockets and passes no frames, says so', async () => {
      const { clock, pass } = heldClock();
      const findings = await behind({ kind: 'swallows', held: pass }, clock);
      expectSymptom(findings, failing('token.secret', /then nothing came/, /holds? frames back/));
    });

    it('that opens WebSockets and passes no frames, calls nothing refused that was never answered', async () => {
      const { clock, pass } = heldClock();
      const findings = await behind({ kind: 'swallows', held: pass }, clock);
      for (const id of ['token.forged', 'token.missing'] as const) expect(findings.get(id)?.state).toBe('skipped');
    });

    it('that never answers, says so', async () => {
      const { clock, pass } = heldClock();
      const findings = await behind({ kind: 'hangs', held: pass }, clock);
      expectSymptom(findings, failing('websocket.upgrade', /not open in time/, /proxy/));
    });
  });
});

describe('an API that is none of ours', () => {
  async function withApi(info: unknown, status = 200) {
    const api = closeLater(await FakeApi.start());
    api.handler = () => ({ status, body: info });
    return examine({ env: { ...appVariables(1), CENTRIFUGO_API_URL: api.url } });
  }
  const nodes = (...versions: unknown[]) => ({ result: { nodes: versions.map((version) => ({ version })) } });

  it.each<[string, unknown, Symptom]>([
    ['an old version', nodes('5.4.9 OSS'), failing('api.version', /5\.4\.9 is too old/, /v6/)],
    ['different versions', nodes('6.0.1', '6.9.1 OSS'), warned('api.version', /6\.0\.1, 6\.9\.1/, /every node/)],
    ["a build of one's own", nodes('0.0.0 OSS'), warned('api.version', /0\.0\.0/, /v6/)],
    ['a version that would write on the terminal', nodes('\u001b[2J'), warned('api.version', /\(unknown\)/, /v6/)],
    ['no node', { result: {} }, warned('api.version', /no node/, /v6/)],
    ['a page', '<html>', failing('api.reachable', /not that of Centrifugo's server API/, /CENTRIFUGO_API_URL/)],
  ])('names %s', async (_, info, symptom) => {
    expectSymptom(await withApi(info), symptom);
  });

  it.each([
    [502, failing('api.reachable', /HTTP 502/, /log of the broker/)],
    [302, failing('api.reachable', /redirects/, /CENTRIFUGO_API_URL/)],
  ])('names HTTP %i', async (status, symptom) => {
    expectSymptom(await withApi('', status), symptom);
  });
});

describe('settings that can be judged without a broker', () => {
  const examineEnv = (env: Record<string, string>, origin?: string) =>
    examine(
      { env, origin },
      { lookup: (_name, _options, answer) => answer(Object.assign(new Error(), { code: 'ENOTFOUND' }), '') },
    );
  const elsewhere = {
    ...appVariables(1),
    NEXT_PUBLIC_CENTRIFUGO_WS_URL: 'wss://realtime.example.test/connection/websocket',
  };

  it.each<[string, Record<string, string>, string | undefined, Symptom]>([
    [
      'published values in use elsewhere',
      { ...elsewhere, CENTRIFUGO_API_KEY: 'local-api-key-published-with-the-source' },
      undefined,
      failing('env.api-key', /everybody can read/, /openssl rand/),
    ],
    [
      "a WebSocket on the visitors' own machine",
      appVariables(1),
      ORIGIN,
      failing('env.agreement', /its own machine/, /public address/),
    ],
    ['a name that does not exist', elsewhere, undefined, failing('websocket.upgrade', /ENOTFOUND/, /host and port/)],
  ])('names %s', async (_, env, origin, symptom) => {
    expectSymptom(await examineEnv(env, origin), symptom);
  });

  it('skips what cannot be looked at, and says why', async () => {
    const findings = await examine({ env: {}, origin: undefined });
    expect(states(findings).filter((line) => line.endsWith(' failure'))).toEqual(
      ['api-url', 'api-key', 'token-secret', 'ws-url'].map((name) => `env.${name} failure`),
    );
    expect(findings.get('token.identity')).toEqual({
      id: 'token.identity',
      state: 'skipped',
      found: 'Not looked at: it needs token.secret.',
      blockedBy: ['token.secret'],
    });
  });

  it('takes the origin of the pages from the settings of the broker where it stands there', async () => {
    const skippedBecause = async (origins: string) =>
      (
        await examine({ env: { ...appVariables(1), CENTRIFUGO_CLIENT_ALLOWED_ORIGINS: origins }, origin: undefined })
      ).get('env.agreement')?.found;
    expect(await skippedBecause('https://app.example.com http://localhost:3000')).toMatch(/its own machine/);
    expect(await skippedBecause('https://*.example.com')).not.toMatch(/its own machine/);
  });
});
