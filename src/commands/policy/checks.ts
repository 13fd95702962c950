import { EXIT, type ExitCode, NonoError } from '../../errors.ts';
import { jsonOutput } from '../../json-text.ts';
import { renderTable } from '../../ui/table.ts';
import type { CommandResult } from '../spec.ts';

/** Something that was looked at. */
export interface Check {
  readonly name: string;
  /** `missing` keeps commands from being run strictly; `limited` does not. */
  readonly status: 'ok' | 'limited' | 'missing';
  readonly detail: string;
  /** What to do about it, or what follows; undefined when all is well. */
  readonly fix?: string;
}

export function checksResult(checks: readonly Check[], isJson: boolean, failure: ExitCode): CommandResult {
  const isGood = checks.every(({ status }) => status !== 'missing');
  const exitCode = isGood ? EXIT.ok : failure;
  if (isJson) {
    const documents = checks.map(({ name, status, detail, fix }) => ({ name, status, detail, fix: fix ?? null }));
    return { output: jsonOutput({ ok: isGood, checks: documents }), exitCode };
  }
  const rows = checks.flatMap(({ name, status, detail, fix }) => [
    [status, name, detail],
    ...(fix === undefined ? [] : [['', '', `→ ${fix}`]]),
  ]);
  return { output: renderTable(rows), exitCode };
}

/** What `look` finds, or what is in its way. */
export function checkBy(name: string, look: () => string): Check {
  try {
    return { name, status: 'ok', detail: look() };
  } catch (error) {
    if (!(error instanceof NonoError)) throw error;
    const [detail = '', ...more] = error.message.split('\n');
    const rest = more.length === 0 ? '' : ` (and ${more.length} more)`;
    return { name, status: 'missing', detail: `${detail}${rest}`, ...(error.hint === undefined ? {} : { fix: error.hint }) };
  }
}
