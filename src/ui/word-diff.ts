import { diffArrays } from 'diff';
import { cells } from './width.ts';

/** A part of a line, marked where the other line has something else. */
export interface Span {
  readonly text: string;
  readonly isMarked: boolean;
}

/** Longer lines are not compared word by word. */
const WORD_DIFF_CHARACTERS = 2000;
/** Lines that share less than this of their characters are different lines, not changed ones. */
const SHARED_MINIMUM = 0.3;
const WORD_REGEXP = /[\p{L}\p{N}_]+|\s+|[^\p{L}\p{N}_\s]/gu;

/** Two versions of a line, with the words marked that only one has. */
export function diffWords(before: string, after: string): { readonly before: readonly Span[]; readonly after: readonly Span[] } {
  const whole = { before: [plain(before)], after: [plain(after)] };
  if (before.length > WORD_DIFF_CHARACTERS || after.length > WORD_DIFF_CHARACTERS) return whole;
  const parts = diffArrays(before.match(WORD_REGEXP) ?? [], after.match(WORD_REGEXP) ?? []);
  const left: Span[] = [];
  const right: Span[] = [];
  let shared = 0;
  for (const { added, removed, value } of parts) {
    const text = value.join('');
    if (!added) left.push({ text, isMarked: removed });
    if (!removed) right.push({ text, isMarked: added });
    if (!added && !removed) shared += text.trim().length;
  }
  const longest = Math.max(before.trim().length, after.trim().length);
  return shared < longest * SHARED_MINIMUM ? whole : { before: left, after: right };
}

export function plain(text: string): Span {
  return { text, isMarked: false };
}

/** Cuts spans into rows that take at most `width` columns each; nothing gives one empty row. */
export function wrapSpans(spans: readonly Span[], width: number): Span[][] {
  const rows: Span[][] = [[]];
  let left = width;
  for (const { text, isMarked } of spans) {
    let taken = '';
    for (const cell of cells(text)) {
      if (cell.width > left) {
        if (taken !== '') rows.at(-1)?.push({ text: taken, isMarked });
        rows.push([]);
        [left, taken] = [width, ''];
      }
      left -= cell.width;
      taken += cell.text;
    }
    if (taken !== '') rows.at(-1)?.push({ text: taken, isMarked });
  }
  return rows;
}
