import type { Content } from './content-access.ts';

/** Git looks for a NUL in so many bytes to call a file binary. */
const BINARY_PROBE_BYTES = 8000;
/** A text with a longer line is handled as binary: lines are what is held in memory. */
const LINE_BYTES_MAXIMUM = 4 * 1024 * 1024;
const NEWLINE = 0x0a;

/** Whether a content has lines that can be compared. Reads all of it when it is larger than a line may be. */
export function isText(content: Content): boolean {
  let [isFirst, lineLength] = [true, 0];
  for (const piece of content.pieces()) {
    if (isFirst && piece.subarray(0, BINARY_PROBE_BYTES).includes(0)) return false;
    isFirst = false;
    if (content.sizeBytes <= LINE_BYTES_MAXIMUM) return true;
    const last = piece.lastIndexOf(NEWLINE);
    // Pieces are smaller than a line may be, so only what reaches over their ends can be longer.
    if (last < 0) lineLength += piece.length;
    else {
      if (lineLength + piece.indexOf(NEWLINE) > LINE_BYTES_MAXIMUM) return false;
      lineLength = piece.length - last - 1;
    }
    if (lineLength > LINE_BYTES_MAXIMUM) return false;
  }
  return true;
}
