/** The load generator: a process of its own, told by its parent what to run against which address. */
import type { Figures, TargetAddress } from './case.ts';
import { BROKER_CASES } from './cases.ts';
import { SWEEPS } from './sweeps.ts';

export interface GeneratorOrder {
  /** A case, or a sweep. */
  readonly name: string;
  /** The size within a sweep. */
  readonly size?: number;
  readonly target: TargetAddress;
}

export type GeneratorAnswer = { readonly figures: Figures } | { readonly failure: string };

async function run({ name, size, target }: GeneratorOrder): Promise<Figures> {
  if (size !== undefined) return SWEEPS.find((one) => one.name === name)!.run(target, size);
  return BROKER_CASES.find((one) => one.name === name)!.run(target);
}

process.on('message', async (order: GeneratorOrder) => {
  const answer: GeneratorAnswer = await run(order).then(
    (figures) => ({ figures }),
    (error: unknown) => ({ failure: String(error) }),
  );
  process.send!(answer);
});
process.on('disconnect', () => process.exit());
