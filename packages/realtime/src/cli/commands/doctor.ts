import { diagnose } from '../../doctor/diagnose.ts';
import { CHECK_IDS, countFindings, type Finding, type FindingState } from '../../doctor/finding.ts';
import { readAppSettings } from '../app-settings.ts';
import { CliError } from '../cli-error.ts';
import { labelled, wrap } from '../layout.ts';
import type { Style } from '../style.ts';
import type { Terminal } from '../terminal.ts';

export interface DoctorOptions {
  readonly envFile?: string | undefined;
  readonly origin?: string | undefined;
  readonly timeout?: string | undefined;
  readonly json?: boolean;
  readonly strict?: boolean;
}

const LABELS: Readonly<Record<FindingState, { readonly word: string; readonly paint: keyof Style }>> = {
  ok: { word: 'ok', paint: 'green' },
  warning: { word: 'warning', paint: 'yellow' },
  failure: { word: 'failure', paint: 'red' },
  skipped: { word: 'skipped', paint: 'dim' },
};
const LABEL_WIDTH = 7;
const ID_WIDTH = Math.max(...CHECK_IDS.map((id) => id.length));
/** From this width on the ids make a column. */
const WIDE = 100;

/** Examines the set-up. Resolves with the exit code: 1 where something failed, with `strict` also where something is warned of. */
export async function doctor(options: DoctorOptions, terminal: Terminal): Promise<number> {
  const { env, source } = readAppSettings(options.envFile, terminal);
  const { style } = terminal;
  if (!options.json) terminal.out(`${style.bold('Settings')} ${source}`);
  const progress = terminal.progress('examining');
  let findings: readonly Finding[];
  try {
    findings = await diagnose({
      env,
      origin: options.origin,
      timeoutMs: timeoutOf(options.timeout),
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
  else terminal.out(summaryOf(counts, style));
  return isFine ? 0 : 1;
}

/** In a pipe one line, which a search finds as a whole; on a terminal the fix has a line of its own. */
function lineOf({ id, state, found, fix }: Finding, { columns, style }: Terminal): string {
  const { word, paint } = LABELS[state];
  const isWide = columns === undefined || columns >= WIDE;
  const text = `${isWide ? id.padEnd(ID_WIDTH) : id}  ${found}`;
  if (columns === undefined) return `${word.padEnd(LABEL_WIDTH)} ${text}${fix ? ` Fix: ${fix}` : ''}`;
  const line = labelled(word, text, { labelWidth: LABEL_WIDTH, columns, paint: style[paint] });
  if (!fix) return state === 'skipped' ? style.dim(line) : line;
  const indent = ' '.repeat(LABEL_WIDTH + 1);
  const [first = '', ...rest] = wrap(fix, columns, indent.length + 2);
  return [line, `${indent}${style.cyan('→')} ${first}`, ...rest.map((part) => `${indent}  ${part}`)].join('\n');
}

/** A person who has one fault should not search for it between twenty lines that only follow from it; the summary counts them. */
const isHidden = ({ blockedBy }: Finding, { columns }: Terminal): boolean =>
  blockedBy !== undefined && columns !== undefined;

function summaryOf(counts: Readonly<Record<FindingState, number>>, style: Style): string {
  const part = (state: FindingState, text: string) =>
    counts[state] > 0 ? [style[LABELS[state].paint](`${counts[state]} ${text}`)] : [];
  return [
    ...part('failure', counts.failure === 1 ? 'failure' : 'failures'),
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
