import { remember, stopOwner } from '../broker-owner.ts';
import { type BrokerSettings, readBrokerSettings } from '../broker-settings.ts';
import { BROKERS } from '../brokers/index.ts';
import type { RunningBroker } from '../brokers/running-broker.ts';
import { CliError } from '../cli-error.ts';
import {
  type Availability,
  chooseEngine,
  ENGINE_TITLES,
  ENGINES,
  type Engine,
  type EngineChoice,
  parseEngine,
} from '../engine.ts';
import { labelled } from '../layout.ts';
import { portOwner } from '../port-owner.ts';
import { isHealthy, probePort } from '../port-probe.ts';
import { processIdentity } from '../process-identity.ts';
import { START_DECISIONS, type StartDecision } from '../start-decision.ts';
import { type BrokerState, claimState, readState, removeState, replaceState, stateFolder } from '../state-file.ts';
import { stopSignal } from '../stop-signals.ts';
import type { Terminal } from '../terminal.ts';

interface DevOptions {
  readonly engine?: string;
  readonly port?: string;
  readonly envFile?: string;
  readonly detach?: boolean;
}

/** How long a broker may take from start to its first healthy answer. */
const HEALTHY_WITHIN_MS = 30_000;
const POLL_MS = 20;
const LABEL_WIDTH = 'WebSocket '.length;

/** Starts a broker and, unless detached, stays until it ends. Resolves with the exit code. */
export async function dev(options: DevOptions, terminal: Terminal): Promise<number> {
  const settings = readBrokerSettings({ cwd: terminal.cwd, ...options });
  const forced = options.engine === undefined ? undefined : parseEngine(options.engine);
  const folder = stateFolder(terminal.env);

  for (;;) {
    const { decision, state } = await decide(settings, folder, terminal);
    if (decision === 'running') return reportRunning(settings, state, forced, terminal);
    if (decision !== 'start') continue;
    const choice = await pickEngine(forced, terminal);
    if (options.detach) {
      const { startDetached } = await import('../start-detached.ts');
      reportChoice(choice, settings, terminal);
      const progress = terminal.progress('starting');
      const start = { engine: choice.engine, settings, folder, terminal, healthyWithinMs: HEALTHY_WITHIN_MS };
      await startDetached(start).finally(() => progress.stop());
      return 0;
    }
    const claim = claimPort(choice.engine, settings, folder);
    if (!claim) continue; // another command was faster
    reportChoice(choice, settings, terminal);
    return runInForeground(claim, folder, settings, terminal);
  }
}

/** What is to be done, after waiting for somebody else's start. @throws CliError where nothing can be done */
async function decide(
  settings: BrokerSettings,
  folder: string,
  terminal: Terminal,
): Promise<{ decision: StartDecision; state: BrokerState | undefined }> {
  const { port, env, envFileName } = settings;
  const state = readState(folder, port);
  const [remembered, finding] = await Promise.all([
    remember(state, terminal.env),
    probePort(port, env.get('CENTRIFUGO_HTTP_API_KEY') ?? ''),
  ]);
  const decision = START_DECISIONS[remembered][finding];
  if (decision === 'taken') {
    const owner = portOwner(port);
    throw new CliError(
      'port_taken',
      `Port ${port} is taken by ${owner ?? 'another program'}, which is no broker with the API key of ${envFileName}. Stop it, or take another port with --port.`,
    );
  }
  if (decision === 'other-settings')
    throw new CliError(
      'port_taken',
      `A broker that was started with other settings runs on port ${port}. Stop it first: op-realtime down`,
    );
  if (decision === 'wait') {
    const progress = terminal.progress('waiting for the broker that is starting');
    await waitForStart(settings, folder, terminal).finally(() => progress.stop());
  }
  if (decision === 'start' && state) removeState(folder, port); // left behind by a crash
  return { decision, state };
}

async function waitForStart(settings: BrokerSettings, folder: string, terminal: Terminal): Promise<void> {
  const { port } = settings;
  const deadline = Date.now() + HEALTHY_WITHIN_MS;
  while (!(await isHealthy(port))) {
    if ((await remember(readState(folder, port), terminal.env)) !== 'running') return;
    if (Date.now() > deadline)
      throw new CliError(
        'start_failed',
        `A broker was started for port ${port}, and does not answer there. Stop it: op-realtime down`,
      );
    await pause();
  }
}

/** The engine to use; one whose preparation fails is passed over, unless it was forced. */
async function pickEngine(forced: Engine | undefined, terminal: Terminal): Promise<EngineChoice> {
  const found: Partial<Record<Engine, Availability>> = {};
  for (;;) {
    const missing = ENGINES.filter((engine) => !found[engine] && (!forced || engine === forced));
    await Promise.all(
      missing.map(async (engine) => {
        found[engine] = await BROKERS[engine].probe(terminal.env);
      }),
    );
    const choice = chooseEngine(found, forced);
    try {
      await BROKERS[choice.engine].prepare?.(terminal);
      return choice;
    } catch (error) {
      if (forced || !(error instanceof CliError)) throw error;
      found[choice.engine] = { available: false, because: error.message };
    }
  }
}

/** Takes the port for this process, until the broker's own process or container is known. `undefined` where somebody else has it. */
function claimPort(engine: Engine, { port, fingerprint }: BrokerSettings, folder: string): BrokerState | undefined {
  const identity = processIdentity(process.pid);
  if (!identity)
    throw new CliError('start_failed', 'This process cannot be told from others: /proc and ps are missing.');
  const claim: BrokerState = { engine, port, fingerprint, owner: { kind: 'process', pid: process.pid, identity } };
  return claimState(folder, claim) ? claim : undefined;
}

async function runInForeground(
  claim: BrokerState,
  folder: string,
  settings: BrokerSettings,
  terminal: Terminal,
): Promise<number> {
  const { engine, port } = claim;
  const stop = stopSignal();
  let broker: RunningBroker | undefined;
  try {
    broker = await BROKERS[engine].start(settings, terminal.env);
    replaceState(folder, { ...claim, owner: broker.owner });
    const ended = broker.ended.then((how) => ({ how }));
    const stopped = new Promise<'stopped'>((resolve) => {
      if (stop.aborted) resolve('stopped');
      stop.addEventListener('abort', () => resolve('stopped'), { once: true });
    });
    const healthy = await Promise.race([untilHealthy(port), ended, stopped]);
    if (healthy === 'healthy') reportReady(settings, terminal);
    const end = healthy === 'healthy' ? await Promise.race([ended, stopped]) : healthy;
    if (end === 'stopped') await broker.stop();
    else if (!/^(exit code 0|signal SIG(TERM|INT|HUP))$/.test(end.how) || healthy !== 'healthy')
      throw new CliError('start_failed', `${ENGINE_TITLES[engine]} ended with ${end.how}. Its own words are above.`);
    terminal.out(terminal.style.dim('Stopped.'));
    return 0;
  } catch (error) {
    if (broker) await stopOwnerUnlessSelf(broker, terminal);
    throw error;
  } finally {
    removeState(folder, port);
  }
}

async function stopOwnerUnlessSelf(broker: RunningBroker, terminal: Terminal): Promise<void> {
  const { owner } = broker;
  if (owner.kind === 'process' && owner.pid === process.pid) await broker.stop();
  else await stopOwner(owner, terminal.env);
}

/** @throws CliError `start_failed` after the deadline */
async function untilHealthy(port: number): Promise<'healthy'> {
  const deadline = Date.now() + HEALTHY_WITHIN_MS;
  while (!(await isHealthy(port))) {
    if (Date.now() > deadline)
      throw new CliError(
        'start_failed',
        `No healthy answer on port ${port} within ${HEALTHY_WITHIN_MS / 1000} seconds. What the broker says of itself is above.`,
      );
    await pause();
  }
  return 'healthy';
}

const pause = () => new Promise((resolve) => setTimeout(resolve, POLL_MS));

function reportChoice({ engine, why }: EngineChoice, settings: BrokerSettings, terminal: Terminal): void {
  const { port, envFileName } = settings;
  const { columns, style } = terminal;
  const row = (label: string, text: string) =>
    terminal.out(labelled(label, text, { labelWidth: LABEL_WIDTH, columns, paint: style.bold }));
  row('Engine', `${ENGINE_TITLES[engine]} ${style.dim(`(${why})`)}`);
  row('Settings', envFileName);
  row('Broker', `http://localhost:${port}`);
  row('WebSocket', `ws://localhost:${port}/connection/websocket`);
}

function reportReady({ port }: BrokerSettings, { out, style }: Terminal): void {
  out(`${style.green('Ready.')} ${style.dim(`Ctrl-C stops it${port === 8000 ? ', so does op-realtime down' : ''}.`)}`);
}

function reportRunning(
  settings: BrokerSettings,
  state: BrokerState | undefined,
  forced: Engine | undefined,
  { out }: Terminal,
): number {
  const { port, fingerprint, envFileName } = settings;
  if (!state) {
    out(
      `A broker with the API key of ${envFileName} already runs on http://localhost:${port}. This command did not start it.`,
    );
    return 0;
  }
  if (forced && forced !== state.engine)
    throw new CliError(
      'other_engine',
      `The ${ENGINE_TITLES[state.engine]} already runs on port ${port}. To change to ${forced}: op-realtime down, then dev again.`,
    );
  out(`The ${ENGINE_TITLES[state.engine]} already runs on http://localhost:${port}.`);
  if (state.fingerprint !== fingerprint)
    out(`${envFileName} has changed since. For the new settings: op-realtime down, then dev again.`);
  return 0;
}
