import { CliError } from './cli-error.ts';

/**
 * Reads a file of `NAME=value` lines as Docker's `--env-file` does: `#` starts a comment line, a value is everything behind the first `=`.
 * What Docker and a shell would read differently (quotes, `export`, a bare name) is refused, so that every engine gets the same settings.
 * @throws CliError `env_file`, naming the line but never its value
 */
export function parseEnvFile(text: string, fileName: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const refuse = (why: string) => new CliError('env_file', `${fileName}, line ${index + 1}: ${why}`);
    const separator = line.indexOf('=');
    const name = separator < 0 ? line : line.slice(0, separator);
    if (/^export\s/.test(name)) throw refuse('Docker does not know "export". Write NAME=value.');
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw refuse('expected NAME=value, with no space around the "=".');
    if (separator < 0) throw refuse(`${name} has no value. Write ${name}=value.`);
    const value = line.slice(separator + 1);
    if (value !== value.trim()) throw refuse(`${name} has a space behind the "=".`);
    if (/^["'`]|["'`]$/.test(value))
      throw refuse(`${name} is quoted. Docker keeps quotes as part of the value: leave them out.`);
    if (values.has(name)) throw refuse(`${name} is set twice.`);
    values.set(name, value);
  }
  return values;
}
