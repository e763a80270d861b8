import { FakeApi } from '../../../packages/realtime/test/fake-api.ts';

/** Stands where the broker would be, and writes down what it is told: one line each. */
export interface Recorder {
  /** What was told since `forget`, in alphabetical order; questions are left out. */
  told(): string[];
  forget(): void;
  /** Answers nothing from now on, as a broker that hangs. */
  hang(): void;
  close(): Promise<void>;
}

/** Starts it, and points `realtime` to it. */
export async function startRecorder(): Promise<Recorder> {
  const api = await FakeApi.start();
  process.env.CENTRIFUGO_API_URL = api.url;
  process.env.CENTRIFUGO_API_KEY = 'a-key-of-this-test';
  process.env.CENTRIFUGO_TOKEN_SECRET = 'a-secret-of-this-test-and-of-nothing-else';
  return {
    told: () =>
      api.requests
        .flatMap(({ method, body }) => (method === 'batch' ? body.commands : [{ [method]: body }]))
        .flatMap((command) => Object.entries<Record<string, unknown>>(command))
        .flatMap(([name, { channel, user }]) => {
          if (name === 'publish') return `${channel}`;
          return name === 'unsubscribe' || name === 'disconnect' ? `${name} ${user} ${channel ?? ''}`.trim() : [];
        })
        .sort(),
    forget() {
      api.requests.length = 0;
    },
    hang() {
      api.handler = () => 'hang';
    },
    close: () => api.close(),
  };
}
