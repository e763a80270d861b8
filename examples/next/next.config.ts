import { join } from 'node:path';
import type { NextConfig } from 'next';

export default {
  // The workspace, since its packages are linked from outside of this folder.
  turbopack: { root: join(import.meta.dirname, '../..') },
  devIndicators: false,
} satisfies NextConfig;
