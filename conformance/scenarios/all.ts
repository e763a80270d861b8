import type { Scenario } from '../scenario.ts';
import { transcriptScenarios } from '../transcript.ts';
import { abuseScenarios } from './abuse.ts';
import { httpScenarios } from './http.ts';
import { httpEdgeScenarios } from './http-edges.ts';
import { keyPairScenarios } from './key-pairs.ts';
import { lifecycleScenarios } from './lifecycle.ts';
import { limitScenarios } from './limits.ts';
import { orderScenarios } from './order.ts';
import { proxyScenarios } from './proxies.ts';
import { sdkScenarios } from './sdk.ts';
import { timerScenarios } from './timers.ts';
import { tokenScenarios } from './tokens.ts';
import { transportScenarios } from './transports.ts';
import { vanishedScenarios } from './vanished.ts';

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
  ...transcriptScenarios('insecure'),
  ...transcriptScenarios('claims'),
  ...transcriptScenarios('single'),
  ...transcriptScenarios('marks'),
  ...transcriptScenarios('edges'),
  ...transcriptScenarios('edges', { transport: 'protobuf', environment: 'transports' }),

  ...(['protobuf', 'http_stream', 'sse'] as const).flatMap((transport) =>
    ['connect', 'subscribe', 'publish', 'recovery', 'api'].flatMap((area) =>
      transcriptScenarios(area, { transport, environment: 'transports' }),
    ),
  ),
  ...(['http_stream', 'sse'] as const).flatMap((transport) =>
    ['frames', 'bytes'].flatMap((area) => transcriptScenarios(area, { transport, environment: 'transports' })),
  ),
  ...httpScenarios,
  ...httpEdgeScenarios,
  ...tokenScenarios,
  ...limitScenarios,
  ...abuseScenarios,
  ...orderScenarios,
  ...sdkScenarios,
  ...timerScenarios,
  ...lifecycleScenarios,
  ...keyPairScenarios,
  ...transportScenarios,
  ...proxyScenarios,
  ...vanishedScenarios,
];
