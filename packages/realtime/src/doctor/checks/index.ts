import type { Check } from '../check.ts';
import { API_CHECKS } from './api.ts';
import { CLOCK_CHECKS } from './clock.ts';
import { ENVIRONMENT_CHECKS } from './environment.ts';
import { FALLBACK_CHECKS } from './fallbacks.ts';
import { LIMIT_CHECKS } from './limits.ts';
import { NAMESPACE_CHECKS } from './namespace.ts';
import { PUBLIC_CHECKS } from './public.ts';
import { TOKEN_CHECKS } from './tokens.ts';
import { PING_CHECKS, WEBSOCKET_CHECKS } from './websocket.ts';

/** In the order of the report: from what is nearest to the operator to what stands on everything else. */
export const CHECKS: readonly Check[] = [
  ...ENVIRONMENT_CHECKS,
  ...API_CHECKS,
  ...PUBLIC_CHECKS,
  ...WEBSOCKET_CHECKS,
  ...TOKEN_CHECKS,
  ...CLOCK_CHECKS,
  ...PING_CHECKS,
  ...NAMESPACE_CHECKS,
  ...LIMIT_CHECKS,
  ...FALLBACK_CHECKS,
];
