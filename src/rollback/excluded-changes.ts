import type { Bytes } from '../bytes.ts';
import { joinPath } from '../paths.ts';
import { isSameReference, pairByName } from './compare.ts';
import { type Entry, isSameInodeState } from './entry.ts';
import type { SnapshotTree } from './snapshot-tree.ts';

/**
 * What a rule leaves out and the session created, replaced or removed, or whose own listing it changed: no snapshot holds it, so
 * no restore brings it back. What changed deeper in an excluded directory is not seen.
 */
export function excludedChanges(before: SnapshotTree, after: SnapshotTree): Bytes[] {
  const found: Bytes[] = [];
  for (const [left, right] of pairByName(before.roots(), after.roots())) {
    collect({ before, after, found }, (left ?? right)?.name as Bytes, left, right);
  }
  return found;
}

interface Search {
  readonly before: SnapshotTree;
  readonly after: SnapshotTree;
  readonly found: Bytes[];
}

function collect(search: Search, path: Bytes, left: Entry | undefined, right: Entry | undefined): void {
  if (isExcluded(left) || isExcluded(right)) {
    if (left === undefined || right === undefined || !isSameInodeState(left, right)) search.found.push(path);
    return;
  }
  const [leftChild, rightChild] = [left?.child, right?.child];
  if (leftChild !== undefined && rightChild !== undefined && isSameReference(leftChild, rightChild)) return;
  const leftEntries = leftChild === undefined ? [] : search.before.children(leftChild);
  const rightEntries = rightChild === undefined ? [] : search.after.children(rightChild);
  for (const [one, other] of pairByName(leftEntries, rightEntries)) {
    collect(search, joinPath(path, (one ?? other)?.name as Bytes), one, other);
  }
}

function isExcluded(entry: Entry | undefined): boolean {
  return entry?.reason === 'excluded';
}
