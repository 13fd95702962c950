import type { Directory } from '../ports/files.ts';
import type { TerminalSize } from '../ports/pty.ts';
import { logName, readKept, timesName } from './output-log.ts';

/** One line of `<id>.times`. */
type TimesEntry =
  | { readonly kind: 'output'; readonly ms: number /** Bytes since the start of the session. */; readonly end: number }
  | { readonly kind: 'resize'; readonly ms: number; readonly size: TerminalSize };

export interface KeptOutput {
  readonly data: Uint8Array;
  readonly times: readonly TimesEntry[];
}

const CELLS_MAXIMUM = 10_000;
const FALLBACK_SIZE: TerminalSize = { columns: 80, rows: 24 };

/** What is kept of the output of a session that has ended. */
export function readKeptOutput(sessions: Directory, id: string): KeptOutput {
  return {
    data: readKept(sessions, logName(id)),
    times: parseTimes(Buffer.from(readKept(sessions, timesName(id))).toString('latin1')),
  };
}

/** Lines that are none are passed over: the last may be torn, the first cut off. */
export function parseTimes(text: string): readonly TimesEntry[] {
  return text.split('\n').flatMap((line): readonly TimesEntry[] => {
    const fields = /^\[(?<ms>\d{1,15}),(?<first>\d{1,15})(?:,(?<second>\d{1,5}))?\]$/.exec(line)?.groups;
    if (fields === undefined) return [];
    const [ms, first] = [Number(fields['ms']), Number(fields['first'])];
    if (fields['second'] === undefined) return [{ kind: 'output', ms, end: first }];
    const [columns, rows] = [first, Number(fields['second'])];
    const isSize = [columns, rows].every((cells) => cells >= 1 && cells <= CELLS_MAXIMUM);
    return isSize ? [{ kind: 'resize', ms, size: { columns, rows } }] : [];
  });
}

/** The size that the terminal had last. */
export function lastSize(times: readonly TimesEntry[]): TerminalSize {
  for (const entry of times.toReversed()) if (entry.kind === 'resize') return entry.size;
  return FALLBACK_SIZE;
}

/** An asciicast (version 2) of what is kept; its time starts with the first byte that is. */
export function* castLines({ data, times }: KeptOutput, title: string): Generator<string, void, undefined> {
  const end = times.findLast(({ kind }) => kind === 'output');
  const start = (end?.kind === 'output' ? end.end : data.length) - data.length;
  const first = times.findIndex((entry) => entry.kind === 'output' && entry.end > start);
  const before = times.slice(0, Math.max(0, first));
  const size = lastSize(before.length > 0 ? before : times);
  const originMs = times[first]?.ms ?? 0;
  yield `${JSON.stringify({ version: 2, width: size.columns, height: size.rows, title, env: { TERM: 'xterm-256color' } })}\n`;
  const decoder = new TextDecoder();
  let at = 0;
  for (const entry of first < 0 ? [] : times.slice(first)) {
    const seconds = Math.max(0, entry.ms - originMs) / 1000;
    if (entry.kind === 'resize') {
      yield `${JSON.stringify([seconds, 'r', `${entry.size.columns}x${entry.size.rows}`])}\n`;
      continue;
    }
    const text = decoder.decode(data.subarray(at, Math.max(at, entry.end - start)), { stream: true });
    at = Math.max(at, entry.end - start);
    if (text !== '') yield `${JSON.stringify([seconds, 'o', text])}\n`;
  }
  const rest = decoder.decode(data.subarray(at));
  if (rest !== '') yield `${JSON.stringify([Math.max(0, (times.at(-1)?.ms ?? 0) - originMs) / 1000, 'o', rest])}\n`;
}
