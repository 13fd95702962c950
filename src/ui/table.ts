import { displayWidth, padTo } from './width.ts';

/** Columns of equal width with two blanks between them; the last one is as long as it is. */
export function renderTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, at) => (widths[at] = Math.max(widths[at] ?? 0, displayWidth(cell))));
  return rows
    .map((row) => {
      const last = row.length - 1;
      return `${row.map((cell, at) => (at === last ? cell : padTo(cell, widths[at] ?? 0))).join('  ')}\n`;
    })
    .join('');
}
