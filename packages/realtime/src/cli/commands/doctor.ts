import { diagnose } from '../../doctor/diagnose.ts';
import { CHECK_IDS, countFindings, type Finding, type FindingState } from '../../doctor/finding.ts';
import { readAppSettings } from '../app-settings.ts';
import { CliError } from '../cli-error.ts';
import { labelled, wrap } from '../layout.ts';
import type { Style } from '../style.ts';
import type { Terminal } from '../terminal.ts';

interface DoctorOptions {
  readonly envFile?: string | undefined;
  readonly origin?: string | undefined;
  readonly timeout?: string | undefined;
  readonly json?: boolean;
  readonly strict?: boolean;
}

const PAINTS: Readonly<Record<FindingState, keyof Style>> = {
  ok: 'green',
  warning: 'yellow',
  failure: 'red',
  skipped: 'dim',
};
const STATE_WIDTH = 'warning'.length;
const ID_WIDTH = Math.max(...CHECK_IDS.map((id) => id.length));
/** From this width on the ids make a column. */
const WIDE = 100;

/** Examines the set-up. Resolves with the exit code: 1 where something failed, with `strict` also where something is warned of. */
export async function doctor(options: DoctorOptions, terminal: Terminal): Promise<number> {
  const timeoutMs = timeoutOf(options.timeout);
  const { env, source } = readAppSettings(options.envFile, terminal);
  const { style } = terminal;
  if (!options.json) terminal.out(`${style.bold('Settings')} ${source}`);
  const progress = terminal.progress('examining');
  let findings: readonly Finding[];
  try {
    findings = await diagnose({
      env,
      origin: options.origin,
      timeoutMs,
      onProgress: (id, finding) => {
        progress.step(id);
        if (finding && !options.json && !isHidden(finding, terminal)) terminal.out(lineOf(finding, terminal));
      },
    });
  } finally {
    progress.stop();
  }
  const counts = countFindings(findings);
  const isFine = counts.failure === 0 && !(options.strict && counts.warning > 0);
  if (options.json) terminal.out(JSON.stringify({ ok: isFine, counts, findings }, null, 2));
  else terminal.out(wrap(summaryOf(findings, style), terminal.columns, 0).join('\n'));
  return isFine ? 0 : 1;
}

/** In a pipe one line, which a search finds as a whole; on a terminal the fix has a line of its own. */
function lineOf({ id, state, found, fix }: Finding, { columns, style }: Terminal): string {
  const word = state.padEnd(STATE_WIDTH);
  const paint = style[PAINTS[state]];
  const isWide = columns === undefined || columns >= WIDE;
  const label = isWide ? `${word} ${id.padEnd(ID_WIDTH)} ` : word;
  const labelWidth = label.length;
  const text = isWide ? found : `${style.bold(id)} ${found}`;
  const line = labelled(label, columns === undefined && fix ? `${text} Fix: ${fix}` : text, {
    labelWidth,
    columns,
    paint: () => `${paint(word)}${label.slice(word.length)}`,
  });
  if (!fix || columns === undefined) return line;
  return [
    line,
    labelled(' '.repeat(labelWidth), fix, {
      labelWidth: labelWidth + 2,
      columns,
      paint: () => `${' '.repeat(labelWidth + 1)}${style.cyan('→')}`,
    }),
  ].join('\n');
}

/** A person who has one fault should not search for it between twenty lines that only follow from it; the summary counts them. */
const isHidden = ({ blockedBy }: Finding, { columns }: Terminal): boolean =>
  blockedBy !== undefined && columns !== undefined;

/** `1 failure (api.key), 24 ok, 6 skipped`: a failure may have scrolled away. */
function summaryOf(findings: readonly Finding[], style: Style): string {
  const counts = countFindings(findings);
  const failed = findings.filter(({ state }) => state === 'failure').map(({ id }) => id);
  const part = (state: FindingState, text: string) =>
    counts[state] > 0 ? [style[PAINTS[state]](`${counts[state]} ${text}`)] : [];
  return [
    ...part('failure', `${counts.failure === 1 ? 'failure' : 'failures'} (${failed.join(', ')})`),
    ...part('warning', counts.warning === 1 ? 'warning' : 'warnings'),
    ...part('ok', 'ok'),
    ...part('skipped', 'skipped'),
  ].join(', ');
}

function timeoutOf(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const seconds = Number(value);
  if (!/^\d+(?:\.\d+)?$/.test(value) || seconds <= 0 || seconds > 600)
    throw new CliError('usage', `--timeout must be a number of seconds between 0 and 600, got "${value}".`);
  return seconds * 1000;
}
