export {
  type ObservableBinding,
  type ObservableManager,
  reportTelemetry,
  type TelemetryOptions,
} from './report-telemetry.ts';
