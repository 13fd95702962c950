import type { Bytes } from '../bytes.ts';
import type { Hunk } from './edit-script.ts';

/** The lines of `after` with the chosen hunks taken back to what `before` has there. */
export function revertHunks(
  before: readonly Bytes[],
  after: readonly Bytes[],
  hunks: readonly Hunk[],
  isChosen: (index: number) => boolean,
): Bytes[] {
  const lines: Bytes[] = [];
  let copied = 0;
  for (const [index, hunk] of hunks.entries()) {
    if (!isChosen(index)) continue;
    let [oldAt, newAt] = [hunk.oldStart - 1, hunk.newStart - 1];
    for (const { equal, removed, added } of hunk.edits) {
      oldAt += equal;
      newAt += equal;
      for (; copied < newAt; copied++) lines.push(after[copied] as Bytes);
      for (let at = oldAt; at < oldAt + removed; at++) lines.push(before[at] as Bytes);
      oldAt += removed;
      newAt += added;
      copied = newAt;
    }
  }
  for (; copied < after.length; copied++) lines.push(after[copied] as Bytes);
  return lines;
}
