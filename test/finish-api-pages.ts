import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { API_PAGES, fingerprintOf, indexPage } from './api-pages.ts';
import { ROOT } from './markdown.ts';
import { publicNames } from './public-surface.ts';

// The last step of `pnpm docs:api`: what the generator does not write itself.
for (const { page, entry } of API_PAGES)
  appendFileSync(join(ROOT, 'docs/api', page), `\n${fingerprintOf(publicNames(entry))}\n`);
writeFileSync(join(ROOT, 'docs/api/README.md'), indexPage());
