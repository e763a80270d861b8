import { describe, expect, it } from 'vitest';
import { apiMethodOf, cleanPath, decodePath, splitTarget } from './request-target.ts';

describe('a request target', () => {
  it.each([
    ['/api/publish', '/api/publish', ''],
    ['/api?api_key=a?b', '/api', 'api_key=a?b'],
    ['http://broker:8000/api?x', '/api', 'x'],
    ['HTTPS://broker', '', ''],
    ['', '', ''],
  ])('%s has the path "%s" and the query "%s"', (target, path, query) => {
    expect(splitTarget(target)).toEqual([path, query]);
  });

  it.each([
    ['/a%20b', '/a b'],
    ['/a%2Fb', '/a%2Fb'],
    ['/%C3%A9', '/é'],
    ['/%', undefined],
    ['/%C3', undefined],
  ])('the path %s is decoded to %s', (path, decoded) => {
    expect(decodePath(path)).toBe(decoded);
  });

  it.each([
    ['/api', '/api'],
    ['//api//publish', '/api/publish'],
    ['/a/../api/./publish', '/api/publish'],
    ['/../..', '/'],
    ['/a//', '/a/'],
    ['//', '/'],
  ])('the path %s is cleaned to %s', (path, clean) => {
    expect(cleanPath(path)).toBe(clean);
  });

  it.each([
    ['/api', '/api', ''],
    ['/api', '/api/', ''],
    ['/api/publish', '/api', 'publish'],
    ['/api/publish', '/api/', 'publish'],
    ['/api/nothing', '/api', undefined],
    ['/apipublish', '/api', undefined],
    ['/publish', '', 'publish'],
  ])('%s under the prefix %s asks for the API method %s', (path, prefix, method) => {
    expect(apiMethodOf(path, prefix)).toBe(method);
  });
});
