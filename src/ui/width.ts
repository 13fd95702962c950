/**
 * How many columns text takes on a terminal, and how to make it fit. All text here is safe to show: see
 * displayBytes(), which leaves no control characters.
 */

import { fitEnd as fitEndBy, type TextCell, takeColumns as takeColumnsBy } from '../terminal/fit.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: the range is what ASCII is
const ASCII_REGEXP = /^[\x00-\x7f]*$/;
/** East Asian Wide and Fullwidth of UAX 11; what is wide because it is an emoji is so by that property. */
const WIDE_REGEXP =
  /[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18cff}\u{1b000}-\u{1b2ff}\u{1f200}-\u{1f265}\u{20000}-\u{3fffd}\p{Emoji_Presentation}\ufe0f]/u;
/** Only what takes no column at all. */
const ZERO_REGEXP = /^[\p{Mn}\p{Me}\p{Cf}\u1160-\u11ff]+$/u;
const ELLIPSIS = '…';

/** Made when first used: it costs a millisecond, and most text is ASCII. */
let segmenter: Intl.Segmenter | undefined;

/** What a terminal draws as one thing, with the columns that it takes. */
export function* cells(text: string): Generator<TextCell> {
  if (ASCII_REGEXP.test(text)) {
    for (const unit of text) yield { text: unit, width: 1 };
    return;
  }
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' });
  for (const { segment } of segmenter.segment(text)) yield { text: segment, width: cellWidth(segment) };
}

function cellWidth(segment: string): number {
  if (WIDE_REGEXP.test(segment)) return 2;
  return ZERO_REGEXP.test(segment) ? 0 : 1;
}

/** Whether each unit of the text takes one column. */
export function isAsciiText(text: string): boolean {
  return ASCII_REGEXP.test(text);
}

export function displayWidth(text: string): number {
  if (ASCII_REGEXP.test(text)) return text.length;
  let width = 0;
  for (const cell of cells(text)) width += cell.width;
  return width;
}

/** `text` with blanks after it up to `width` columns; longer text as it is. */
export function padTo(text: string, width: number): string {
  return `${text}${' '.repeat(Math.max(0, width - displayWidth(text)))}`;
}

/** `text`, or its beginning and `…` when it takes more than `width` columns. */
export function fitEnd(text: string, width: number): string {
  return displayWidth(text) <= width ? text : fitEndBy(measure, text, width);
}

/** `text`, or `…` and its end, which tells paths apart. */
export function fitStart(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  if (width < 1) return '';
  const all = [...cells(text)];
  let [left, at] = [width - 1, all.length];
  for (; at > 0 && (all[at - 1]?.width ?? 0) <= left; at--) left -= all[at - 1]?.width ?? 0;
  return `${ELLIPSIS}${all
    .slice(at)
    .map((cell) => cell.text)
    .join('')}`;
}

/** The beginning of `text` that takes at most `width` columns. */
export function takeColumns(text: string, width: number): string {
  return takeColumnsBy(measure, text, width);
}

function measure(text: string): readonly TextCell[] {
  return [...cells(text)];
}
