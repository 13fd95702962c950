import { displayWidth, isAsciiText } from './width.ts';

const GAP_COLUMNS = 2;

/** Columns of equal width with two blanks between them; the last one is as long as it is. */
export function renderTable(rows: readonly (readonly string[])[]): string {
  // Rows may be thousands, and nearly all text is ASCII: looked at once for all.
  const isAscii = rows.every((row) => isAsciiText(row.join('')));
  const widthOf = isAscii ? (text: string) => text.length : displayWidth;
  const padded = isAscii
    ? (text: string, width: number) => text.padEnd(width)
    : (text: string, width: number) => text + ' '.repeat(width - displayWidth(text));
  const widths: number[] = [];
  for (const row of rows)
    for (let at = 0; at < row.length - 1; at++) widths[at] = Math.max(widths[at] ?? 0, widthOf(row[at] ?? ''));
  let table = '';
  for (const row of rows) {
    const last = row.length - 1;
    for (let at = 0; at < last; at++) table += padded(row[at] ?? '', (widths[at] ?? 0) + GAP_COLUMNS);
    table += `${row[last] ?? ''}\n`;
  }
  return table;
}
