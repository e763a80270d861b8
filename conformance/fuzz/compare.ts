import { isDeepStrictEqual } from 'node:util';
import { type Observation, Player } from './play.ts';
import type { Program } from './program.ts';

/** How long what differs may still become equal: closes and pushes of another client's making have no moment of their own. */
const PATIENCE_MS = 20_000;

export interface Difference {
  readonly expected: unknown;
  readonly actual: unknown;
  /** What both sides said. */
  readonly report: string;
}

/** The first place where two observations differ, as a path with both values; nothing when they are equal. */
export function firstDifference(expected: unknown, actual: unknown, path = ''): string | undefined {
  if (isDeepStrictEqual(expected, actual)) return undefined;
  if (typeof expected === 'object' && typeof actual === 'object' && expected !== null && actual !== null) {
    for (const key of new Set([...Object.keys(expected), ...Object.keys(actual)])) {
      const found = firstDifference(
        (expected as Record<string, unknown>)[key],
        (actual as Record<string, unknown>)[key],
        `${path}.${key}`,
      );
      if (found) return found;
    }
  }
  return `at ${path || 'the top'}: Centrifugo ${JSON.stringify(expected)}, embedded ${JSON.stringify(actual)}`;
}

/** Plays a program on both servers, and says where they differ. */
export async function compareServers(
  program: Program,
  real: string,
  embedded: string,
  unique: string,
): Promise<string | undefined> {
  const [left, right] = [new Player(real, unique), new Player(embedded, unique)];
  try {
    await Promise.all([left.play(program), right.play(program)]);
    return await untilEqual(
      program,
      () => left.observe(),
      () => right.observe(),
      () => `Centrifugo\n${left.transcript()}\n\nembedded\n${right.transcript()}`,
    );
  } finally {
    left.end();
    right.end();
  }
}

/** Plays a program on one server, and says where it differs from what was recorded of the other. */
export async function compareWithRecording(
  program: Program,
  recorded: Observation,
  node: string,
  unique: string,
): Promise<string | undefined> {
  const player = new Player(node, unique);
  try {
    await player.play(program);
    return await untilEqual(
      program,
      async () => recorded,
      () => player.observe(),
      () => `embedded\n${player.transcript()}`,
    );
  } finally {
    player.end();
  }
}

/**
 * Where both servers closed a socket alike, what it was told last may differ: Centrifugo closes beside the reading of commands, so how many of those behind the
 * fatal one are still answered is a matter of time, and where two of them are fatal, which of them wins. Only what both told is compared.
 */
function withoutLastWords(left: Observation, right: Observation): [unknown, unknown] {
  const cut = (one: Observation, other: Observation): unknown => ({
    ...one,
    sockets: one.sockets.map(({ endsWithBatch, ...socket }, index) => {
      const twin = other.sockets[index];
      if (!twin?.close || !socket.close) return socket;
      const isRace = endsWithBatch && twin.endsWithBatch;
      if (!isRace && socket.close.code !== twin.close.code) return socket;
      const pushes = Object.entries(socket.pushes).map(([channel, list]) => [
        channel,
        list.slice(0, twin.pushes[channel]?.length ?? 0),
      ]);
      return {
        ...socket,
        ...(isRace && { close: undefined }),
        replies: socket.replies.slice(0, twin.replies.length),
        pushes: Object.fromEntries(pushes.filter(([, list]) => list?.length)),
      };
    }),
  });
  return [cut(left, right), cut(right, left)];
}

/**
 * A call about all connections of a user takes them in no particular order, so which of them still hears of which other's coming or going is chance: such
 * programs are compared without joins and leaves.
 */
function hasCallsAboutCrowds(program: Program): boolean {
  return program.some(
    (step) =>
      step.kind === 'api' &&
      /subscribe|disconnect|refresh/.test(step.path + step.body) &&
      !step.body.includes('"client":"%client'),
  );
}

function withoutJoins(observation: Observation): Observation {
  const isJoin = (push: unknown): boolean =>
    typeof push === 'object' && push !== null && ('join' in push || 'leave' in push);
  return {
    ...observation,
    sockets: observation.sockets.map((socket) => {
      const pushes = Object.entries(socket.pushes).map(
        ([channel, list]) => [channel, list.filter((push) => !isJoin(push))] as const,
      );
      return { ...socket, pushes: Object.fromEntries(pushes.filter(([, list]) => list.length)) };
    }),
  };
}

async function untilEqual(
  program: Program,
  left: () => Promise<Observation>,
  right: () => Promise<Observation>,
  report: () => string,
): Promise<string | undefined> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    // Through JSON, as recordings are: what is undefined is absent.
    const kept = hasCallsAboutCrowds(program) ? withoutJoins : (one: Observation) => one;
    const observations = withoutLastWords(kept(await left()), kept(await right()));
    const [expected, actual] = observations.map((one) => JSON.parse(JSON.stringify(one)) as unknown);
    const difference = firstDifference(expected, actual);
    if (!difference) return undefined;
    if (Date.now() > deadline) return `${difference}\n\n${report()}`;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
