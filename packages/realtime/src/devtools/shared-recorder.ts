import { Recorder } from './recorder.ts';

const SLOT = Symbol.for('@op/realtime.recorder');

/** The page's recorder: what was recorded outlives a hot update, and a component that is mounted twice. */
export function sharedRecorder(): Recorder {
  const scope = globalThis as { [SLOT]?: Recorder };
  scope[SLOT] ??= new Recorder();
  return scope[SLOT];
}
