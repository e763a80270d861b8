import type { Scenario } from '../scenario.ts';
import { transcriptScenarios } from '../transcript.ts';
import { httpScenarios } from './http.ts';
import { lifecycleScenarios } from './lifecycle.ts';
import { limitScenarios } from './limits.ts';
import { orderScenarios } from './order.ts';
import { sdkScenarios } from './sdk.ts';
import { timerScenarios } from './timers.ts';
import { tokenScenarios } from './tokens.ts';

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

  ...httpScenarios,
  ...tokenScenarios,
  ...limitScenarios,
  ...orderScenarios,
  ...sdkScenarios,
  ...timerScenarios,
  ...lifecycleScenarios,
];
