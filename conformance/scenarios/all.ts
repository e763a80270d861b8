import type { Scenario } from '../scenario.ts';
import { transcriptScenarios } from '../transcript.ts';

/** Every scenario, by area. */
export const SCENARIOS: readonly Scenario[] = [
  ...transcriptScenarios('frames'),
  ...transcriptScenarios('connect'),
  ...transcriptScenarios('subscribe'),
  ...transcriptScenarios('publish'),
  ...transcriptScenarios('bytes'),
  ...transcriptScenarios('recovery'),
  ...transcriptScenarios('api'),
  ...transcriptScenarios('keys'),
  ...transcriptScenarios('subkey'),
  ...transcriptScenarios('oldkey'),
  ...transcriptScenarios('anonymous'),
  ...transcriptScenarios('personal'),
  ...transcriptScenarios('limits'),
  ...transcriptScenarios('extras'),

];
