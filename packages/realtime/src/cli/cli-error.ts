/** What can go wrong in the command, as stable codes. Wrong usage exits with 2, everything else with 1. */
type CliErrorCode =
  | 'usage'
  | 'env_file'
  | 'engine_unavailable'
  | 'other_engine'
  | 'port_taken'
  | 'start_failed'
  | 'stop_failed'
  | 'refused';

/** An error meant for the person at the terminal: printed without a stack, as what happened and what to do. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly code: CliErrorCode;
  constructor(code: CliErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
  get exitCode(): number {
    return this.code === 'usage' ? 2 : 1;
  }
}
