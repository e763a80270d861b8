import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { optionsFromEnv } from '../packages/broker/src/index.ts';
import { nodeVariables, readCompose, readDeploy, readEnvironment, SET_UPS } from './deployment.ts';
import { findCommand, hasLane, LANES } from './lanes.ts';
import { ROOT, readDocument, snippetsOf } from './markdown.ts';

const GIVEN = {
  SITE_ORIGIN: 'https://app.example.com',
  CENTRIFUGO_API_KEY: 'an-api-key',
  CENTRIFUGO_TOKEN_SECRET: 'a-token-secret',
  POSTGRES_PASSWORD: 'a-password',
};

/** What Centrifugo has and the embedded broker has not. The real binary confirms these names below. */
const CENTRIFUGOS_ALONE = [
  'CENTRIFUGO_HTTP_SERVER_INTERNAL_PORT',
  'CENTRIFUGO_ENGINE_TYPE',
  'CENTRIFUGO_ENGINE_REDIS_ADDRESS',
  'CENTRIFUGO_BROKER_ENABLED',
  'CENTRIFUGO_BROKER_TYPE',
  'CENTRIFUGO_BROKER_POSTGRES_DSN',
  'CENTRIFUGO_BROKER_POSTGRES_USE_NOTIFY',
  'CENTRIFUGO_CONTROLLER_ENABLED',
  'CENTRIFUGO_CONTROLLER_TYPE',
  'CENTRIFUGO_CONTROLLER_POSTGRES_DSN',
  'CENTRIFUGO_CONTROLLER_POSTGRES_USE_NOTIFY',
];

/** Throws for a name that nobody knows, and for a value that cannot be read. */
function check(variables: Readonly<Record<string, string>>): void {
  optionsFromEnv(Object.fromEntries(Object.entries(variables).filter(([name]) => !CENTRIFUGOS_ALONE.includes(name))));
}

const seconds = (duration: string): number => Number(/^(\d+)s$/.exec(duration)![1]);
const nginx = readDeploy('nginx.conf');
const directive = (name: string): string => new RegExp(`^\\s*${name} ([^;]+);`, 'm').exec(nginx)![1]!;
const example = readEnvironment(readDeploy('.env.example'));
const helm = parse(snippetsOf('deploy/kubernetes.md').find(({ language }) => language === 'yaml')!.code) as {
  config: { admin: { enabled: boolean } };
  env: Record<string, string>;
  envSecret: { name: string; secretKeyRef: { name: string; key: string } }[];
  ingress: { annotations: Record<string, string>; hosts: { paths: string[] }[] };
  terminationGracePeriodSeconds: number;
};

describe.each(SET_UPS)('compose.%s.yml', (setUp) => {
  const compose = readCompose(setUp, GIVEN);
  const { centrifugo, nginx: proxy } = compose.services;
  const variables = nodeVariables(setUp, GIVEN);

  it('gives Centrifugo only variables that it knows, with values that it can read', () => {
    check(variables);
    expect(() => check({ ...variables, CENTRIFUGO_CLIENT_PINGINTERVAL: '25s' })).toThrow('PINGINTERVAL');
    expect(() => check({ ...variables, CENTRIFUGO_SHUTDOWN_TIMEOUT: '20' })).toThrow('SHUTDOWN_TIMEOUT');
  });

  it('gives the namespace what it has in development', () => {
    const namespace = (all: Record<string, string>) =>
      Object.fromEntries(Object.entries(all).filter(([name]) => name.includes('CHANNEL_NAMESPACES')));
    expect(namespace(variables)).toEqual(namespace(readEnvironment(readDocument('packages/realtime/.env.test'))));
  });

  it('does not start without the secrets and the origin', () => {
    for (const name of ['CENTRIFUGO_API_KEY', 'CENTRIFUGO_TOKEN_SECRET', 'SITE_ORIGIN'])
      expect(() => readCompose(setUp, { ...GIVEN, [name]: '' }), name).toThrow(name);
  });

  it('asks for nothing that .env.example does not have', () => {
    const asked = [...readDeploy(`compose.${setUp}.yml`).matchAll(/\$\{(\w+)/g)].map(([, name]) => name);
    expect(asked.filter((name) => !Object.hasOwn(example, name!))).toEqual([]);
  });

  it('has ports, names and files that fit together', () => {
    const { CENTRIFUGO_HTTP_SERVER_PORT: port, CENTRIFUGO_HTTP_SERVER_INTERNAL_PORT: internal } = variables;
    expect(centrifugo!.expose).toEqual([port, internal]);
    expect(centrifugo!.ports).toBeUndefined();
    expect(centrifugo!.healthcheck!.test).toContain(`http://127.0.0.1:${internal}/health`);
    expect(nginx).toContain(`server centrifugo:${port} `);
    expect(proxy!.ports).toEqual([`8080:${directive('listen')}`]);
    const volumes = Object.values(compose.services).flatMap((service) => service.volumes ?? []);
    for (const [source = ''] of volumes.map((volume) => volume.split(':')))
      if (source.startsWith('.')) expect(existsSync(join(ROOT, 'deploy', source)), source).toBe(true);
      else expect(Object.keys(compose.volumes!)).toContain(source);
    for (const service of Object.values(compose.services))
      for (const [name, { condition }] of Object.entries(service.depends_on ?? {})) {
        expect(condition).toBe('service_healthy');
        expect(compose.services[name]!.healthcheck, name).toBeTruthy();
      }
  });

  it('names the store by the name of its service', () => {
    const addresses = Object.entries(variables).filter(([name]) => /_(?:DSN|REDIS_ADDRESS)$/.test(name));
    expect(addresses.length).toBe({ single: 0, redis: 1, postgres: 2 }[setUp]);
    for (const [name, value] of addresses)
      expect(Object.keys(compose.services), name).toContain(new URL(value).hostname);
  });

  it('gives a node longer to end than it takes', () => {
    expect(seconds(centrifugo!.stop_grace_period!)).toBeGreaterThan(seconds(variables.CENTRIFUGO_SHUTDOWN_TIMEOUT!));
  });
});

it('.env.example has nothing that no file asks for', () => {
  const text = SET_UPS.map((setUp) => readDeploy(`compose.${setUp}.yml`)).join('\n');
  expect(Object.keys(example).filter((name) => !text.includes(`\${${name}`))).toEqual([]);
});

it('no secret stands in any file', () => {
  for (const name of ['CENTRIFUGO_API_KEY', 'CENTRIFUGO_TOKEN_SECRET', 'POSTGRES_PASSWORD'])
    expect(example[name]).toBe('');
});

describe('nginx.conf', () => {
  it('forwards connections and emulation, and answers 404 to everything else', () => {
    const locations = [...nginx.matchAll(/location ([^{]+) \{\s*([^;]+);/g)].map(([, path, what]) => [path, what]);
    expect(locations).toEqual([
      ['/connection/', 'proxy_pass http://centrifugo'],
      ['= /emulation', 'proxy_pass http://centrifugo'],
      ['/', 'return 404'],
    ]);
  });

  it('waits longer than the time in which a live connection says something', () => {
    const { CENTRIFUGO_CLIENT_PING_INTERVAL: ping, CENTRIFUGO_CLIENT_PONG_TIMEOUT: pong } = nodeVariables(
      'single',
      GIVEN,
    );
    for (const name of ['proxy_read_timeout', 'proxy_send_timeout'])
      expect(seconds(directive(name)), name).toBeGreaterThan(2 * seconds(ping!) + seconds(pong!));
  });

  it('keeps nothing back, and writes no query string to its log', () => {
    expect(directive('proxy_buffering')).toBe('off');
    expect(directive('log_format connections')).not.toMatch(
      /\$(?:request|request_uri|args|query_string|http_referer)\b/,
    );
  });
});

describe('kubernetes.md', () => {
  it('gives Centrifugo only variables that it knows, with values that it can read', () => {
    const secrets = Object.fromEntries(helm.envSecret.map(({ name }) => [name, 'a-secret']));
    check({ ...helm.env, ...secrets });
    expect(Object.values(helm.env).every((value) => typeof value === 'string')).toBe(true);
    expect(helm.config.admin.enabled).toBe(false);
  });

  it('takes from the secret what its first command puts in', () => {
    const made = [...readDeploy('kubernetes.md').matchAll(/--from-literal=([\w-]+)=/g)].map(([, key]) => key);
    expect(helm.envSecret.map(({ secretKeyRef }) => secretKeyRef.key)).toEqual(made);
  });

  it('makes the same promises as the Compose files', () => {
    const variables = nodeVariables('redis', GIVEN);
    for (const [name, value] of Object.entries(helm.env))
      if (name in variables && name !== 'CENTRIFUGO_CLIENT_ALLOWED_ORIGINS') expect(value, name).toBe(variables[name]);
    expect(helm.terminationGracePeriodSeconds).toBeGreaterThan(seconds(helm.env.CENTRIFUGO_SHUTDOWN_TIMEOUT!) + 5);
    expect(helm.ingress.hosts.flatMap(({ paths }) => paths)).toEqual(['/connection/', '/emulation']);
    const timeout = Number(helm.ingress.annotations['nginx.ingress.kubernetes.io/proxy-read-timeout']);
    expect(timeout).toBeGreaterThan(seconds(variables.CENTRIFUGO_CLIENT_PING_INTERVAL!));
  });
});

const binary = process.env.CENTRIFUGO_BIN || findCommand('centrifugo');
it.skipIf(!hasLane('centrifugo') || !binary)('a real Centrifugo has all names that only it has', () => {
  const known = execFileSync(binary!, ['defaultenv'], { encoding: 'utf8' });
  expect(CENTRIFUGOS_ALONE.filter((name) => !known.includes(`\n${name}=`))).toEqual([]);
});

const docker = LANES.compose.find();
it.skipIf(!hasLane('compose', docker)).each(SET_UPS)('Docker takes compose.%s.yml', async (setUp) => {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, ...GIVEN };
  const file = join(ROOT, 'deploy', `compose.${setUp}.yml`);
  await promisify(execFile)(docker!, ['compose', '-f', file, 'config', '--quiet'], { env });
});
