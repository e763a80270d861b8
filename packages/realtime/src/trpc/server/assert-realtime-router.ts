import type { AnyTRPCRouter } from '@trpc/server';
import { ConfigError } from '../../core/errors.ts';
import { middlewareTypes, REALTIME_TYPE, WATCHES_TYPE } from './call-runner.ts';

/**
 * Call it once at start. Throws where `.output()` stands before the first of our middlewares: the validator would then see the metadata in the place of the data,
 * and fail, or with a lenient schema drop the data silently. Put `base` on the base procedure, or `.output()` last. Lazily loaded routers are not looked into.
 *
 * @throws ConfigError (`invalid_config`) that names the procedures
 */
export function assertRealtimeRouter(router: AnyTRPCRouter): void {
  const wrong = Object.entries(router._def.procedures).flatMap(([path, procedure]) =>
    isOutputFirst(middlewareTypes(procedure)) ? [path] : [],
  );
  if (wrong.length > 0)
    throw new ConfigError(
      `.output() must come after watches() and touches(), or base must be on the base procedure. Wrong order in: ${wrong.join(', ')}.`,
    );
}

function isOutputFirst(types: readonly (string | undefined)[]): boolean {
  const ours = types.findIndex((type) => type === REALTIME_TYPE || type === WATCHES_TYPE);
  return ours >= 0 && types.slice(0, ours).includes('output');
}
