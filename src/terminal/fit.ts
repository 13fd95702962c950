import type { TerminalModel } from './model.ts';

/** What a terminal draws as one thing, and the columns that it takes. */
export interface TextCell {
  readonly text: string;
  readonly width: number;
}

export type Measure = (text: string) => readonly TextCell[];

const ELLIPSIS = '…';
const JOINS = 1;
const WIDTH_SHIFT = 1;
const WIDTH_MASK = 3;

/** By the table that the model itself counts columns by. The text has no control characters. */
export function measureBy({ core: { unicodeService } }: Pick<TerminalModel, 'core'>): Measure {
  return (text) => {
    const cells: TextCell[] = [];
    let preceding = 0;
    for (const character of text) {
      preceding = unicodeService.charProperties(character.codePointAt(0) ?? 0, preceding);
      const width = (preceding >> WIDTH_SHIFT) & WIDTH_MASK;
      const before = cells.at(-1);
      if (before !== undefined && (preceding & JOINS) !== 0) cells[cells.length - 1] = { text: before.text + character, width };
      else cells.push({ text: character, width });
    }
    return cells;
  };
}

export function widthOf(measure: Measure, text: string): number {
  return measure(text).reduce((sum, { width }) => sum + width, 0);
}

/** As much of the beginning as fits. */
export function takeColumns(measure: Measure, text: string, columns: number): string {
  return take(measure(text), columns)
    .map((cell) => cell.text)
    .join('');
}

/** `text`, or its beginning and `…`. */
export function fitEnd(measure: Measure, text: string, columns: number): string {
  if (widthOf(measure, text) <= columns) return text;
  return columns < 1 ? '' : `${takeColumns(measure, text, columns - 1)}${ELLIPSIS}`;
}

/** `text`, or its beginning and its end with `…` in between: a path says where it is by the one and what it is by the other. */
export function fitMiddle(measure: Measure, text: string, columns: number): string {
  const cells = measure(text);
  if (cells.reduce((sum, { width }) => sum + width, 0) <= columns) return text;
  if (columns < 1) return '';
  const begin = take(cells, Math.floor((columns - 1) / 3));
  const left = columns - 1 - begin.reduce((sum, { width }) => sum + width, 0);
  const end = take(cells.toReversed(), left).toReversed();
  return [...begin, { text: ELLIPSIS }, ...end].map((cell) => cell.text).join('');
}

/** All of it on as many rows as that takes. */
export function wrap(measure: Measure, text: string, columns: number): readonly string[] {
  const rows: string[] = [];
  let [row, used] = ['', 0];
  for (const one of measure(text)) {
    const cell = one.width > columns ? { text: ELLIPSIS, width: 1 } : one;
    if (used + cell.width > columns && row !== '') {
      rows.push(row);
      [row, used] = ['', 0];
    }
    row += cell.text;
    used += cell.width;
  }
  return [...rows, row];
}

function take(cells: readonly TextCell[], columns: number): readonly TextCell[] {
  let used = 0;
  const end = cells.findIndex(({ width }) => {
    used += width;
    return used > columns;
  });
  return end < 0 ? cells : cells.slice(0, end);
}
