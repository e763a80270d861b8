import { findCentrifugo } from './drivers/centrifugo.ts';
import { embeddedDriver } from './drivers/embedded.ts';
import { KNOWN_DIFFERENCES } from './known-differences.ts';
import { SCENARIOS } from './scenarios/all.ts';
import { defineSuite } from './suite.ts';

defineSuite(embeddedDriver(), SCENARIOS, {
  knownDifferences: KNOWN_DIFFERENCES,
  isStrict: findCentrifugo() !== undefined,
});
