import { Channels } from '../src/core/channel.ts';

export const API_KEY = 'kill-api-key';
export const TOKEN_SECRET = 'kill-token-secret-of-more-than-32-bytes';

/** Small enough that transactions meet on one channel, and more than one so that they do not always. */
export const TOPICS = ['a', 'b', 'c'];
export const channelOf = (topic: string) => Channels.org(topic);

/** Mistakes that an outbox could be built with; each must be noticed. */
export const FAULTS = ['deletes-first', 'remembers-last-id', 'no-lock', 'publishes-before-commit'] as const;
export type Fault = (typeof FAULTS)[number];

/** What a process is given, as JSON in its environment. */
export interface ProcessSettings {
  readonly port: number;
  readonly databaseUrl: string;
  /** Of the server API, with the recorder in between. */
  readonly recordedApiUrl: string;
  /** The same without. */
  readonly apiUrl: string;
  readonly fault: Fault | null;
}

export const VARIABLE = 'KILL_SETTINGS';

/** What a process tells: that it serves, or which state its relay is in. */
export type Told = { readonly ready: true } | { readonly hasLock: boolean };

/** Inside a process: its settings. It ends when whoever started it does. */
export function settings(): ProcessSettings {
  process.on('disconnect', () => process.exit());
  return JSON.parse(process.env[VARIABLE] ?? '{}') as ProcessSettings;
}

export function tell(told: Told): void {
  process.send?.(told);
}
