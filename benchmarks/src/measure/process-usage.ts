import { readFileSync } from 'node:fs';

/** Linux counts a process's CPU time in ticks of this length. */
const TICK_MS = 10;
const PAGE_BYTES = 4096;

/** User and system CPU time that the process has used so far, in milliseconds (steps of 10). Linux only. */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The second field is the command in parentheses and may hold spaces; count from behind it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** Resident memory of the process in bytes. Linux only. */
export function residentBytes(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]) * PAGE_BYTES;
}
