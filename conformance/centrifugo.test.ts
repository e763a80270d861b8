import { describe, test } from 'vitest';
import { hasLane } from '../test/lanes.ts';
import { centrifugoDriver, findCentrifugo } from './drivers/centrifugo.ts';
import { CLUSTER_DIFFERENCES } from './known-differences.ts';
import { SCENARIOS } from './scenarios/all.ts';
import { defineSuite } from './suite.ts';

const source = findCentrifugo();
const isCluster = source?.kind === 'url' && source.urls.length > 1;
if (hasLane('centrifugo', source) && source)
  defineSuite(centrifugoDriver(source), SCENARIOS, isCluster ? { knownDifferences: CLUSTER_DIFFERENCES } : {});
else describe.skipIf(!source)('centrifugo', () => test('every scenario on a real Centrifugo', () => {})); // counted as skipped
