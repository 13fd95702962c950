import { type Bytes, displayBytes } from '../bytes.ts';
import { displayWidth } from './width.ts';

const TAB_COLUMNS = 8;

/** A line as it is safe to show, its newline taken off and its tabs as blanks. */
export function displayLine(line: Bytes): string {
  const text = line.endsWith('\n') ? (line.slice(0, -1) as Bytes) : line;
  if (!text.includes('\t')) return displayBytes(text);
  let shown = '';
  let column = 0;
  for (const [at, part] of (text.split('\t') as Bytes[]).entries()) {
    if (at > 0) {
      const blanks = TAB_COLUMNS - (column % TAB_COLUMNS);
      shown += ' '.repeat(blanks);
      column += blanks;
    }
    const safe = displayBytes(part);
    shown += safe;
    column += displayWidth(safe);
  }
  return shown;
}
