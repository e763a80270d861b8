import { residentBytes } from '../../measure/process-usage.ts';
import type { Figures, TargetAddress } from '../case.ts';
import { closeAll, connectTo, faults, pause } from '../load.ts';

const CONNECTIONS = 5000;

/** Resident memory that a connection with one channel adds. */
export async function idleMemory(target: TargetAddress): Promise<Figures> {
  // A hundred connections first: code and tables that a server loads once are not the price of a connection.
  const first = await connectTo(target, 100, (at) => `trpc:warm:${at}`);
  await pause(500);
  const before = residentBytes(target.pid);
  const sockets = await connectTo(target, CONNECTIONS, (at) => `trpc:idle:${at}`);
  await pause(2000);
  const figures = {
    kilobytesPerConnection: (residentBytes(target.pid) - before) / CONNECTIONS / 1000,
    faults: faults(sockets),
  };
  closeAll([...first, ...sockets]);
  return figures;
}
