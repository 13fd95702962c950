import { type Bytes, displayBytes } from '../bytes.ts';
import { UsageError } from '../errors.ts';
import { type Exclusions, patternOfGlob } from '../rollback/rules.ts';
import type { Plan } from '../sandbox/plan.ts';
import type { ParsedCall } from './spec.ts';

const NEED_ROLLBACK = ['rollback-exclude', 'rollback-include', 'rollback-all', 'checkpoint-every', 'durable'] as const;
const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 };
/** A timer takes no more than 24 days. */
const INTERVAL_MS_MAXIMUM = 7 * 24 * 3_600_000;

/**
 * Checks the options about snapshots against each other.
 *
 * @throws {UsageError}
 */
export function checkSnapshotOptions({ flags, values }: ParsedCall): void {
  if (flags.has('rollback') && flags.has('no-rollback'))
    throw new UsageError('Cannot use --rollback with --no-rollback: they say different things');
  const given = NEED_ROLLBACK.find((name) => flags.has(name) || values.has(name));
  if (given !== undefined && !flags.has('rollback')) {
    throw new UsageError(`Cannot use --${given} without --rollback: no snapshot is taken`, { hint: 'Add --rollback' });
  }
  chooseInterval({ values });
  const contradicting = (['rollback-exclude', 'rollback-include'] as const).find((name) => values.has(name));
  if (flags.has('rollback-all') && contradicting !== undefined) {
    throw new UsageError(`Cannot use --rollback-all with --${contradicting}: it leaves nothing out`, {
      hint: 'Leave one of them out',
    });
  }
  for (const name of ['rollback-exclude', 'rollback-include'] as const)
    for (const pattern of values.get(name) ?? []) checkPattern(name, pattern);
}

/** What an ignore file cannot say in one line, or says by doing nothing. */
function checkPattern(option: string, pattern: Bytes): void {
  const refuse = (reason: string, hint: string) =>
    new UsageError(`Cannot use --${option} "${displayBytes(pattern)}": ${reason}`, { hint });
  if (pattern.includes('\n')) throw refuse('it has several lines', 'Give the option once for each of them');
  if (pattern.trim() === '') throw refuse('it fits nothing', 'Give a line as in .gitignore');
  if (option === 'rollback-include' && pattern.startsWith('!'))
    throw refuse('the option itself is the negation', `Write it without the !, or as \\${displayBytes(pattern)}`);
  if (option === 'rollback-exclude' && pattern.startsWith('#'))
    throw refuse('that is a comment in .gitignore', `Write \\${displayBytes(pattern)}`);
}

/**
 * What the run leaves out of its snapshots: first what the profile says, then the exclusions of the call, then what it
 * takes out of them, so that the call has the last word.
 */
export function chooseExclusions({ flags, values }: ParsedCall, { excludes }: Pick<Plan, 'excludes'>): Exclusions {
  if (flags.has('rollback-all')) return { patterns: [], isNothing: true };
  const included = (values.get('rollback-include') ?? []).map((pattern) => `!${pattern}` as Bytes);
  return {
    patterns: [
      ...excludes.globs.map(patternOfGlob),
      ...excludes.patterns,
      ...(values.get('rollback-exclude') ?? []),
      ...included,
    ],
    isNothing: false,
  };
}

/** The time between checkpoints that come by themselves, in milliseconds. @throws {UsageError} */
export function chooseInterval({ values }: Pick<ParsedCall, 'values'>): number | undefined {
  const text = values.get('checkpoint-every')?.[0];
  if (text === undefined) return undefined;
  const [, digits, unit] = /^(\d+)([smh])$/.exec(text) ?? [];
  const everyMs = Number(digits) * (UNIT_MS[unit ?? ''] ?? Number.NaN);
  if (everyMs > 0 && everyMs <= INTERVAL_MS_MAXIMUM) return everyMs;
  throw new UsageError(`Cannot use --checkpoint-every "${displayBytes(text)}": expected 1s to 168h`, {
    hint: 'Give a number with s, m or h, as in 10m',
  });
}

/** Whether the client that is attached at the end is to ask for a review. */
export function asksForReview({ flags }: ParsedCall): boolean {
  return !flags.has('no-rollback-prompt') && !flags.has('silent');
}
