import { request } from 'node:http';
import { connect } from 'node:net';
import type { PortFinding } from './start-decision.ts';

const ANSWER_MS = 2_000;

/** What answers on a port of this machine, on IPv4 or IPv6 (`localhost` means both). */
export async function probePort(port: number, apiKey: string): Promise<PortFinding> {
  const hosts = ['127.0.0.1', '::1'];
  const open = await Promise.all(hosts.map((host) => accepts(host, port)));
  const host = hosts.find((_, index) => open[index]);
  if (!host) return 'free';
  return (await acceptsKey(host, port, apiKey)) ? 'ours' : 'foreign';
}

/** Whether the broker on this port says that it is well. */
export async function isHealthy(port: number): Promise<boolean> {
  const answer = await ask({ host: '127.0.0.1', port, path: '/health', method: 'GET' });
  return answer?.status === 200;
}

/** A broker with the same key is the one that the env file describes, whoever started it. */
async function acceptsKey(host: string, port: number, apiKey: string): Promise<boolean> {
  const headers = { 'X-API-Key': apiKey, 'Content-Type': 'application/json' };
  const answer = await ask({ host, port, path: '/api/info', method: 'POST', headers }, '{}');
  if (answer?.status !== 200) return false;
  try {
    const body: unknown = JSON.parse(answer.body);
    return typeof body === 'object' && body !== null && 'result' in body;
  } catch {
    return false;
  }
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const settle = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(ANSWER_MS, () => settle(true)); // somebody holds it, without accepting
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
  });
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

/** `node:http` and not `fetch`, which costs 30 ms to load. `undefined` where nobody answers, or not in HTTP, or not in time. */
function ask(
  options: { host: string; port: number; path: string; method: string; headers?: Record<string, string> },
  body?: string,
): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    const call = request({ ...options, agent: false, timeout: ANSWER_MS }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        if (chunks.length > 1_000) call.destroy();
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
      );
      response.on('error', () => resolve(undefined));
    });
    call.on('timeout', () => call.destroy());
    call.on('error', () => resolve(undefined));
    call.on('close', () => resolve(undefined));
    call.end(body);
  });
}
