import { SERVER_VERSION } from './commands/connect.ts';
import type { Engine } from './engine.ts';
import { type ProxyCalls, ProxyMetrics } from './proxy-metrics.ts';

/** What has happened so far. The engine counts; reading makes the text. */
export class Metrics {
  publications = 0;
  joins = 0;
  leaves = 0;
  readonly proxies = new ProxyMetrics();
  readonly #disconnects = new Map<number, number>();
  readonly #apiCalls = new Map<string, { count: number; ms: number }>();

  countDisconnect(code: number): void {
    this.#disconnects.set(code, (this.#disconnects.get(code) ?? 0) + 1);
  }

  /** @param method of the server API, also inside a batch */
  countApiCall(method: string, ms: number): void {
    let calls = this.#apiCalls.get(method);
    if (!calls) {
      calls = { count: 0, ms: 0 };
      this.#apiCalls.set(method, calls);
    }
    calls.count++;
    calls.ms += ms;
  }

  /** All metrics in Prometheus' text format, under Centrifugo's names where they mean the same. */
  text({ hub, startedAtMs }: Engine, { rssBytes, cpuSeconds }: ProcessUse): string {
    const inflight = new Map<string, number>();
    for (const { peer, introduction } of hub.sessions.values()) {
      const labels = clientLabels(peer.transport, introduction);
      inflight.set(labels, (inflight.get(labels) ?? 0) + 1);
    }
    return [
      gauge('centrifugo_node_num_clients', 'Connected clients.', hub.sessions.size),
      gauge('centrifugo_node_num_users', 'Different users among them.', hub.userCount),
      gauge('centrifugo_node_num_channels', 'Channels with subscribers.', [...hub.activeChannels()].length),
      gauge('centrifugo_node_num_subscriptions', 'Subscriptions of all clients.', hub.subscriptionCount),
      gauge('centrifugo_node_num_nodes', 'Servers that work together; the embedded broker is alone.', 1),
      family('centrifugo_client_connections_inflight', 'gauge', 'Connected clients by transport.', [...inflight]),
      gauge('centrifugo_node_build', 'The version that clients are told.', 1, `{version="${SERVER_VERSION}"}`),
      family('centrifugo_node_messages_sent_count', 'counter', 'Messages published into channels.', this.#messages()),
      family('centrifugo_node_messages_received_count', 'counter', 'The same: there is one node.', this.#messages()),
      this.#apiDurations(),
      family(
        'centrifugo_client_num_server_disconnects',
        'counter',
        'Connections closed by the server, by code.',
        label('code', this.#disconnects),
      ),
      this.#proxyCalls(),
      family('process_cpu_seconds_total', 'counter', 'CPU time of the process.', [['', cpuSeconds]]),
      gauge('process_resident_memory_bytes', 'Memory of the process.', rssBytes),
      gauge('process_start_time_seconds', 'When the broker was started.', startedAtMs / 1000),
    ].join('');
  }

  #messages(): Sample[] {
    const counts = { publication: this.publications, join: this.joins, leave: this.leaves };
    return Object.entries(counts).map(([type, count]) => [`{channel_namespace="",type="${type}"}`, count]);
  }

  #apiDurations(): string {
    if (this.#apiCalls.size === 0) return '';
    const samples = [...this.#apiCalls].flatMap(([method, { count, ms }]): Sample[] => {
      const labels = `{method="${method}",protocol="http"}`;
      return [
        [`_sum${labels}`, ms / 1000],
        [`_count${labels}`, count],
      ];
    });
    return family('centrifugo_api_command_duration_seconds', 'summary', 'Time of calls of the server API.', samples);
  }

  #proxyCalls(): string {
    const { byLabels } = this.proxies;
    if (byLabels.size === 0) return '';
    const samples = (pick: (calls: Readonly<ProxyCalls>) => number, suffix = ''): Sample[] =>
      [...byLabels].map(([labels, calls]) => [`${suffix}{${labels}}`, pick(calls)]);
    return [
      family('centrifugo_proxy_duration_seconds', 'summary', 'Time of calls of the application.', [
        ...samples(({ seconds }) => seconds, '_sum'),
        ...samples(({ count }) => count, '_count'),
      ]),
      family(
        'centrifugo_proxy_errors',
        'counter',
        'Calls without an answer.',
        samples(({ errors }) => errors),
      ),
      family(
        'centrifugo_proxy_inflight_requests',
        'gauge',
        'Calls under way.',
        samples(({ inflight }) => inflight),
      ),
    ].join('');
  }
}

/** What the process has used. */
interface ProcessUse {
  readonly rssBytes: number;
  readonly cpuSeconds: number;
}

type Sample = readonly [labels: string, value: number];

/** Names and versions come from clients, so what they are is not told, but only whether they are: as Centrifugo does where none are registered. */
function clientLabels(transport: string, introduction: number): string {
  const name = introduction & 1 ? 'unregistered' : 'unnamed';
  const version = introduction & 2 ? 'unregistered' : 'unversioned';
  return `{accept_protocol="",client_name="${name}",client_version="${version}",transport="${transport}"}`;
}

function label(name: string, values: ReadonlyMap<string | number, number>): Sample[] {
  return [...values].map(([key, value]) => [`{${name}="${key}"}`, value]);
}

function gauge(name: string, help: string, value: number, labels = ''): string {
  return family(name, 'gauge', help, [[labels, value]]);
}

function family(name: string, type: 'gauge' | 'counter' | 'summary', help: string, samples: readonly Sample[]): string {
  const lines = samples.map(([labels, value]) => `${name}${labels} ${value}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}
