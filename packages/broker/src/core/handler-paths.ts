import { hasApiMethod } from './api/api.ts';
import { BrokerConfigError } from './errors.ts';

/** A path at which something is served. */
export interface HandlerPath {
  /** The option, for errors. */
  readonly where: string;
  readonly path: string;
  readonly isServed: boolean;
}

/** A path as it counts: without a slash at its end. */
export function trimPath(prefix: string): string {
  return prefix.replace(/\/+$/, '') || '/';
}

/**
 * Checks that every path is one, and that no two are the same. Centrifugo's paths may also name a method, a host or a wildcard, as Go's router has it.
 * @throws BrokerConfigError (`invalid_config`)
 */
export function checkHandlerPaths(api: HandlerPath, others: readonly HandlerPath[]): void {
  const taken = new Map<string, string>();
  for (const { where, path, isServed } of [api, ...others]) {
    if (!isServed) continue;
    if (!/^\/[^\s{}]*$/.test(path))
      throw new BrokerConfigError(`${where} must be a path: "/" and then neither spaces nor braces.`);
    const method = path.slice(api.path.length + 1);
    const isApi = api.isServed && path.startsWith(`${api.path}/`) && hasApiMethod(method);
    const owner = taken.get(path) ?? (isApi ? api.where : undefined);
    if (owner) throw new BrokerConfigError(`${where} is a path of ${owner} already. Choose another one.`);
    taken.set(path, where);
  }
}
