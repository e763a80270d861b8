import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { findChromium } from '../lanes.ts';
import { tryInBrowser } from './browser-page.ts';
import {
  checkTypes,
  EmptyProject,
  MANAGERS,
  nodeBinary,
  type PackageManager,
  type Packed,
  pack,
} from './empty-project.ts';
import { RECIPES, tryRecipe } from './recipe.ts';

const HELP = `pnpm try:packed [--node 20,22,24] [--manager npm,pnpm,yarn] [--recipes all|hono,vite,…]

Packs both packages as they would be published (build first) and uses them in an empty project outside of this repository:
types under bundler and nodenext, every entry, the command, a message from publish to subscriber, a page in a browser.

  --node     Node's major versions; others than this one are fetched as packages (default: this one)
  --manager  package managers (default: npm)
  --recipes  instead: pages of docs/recipes, each put together as it is printed in an empty folder of its own
             (${RECIPES.join(', ')})
`;

const { values } = parseArgs({
  options: {
    node: { type: 'string' },
    manager: { type: 'string', default: 'npm' },
    help: { type: 'boolean' },
    recipes: { type: 'string' },
  },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const majors = (values.node ?? process.versions.node).split(',').map((version) => Number.parseInt(version, 10));
const managers = values.manager.split(',').map((name) => {
  if (!Object.hasOwn(MANAGERS, name))
    throw new Error(`No package manager "${name}". Known: ${Object.keys(MANAGERS).join(', ')}.`);
  return name as PackageManager;
});

const recipes = values.recipes === 'all' ? RECIPES : (values.recipes?.split(',') ?? []);
for (const recipe of recipes)
  if (!RECIPES.includes(recipe)) throw new Error(`No recipe "${recipe}". Known: ${RECIPES.join(', ')}.`);

const tools = mkdtempSync(join(tmpdir(), 'realtime-tools-'));
try {
  const packed = await pack(tools);
  for (const [name, tarball] of recipes.length ? [] : Object.entries(packed.tarballs)) {
    await checkTypes(tarball);
    console.log(`${name}: types resolve the same way for each kind of importer`);
  }
  for (const major of majors) {
    const node = await nodeBinary(major, tools);
    for (const manager of managers)
      if (recipes.length === 0) await tryOne(node, manager, packed);
      else await tryRecipes(node, manager, packed);
  }
} finally {
  rmSync(tools, { recursive: true, force: true });
}

async function tryOne(node: string, manager: PackageManager, packed: Packed): Promise<void> {
  const project = new EmptyProject(node);
  try {
    const version = await project.node('--version');
    const say = (text: string) => console.log(`${version} ${manager}: ${text}`);
    await project.install(manager, packed);
    for (const resolution of ['bundler', 'nodenext'] as const) {
      await project.compile(resolution);
      say(`types checked, ${resolution}`);
    }
    say(await project.node('out/entries.js'));
    say(await project.node('out/message.js'));
    const help = await project.node('node_modules/@op/realtime/dist/cli/bin.js', '--help');
    if (!help.includes('op-realtime')) throw new Error(`op-realtime --help printed:\n${help}`);
    say('op-realtime --help');
    const chromium = findChromium();
    if (chromium) say(`a page of ${await tryInBrowser(project, chromium)} bytes hears a message`);
    else say('the browser is SKIPPED: no Chromium');
  } finally {
    project.remove();
  }
}

async function tryRecipes(node: string, manager: PackageManager, packed: Packed): Promise<void> {
  const chromium = findChromium();
  const { stdout: version } = await promisify(execFile)(node, ['--version']);
  for (const recipe of recipes) {
    const started = Date.now();
    const seen = await tryRecipe(recipe, { node, manager, packed, ...(chromium && { chromium }) });
    const seconds = Math.round((Date.now() - started) / 1000);
    console.log(`${version.trim()} ${manager}: ${recipe}: ${seen} (${seconds} s)`);
  }
}
