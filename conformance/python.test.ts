import { hasLane } from '../test/lanes.ts';
import { describeForeignClient } from './lanes/foreign-client.ts';
import { findPython, preparePython, runPython } from './lanes/python.ts';

const found = findPython();
const python = found && (await preparePython(found));

describeForeignClient({
  title: 'the official Python libraries',
  isReady: hasLane('python', python),
  name: 'centrifuge-python',
  user: 'python',
  api: {
    name: 'cent',
    scenarios: [
      'publishes, and the same key only once',
      'reads history and presence',
      'broadcasts',
      'sends a batch',
      'reads info and channels',
      'raises errors by their codes',
    ],
  },
  run: (settings) => runPython(python!, settings),
});
