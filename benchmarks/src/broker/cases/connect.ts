import type { Figures, TargetAddress } from '../case.ts';
import { closeAll, connectAll, faults, type LoadClient, loadClients, openApi, pause, publishBody } from '../load.ts';
import { Meter } from '../meter.ts';
import { warmUpGenerator } from '../warm-up.ts';

const CONNECTIONS = 5000;
/** Handshakes under way at once. */
const CONCURRENCY = 100;

async function connectOnce(target: TargetAddress, clients: readonly LoadClient[]) {
  const meter = new Meter(target.pid);
  const sockets = await connectAll(target, clients, CONCURRENCY);
  const figures = {
    connectsPerSecond: meter.perSecond(CONNECTIONS),
    cpuMicrosPerConnect: meter.serverMicrosPer(CONNECTIONS),
    generatorShare: meter.generatorShare,
    faults: faults(sockets),
  };
  closeAll(sockets);
  return figures;
}

/**
 * Connects per second: the first of a fresh server, a second or two after its start, which is what is judged, and the same again once it is warm.
 */
export async function connectRate(target: TargetAddress): Promise<Figures> {
  await warmUpGenerator();
  const clients = loadClients(CONNECTIONS, (at) => [`trpc:own:${at}`]);
  const cold = await connectOnce(target, clients);
  await pause(1000);
  const warm = await connectOnce(target, clients);
  return {
    ...cold,
    warmConnectsPerSecond: warm.connectsPerSecond,
    warmCpuMicrosPerConnect: warm.cpuMicrosPerConnect,
    faults: cold.faults + warm.faults,
  };
}

/** The same at once, when the server has only just said that it is healthy. The generator is prepared before the server is started. */
export function connectAtOnce(target: TargetAddress): Promise<Figures> {
  return connectOnce(
    target,
    loadClients(CONNECTIONS, (at) => [`trpc:own:${at}`]),
  );
}

/** All clients come back at once, and recover what was published meanwhile. */
export async function reconnectStorm(target: TargetAddress): Promise<Figures> {
  const channel = 'trpc:storm';
  await warmUpGenerator();
  const clients = loadClients(CONNECTIONS, () => [channel]);
  const sockets = await connectAll(target, clients, CONCURRENCY);
  const returning = clients.map((client, at) => ({ ...client, position: sockets[at]!.position(channel) }));
  const [api] = openApi(target, 1);
  closeAll(sockets);
  for (let missed = 0; missed < 5; missed++)
    await new Promise<void>((resolve) => api!.post(publishBody(channel), resolve));
  api!.close();
  await pause(300);
  const meter = new Meter(target.pid);
  const back = await connectAll(target, returning, CONNECTIONS);
  const figures = {
    reconnectsPerSecond: meter.perSecond(CONNECTIONS),
    cpuMicrosPerReconnect: meter.serverMicrosPer(CONNECTIONS),
    generatorShare: meter.generatorShare,
    faults: faults(back) + back.filter((socket) => !socket.recovered).length,
  };
  closeAll(back);
  return figures;
}
