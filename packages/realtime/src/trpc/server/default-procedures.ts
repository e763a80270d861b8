import { initRealtime, type RealtimeProcedures } from './init-realtime.ts';

const procedures: RealtimeProcedures = /* @__PURE__ */ initRealtime();

/** `base` of the default configuration: the `realtime` of `@op/realtime/server`, and the user that `realtimeContext` was given. */
export const base: RealtimeProcedures['base'] = procedures.base;
/** `watches` of the default configuration. */
export const watches: RealtimeProcedures['watches'] = procedures.watches;
/** `watching` of the default configuration. */
export const watching: RealtimeProcedures['watching'] = procedures.watching;
/** `touches` of the default configuration. */
export const touches: RealtimeProcedures['touches'] = procedures.touches;
/** `touching` of the default configuration. */
export const touching: RealtimeProcedures['touching'] = procedures.touching;
