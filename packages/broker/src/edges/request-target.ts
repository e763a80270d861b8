import { hasApiMethod } from '../core/api/api.ts';

// What a request asks for, from its target. Paths are cleaned as Go's `http.ServeMux` does it.

/** Path and query of a request target, which may be a whole URL. */
export function splitTarget(target: string): [path: string, query: string] {
  const local = target.replace(/^https?:\/\/[^/?]*/i, '');
  const at = local.indexOf('?');
  return at < 0 ? [local, ''] : [local.slice(0, at), local.slice(at + 1)];
}

/** A path with its percent encoding undone; an encoded slash stays as it is. `undefined` if the encoding is none. */
export function decodePath(path: string): string | undefined {
  if (!path.includes('%')) return path;
  try {
    return path
      .split('/')
      .map((segment) => decodeURIComponent(segment).replaceAll('/', '%2F'))
      .join('/');
  } catch {
    return undefined;
  }
}

/** The API method that a path names: the empty one for the prefix itself. */
export function apiMethodOf(path: string, handlerPrefix: string): string | undefined {
  const prefix = handlerPrefix.replace(/\/+$/, '');
  if (path === prefix) return '';
  const method = path.startsWith(`${prefix}/`) ? path.slice(prefix.length + 1) : '';
  return method !== '' && hasApiMethod(method) ? method : undefined;
}

/** The path without empty and dot segments. */
export function cleanPath(path: string): string {
  if (!path.includes('//') && !path.includes('/.')) return path;
  const segments: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  return `/${segments.join('/')}${path.endsWith('/') && segments.length > 0 ? '/' : ''}`;
}
