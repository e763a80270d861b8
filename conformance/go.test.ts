import { hasLane } from '../test/lanes.ts';
import { describeForeignClient } from './lanes/foreign-client.ts';
import { buildGo, findGo, runGo } from './lanes/go.ts';

const go = findGo();
const program = go && (await buildGo(go));

describeForeignClient({
  title: 'the official Go client',
  isReady: hasLane('go', program),
  name: 'centrifuge-go',
  user: 'go',
  clientScenarios: ['gets error 108 for an rpc that nobody answers'],
  run: (settings) => runGo(program!, settings),
});
