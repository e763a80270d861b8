import { describe, test } from 'vitest';
import { hasLane } from '../test/lanes.ts';
import { centrifugoDriver, findCentrifugo } from './drivers/centrifugo.ts';
import { SCENARIOS } from './scenarios/all.ts';
import { defineSuite } from './suite.ts';

const source = findCentrifugo();
if (hasLane('centrifugo', source) && source) defineSuite(centrifugoDriver(source), SCENARIOS);
else describe.skipIf(!source)('centrifugo', () => test('every scenario on a real Centrifugo', () => {})); // counted as skipped
