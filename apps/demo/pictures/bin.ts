/** Makes the pictures in `docs/screenshots` from demos of its own: `pnpm screenshots`. */
import { START, startDemoProcess } from '../test/demo-process.ts';
import { Camera } from './camera.ts';
import { takeDemo } from './demo-shots.ts';
import { takeDevtools } from './devtools-shots.ts';
import { takeRecording } from './recording.ts';

const SETS = [
  { name: 'demo', command: START, take: takeDemo },
  { name: 'devtools', command: [...START, '--dev'], take: takeDevtools },
  { name: 'recording', command: [...START, '--dev'], take: takeRecording },
];

// All of them, or those that are named.
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !SETS.some((set) => set.name === name));
if (unknown.length) {
  process.stderr.write(`Unknown: ${unknown.join(', ')}. There are ${SETS.map(({ name }) => name).join(', ')}.\n`);
  process.exit(1);
}
const camera = await Camera.open();
try {
  for (const { name, command, take } of SETS) {
    if (wanted.length && !wanted.includes(name)) continue;
    // A database of its own: each set begins with the same posts.
    const demo = await startDemoProcess({}, command);
    try {
      await take(camera, demo.url);
    } finally {
      await demo.stop();
    }
  }
} finally {
  await camera.close();
}
