import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A `docker` command for machines without an engine: it takes the calls that `op-realtime` makes, and its "container" is a small HTTP server
 * that keeps the promises of `/health` and `/api/info`. It shows what we ask Docker for, not that Docker does it.
 * @returns the folder to put first on PATH
 */
export function createDockerStandIn(folder: string, options: { pullFails?: boolean } = {}): string {
  const bin = join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  const program = `#!${process.execPath}
const fs = require('node:fs'), http = require('node:http');
const folder = ${JSON.stringify(folder)}, [verb, ...rest] = process.argv.slice(2);
fs.appendFileSync(folder + '/docker.log', process.argv.slice(2).join(' ') + '\\n');
const last = rest.at(-1), file = (name) => folder + '/container-' + name;
const running = (name) => { try { process.kill(Number(fs.readFileSync(file(name))), 0); return true } catch { return false } };
if (verb === 'version') console.log('99.0');
else if (verb === 'image') process.exit(fs.existsSync(folder + '/image') ? 0 : 1);
else if (verb === 'pull') {
  if (${options.pullFails === true}) { console.error('no route to the registry'); process.exit(1); }
  fs.writeFileSync(folder + '/image', '');
} else if (verb === 'inspect') { if (!running(last)) process.exit(1); console.log('true'); }
else if (verb === 'rm' || verb === 'stop') {
  if (!running(last)) process.exit(1);
  process.kill(Number(fs.readFileSync(file(last))), 'SIGTERM');
  const wait = setInterval(() => { if (!running(last)) { clearInterval(wait); fs.rmSync(file(last), { force: true }); } }, 10);
} else if (verb === 'run') {
  const value = (flag) => rest[rest.indexOf(flag) + 1], name = value('--name');
  const key = /^CENTRIFUGO_HTTP_API_KEY=(.*)$/m.exec(fs.readFileSync(value('--env-file'), 'utf8'))[1];
  fs.writeFileSync(file(name), String(process.pid));
  http.createServer((request, response) => {
    const ok = request.url === '/health' || request.headers['x-api-key'] === key;
    response.writeHead(ok ? 200 : 401, { connection: 'close' }).end(request.url === '/health' ? '{}' : '{"result":{}}');
  }).listen(Number(value('--publish').split(':')[1]), '127.0.0.1');
  process.on('SIGTERM', () => process.exit(0));
  process.on('SIGINT', () => process.exit(0));
}
`;
  writeFileSync(join(bin, 'docker'), program);
  writeFileSync(join(bin, 'package.json'), '{"type":"commonjs"}'); // whatever lies in a folder above
  chmodSync(join(bin, 'docker'), 0o755);
  return bin;
}
