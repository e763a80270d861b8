/**
 * A broker in memory, a clock that stands still, faults on demand, and matchers.
 *
 * Imported by an app's tests, with any test runner.
 *
 * @module
 */

export {
  createTestRealtime,
  type TestClient,
  type TestClientOptions,
  type TestRealtime,
  type TestRealtimeOptions,
} from './create-test-realtime.ts';
export { type RealtimeMatchers, realtimeMatchers } from './matchers.ts';
export { MemoryBroker } from './memory-broker.ts';
export { createRecorder, type Recorder } from './recorder.ts';
export { seededRandom } from './seeded-random.ts';
export type { TestTokenClaims } from './test-token.ts';
export { VirtualClock } from './virtual-clock.ts';
export type { WireFaults } from './wire-fate.ts';
