import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, it } from 'vitest';
import { documents, filesOf, ROOT, snippetsOf } from '../markdown.ts';
import { account } from './account.ts';

/** Inside the package, so that a snippet finds `@op/realtime` and its peers by their names; git-ignored. */
const base = join(ROOT, 'packages/realtime/.realtime');
mkdirSync(base, { recursive: true });
const folder = mkdtempSync(join(base, 'snippets-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What the snippets leave to the reader: the user of the session, their tRPC client, and their own data. */
const SURROUNDINGS = {
  'surroundings.d.ts': 'declare const userId: string;\n',
  'trpc.ts':
    'export const trpc = { realtime: { getToken: { query: async (): Promise<{ token: string }> => ({ token: "" }) } } };\n',
  'server/app.ts': `
    export interface Post { readonly id: string; readonly orgId: string; readonly text: string }
    export declare function userOf(req: Request): Promise<{ readonly id: string } | null>;
    export declare function isMember(userId: string, channel: string): Promise<boolean>;
    export declare function assertMember(userId: string, orgId: string): Promise<void>;
    export declare const posts: {
      list(orgId: string): Promise<readonly Post[]>;
      create(orgId: string, text: string): Promise<Post>;
      remove(id: string, userId: string): Promise<Post>;
    };
  `,
};

/** Of the many lines of a thing, one: no program, and marked as such. */
const isSketch = (code: string) => code.includes('…');

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

it('every TypeScript snippet of the documents compiles as printed', async (context) => {
  const places = new Map<string, string>();
  for (const document of documents()) {
    const name = document.replace(/\W/g, '-');
    for (const [file, text] of Object.entries({ ...SURROUNDINGS, ...filesOf(document) })) write(join(name, file), text);
    for (const [index, snippet] of snippetsOf(document).entries()) {
      if (!['ts', 'tsx', 'typescript'].includes(snippet.language) || isSketch(snippet.code)) continue;
      const path = join(name, snippet.file ?? `${index}.${snippet.language === 'tsx' ? 'tsx' : 'ts'}`);
      expect(places.has(path), `${snippet.where} names a file that another snippet has`).toBe(false);
      places.set(path, snippet.where);
      account(context, 'compiled', snippet);
      // A snippet that imports nothing is a module all the same.
      write(path, /^(?:import|export) /m.test(snippet.code) ? snippet.code : `${snippet.code}\nexport {};\n`);
    }
  }
  expect(places.size).toBeGreaterThan(4);
  const tsconfig = {
    extends: join(ROOT, 'tsconfig.base.json'),
    compilerOptions: {
      noUnusedLocals: false,
      noUnusedParameters: false,
      types: ['node'],
      typeRoots: [join(ROOT, 'node_modules/@types')],
    },
    include: ['**/*.ts', '**/*.tsx'],
  };
  write('tsconfig.json', JSON.stringify(tsconfig));
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  const complaints = await promisify(execFile)(process.execPath, [tsc, '-p', folder, '--pretty', 'false'], {
    cwd: folder,
  }).then(
    () => '',
    (error: { stdout: string }) => error.stdout,
  );
  const byPlace = complaints.replace(/^([^(\s]+)\(/gm, (_, path: string) => `${places.get(path) ?? path} (`);
  expect(byPlace).toBe('');
});
