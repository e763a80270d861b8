/**
 * Reports what a tab does to OpenTelemetry.
 *
 * Imported by apps that have `@opentelemetry/api` in the browser. On a server nothing needs to be imported: what the app registered is found.
 *
 * @module
 */

export {
  type ObservableBinding,
  type ObservableManager,
  reportTelemetry,
  type TelemetryOptions,
} from './report-telemetry.ts';
