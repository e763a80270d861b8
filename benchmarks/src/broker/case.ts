/** What a case measures, by name; every figure's unit is in its name. */
export type Figures = Readonly<Record<string, number>>;

/** Where the target listens, and which process pays for it. */
export interface TargetAddress {
  readonly port: number;
  readonly pid: number;
}

/** One row of the comparison: how to load a server, and what the ratio to Centrifugo must and should be. */
export interface BrokerCase {
  readonly name: string;
  readonly title: string;
  /** Cases that need history, tokens or recovery mean nothing on the bare forwarder. */
  readonly onForwarder: boolean;
  /** What the generator does before the server is started. */
  readonly prepare?: () => Promise<void>;
  readonly run: (target: TargetAddress) => Promise<Figures>;
  /** For each figure that is judged: which way is better, and the ratio (better / Centrifugo) or absolute bound to reach. */
  readonly goals: readonly Goal[];
}

export type Goal =
  | {
      readonly figure: string;
      readonly better: 'higher' | 'lower';
      readonly mustRatio: number;
      readonly aimRatio: number;
    }
  | { readonly figure: string; readonly mustAtMost: number; readonly aimAtMost: number };
