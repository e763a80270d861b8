import { isRecord } from '../../core/is-record.ts';
import { readSetting, VARIABLES } from '../../doctor/settings.ts';
import { createApiClient, unexpectedAnswer } from '../../server/api-client.ts';
import { callClock } from '../../server/deadline.ts';
import { readAppSettings } from '../app-settings.ts';
import { describeDuration } from '../duration.ts';
import { labelled } from '../layout.ts';
import { printable } from '../printable.ts';
import type { Terminal } from '../terminal.ts';

interface InfoOptions {
  readonly envFile?: string | undefined;
  readonly isJson?: boolean;
}

/** One node of the broker, as its server API tells. */
interface BrokerNode {
  readonly name: string;
  readonly version: string;
  readonly uptimeSeconds: number;
  readonly connections: number;
  readonly users: number;
  readonly channels: number;
  readonly subscriptions: number;
}

const TIMEOUT_MS = 5_000;

/** Shows the nodes of the broker. */
export async function info(options: InfoOptions, terminal: Terminal): Promise<number> {
  const { env } = readAppSettings(options.envFile, terminal);
  const api = createApiClient({
    address: readSetting(env, 'apiUrl'),
    key: readSetting(env, 'apiKey'),
    keyName: VARIABLES.apiKey,
    fetch,
    clock: callClock,
  });
  const progress = terminal.progress('asking the broker');
  const { nodes: answer } = await api.call('info', {}, TIMEOUT_MS).finally(() => progress.stop());
  if (!Array.isArray(answer)) throw unexpectedAnswer('info');
  const nodes = answer.filter(isRecord).map(toNode);
  terminal.out(options.isJson ? JSON.stringify({ nodes }, null, 2) : describe(nodes, terminal));
  return 0;
}

function toNode(node: Record<string, unknown>): BrokerNode {
  const text = (value: unknown) => (typeof value === 'string' ? value : '');
  const count = (value: unknown) => (typeof value === 'number' && value >= 0 ? value : 0);
  return {
    name: text(node.name),
    version: text(node.version),
    uptimeSeconds: count(node.uptime),
    connections: count(node.num_clients),
    users: count(node.num_users),
    channels: count(node.num_channels),
    subscriptions: count(node.num_subs),
  };
}

function describe(nodes: readonly BrokerNode[], { columns, style }: Terminal): string {
  const labelWidth = 'Subscriptions'.length;
  const row = (label: string, text: string) => labelled(label, text, { labelWidth, columns, paint: style.bold });
  const blocks = nodes.map((node) =>
    [
      row(
        'Node',
        `${printable(node.name) || '(without a name)'} ${style.dim(`(Centrifugo ${printable(node.version)})`)}`,
      ),
      row('Uptime', describeDuration(node.uptimeSeconds)),
      row('Connections', `${node.connections}, of ${node.users} ${node.users === 1 ? 'user' : 'users'}`),
      row('Channels', String(node.channels)),
      row('Subscriptions', String(node.subscriptions)),
    ].join('\n'),
  );
  if (nodes.length > 1) {
    const connections = nodes.reduce((sum, node) => sum + node.connections, 0);
    blocks.push(row('Together', `${nodes.length} nodes, ${connections} connections`));
  }
  return blocks.join('\n\n');
}
