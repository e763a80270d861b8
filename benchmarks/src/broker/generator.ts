/** The load generator: a process of its own, told by its parent what to run against which address. */
import type { Figures, TargetAddress } from './case.ts';
import { BROKER_CASES } from './cases.ts';
import { SWEEPS } from './sweeps.ts';

/** `prepare` comes first, before there is a server, and is answered without figures. */
export type GeneratorOrder =
  | { readonly name: string; readonly prepare: true }
  | {
      /** A case, or a sweep. */
      readonly name: string;
      /** The size within a sweep. */
      readonly size?: number;
      readonly target: TargetAddress;
    };

export type GeneratorAnswer = { readonly figures: Figures } | { readonly failure: string };

async function run(order: GeneratorOrder): Promise<Figures> {
  const benchmark = BROKER_CASES.find((one) => one.name === order.name);
  if ('prepare' in order) {
    await benchmark?.prepare?.();
    return {};
  }
  const { name, size, target } = order;
  if (size !== undefined) return SWEEPS.find((one) => one.name === name)!.run(target, size);
  return benchmark!.run(target);
}

process.on('message', async (order: GeneratorOrder) => {
  const answer: GeneratorAnswer = await run(order).then(
    (figures) => ({ figures }),
    (error: unknown) => ({ failure: String(error) }),
  );
  process.send!(answer);
});
process.on('disconnect', () => process.exit());
