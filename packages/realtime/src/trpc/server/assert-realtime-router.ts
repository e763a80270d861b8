import type { AnyTRPCRouter } from '@trpc/server';
import { ConfigError } from '../../core/errors.ts';
import { isOutputFirst } from './trpc-internals.ts';

/**
 * Call it once at start. Throws where `.output()` stands before the first of our middlewares: the validator would then see the metadata in the place of the data,
 * and fail, or with a lenient schema drop the data silently. Put `base` on the base procedure, or `.output()` last. Lazily loaded routers are not looked into.
 *
 * @throws ConfigError (`invalid_config`) that names the procedures
 */
export function assertRealtimeRouter(router: AnyTRPCRouter): void {
  const wrong = Object.entries(router._def.procedures).flatMap(([path, procedure]) =>
    isOutputFirst(procedure) ? [path] : [],
  );
  if (wrong.length > 0)
    throw new ConfigError(
      `.output() must come after watches() and touches(), or base must be on the base procedure. Wrong order in: ${wrong.join(', ')}.`,
    );
}
