import type { Figures, TargetAddress } from './case.ts';
import { randomChannels } from './cases/channels.ts';
import { fanOutMax } from './cases/fan-out.ts';

/** How cost grows with work: the same case for several sizes. */
export interface Sweep {
  readonly name: string;
  readonly title: string;
  readonly sizeLabel: string;
  readonly sizes: readonly number[];
  readonly run: (target: TargetAddress, size: number) => Promise<Figures>;
}

const CONNECTIONS = 1000;

export const SWEEPS: readonly Sweep[] = [
  {
    name: 'subscribers',
    title: 'one channel',
    sizeLabel: 'subscribers of the channel',
    sizes: [100, 300, 1000, 3000, 10_000],
    run: fanOutMax,
  },
  {
    name: 'channels',
    title: '1,000 connections',
    sizeLabel: 'channels, published to at random',
    sizes: [1, 10, 100, 1000, 10_000, 100_000],
    run: (target, channels) => randomChannels(target, CONNECTIONS, channels),
  },
];
