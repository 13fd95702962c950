import { displayWidth } from './width.ts';

/** Columns of equal width with two blanks between them; the last one is as long as it is. */
export function renderTable(rows: readonly (readonly string[])[]): string {
  const measured = rows.map((row) => row.map((text) => ({ text, width: displayWidth(text) })));
  const widths: number[] = [];
  for (const row of measured) row.forEach(({ width }, at) => (widths[at] = Math.max(widths[at] ?? 0, width)));
  const padded = measured.map((row) =>
    row.map(({ text, width }, at) => (at === row.length - 1 ? text : text + ' '.repeat((widths[at] ?? 0) - width))),
  );
  return padded.map((row) => `${row.join('  ')}\n`).join('');
}
