import type { Bytes } from '../bytes.ts';
import { joinPath } from '../paths.ts';
import { type Entry, isSameContent, isSameInodeState, type NodeReference, skippedEntry } from './entry.ts';
import type { ChangeCounts } from './manifest.ts';
import type { SnapshotTree } from './snapshot-tree.ts';

/**
 * `+` created, `-` deleted, `~` content, link target or type, `p` mode only; `m` times only, which is
 * undone with the rest but neither counted nor listed.
 */
export type ChangeType = '+' | '-' | '~' | 'p' | 'm';

/** One path of two snapshots that differ. */
export interface Change {
  /** Absolute. */
  readonly path: Bytes;
  /** The tracked root that it lies in. */
  readonly root: Bytes;
  readonly type: ChangeType;
  /** Undefined where there was nothing. */
  readonly before: Entry | undefined;
  readonly after: Entry | undefined;
}

/**
 * What differs between two trees of the same session, parents before what is in them, in the order of
 * name bytes. Subtrees whose nodes are the same are not visited.
 *
 * What `before` does not hold is never a change: nobody can say whether it is new. What `before` holds
 * and `after` does not is one: something stands in its way. Only what lies under another file system by then is none.
 *
 * @param unheld Gets the paths that no snapshot holds, by a rule or for what they are, and that were made, replaced or removed, or whose
 *   own listing changed. What changed deeper in such a directory is not seen.
 */
export function compareTrees(before: SnapshotTree, after: SnapshotTree, unheld: Bytes[] = []): Change[] {
  const changes: Change[] = [];
  if (isSameReference(before.rootReference, after.rootReference)) return changes;
  for (const [left, right] of pairByName(before.roots(), after.roots())) {
    const path = (left ?? right)?.name as Bytes;
    compareEntries({ before, after, root: path, changes, unheld }, path, left, right);
  }
  return changes;
}

interface Comparison {
  readonly before: SnapshotTree;
  readonly after: SnapshotTree;
  readonly root: Bytes;
  readonly changes: Change[];
  readonly unheld: Bytes[];
}

function compareEntries(comparison: Comparison, path: Bytes, left: Entry | undefined, right: Entry | undefined): void {
  if (isUnheldChange(left, right)) comparison.unheld.push(path);
  const type = changeType(left, right);
  if (type !== undefined) comparison.changes.push({ path, root: comparison.root, type, before: left, after: right });
  const [leftChild, rightChild] = [left?.child, right?.child];
  if (leftChild === undefined && rightChild === undefined) return;
  if (left?.kind === 'skipped' || isCovered(right)) return;
  if (leftChild !== undefined && rightChild !== undefined && isSameReference(leftChild, rightChild)) return;
  const leftEntries = leftChild === undefined ? [] : comparison.before.children(leftChild);
  // Below what became unreadable nothing is known: it need not be gone.
  const rightEntries = rightChild === undefined ? unknownEntries(leftEntries, right) : comparison.after.children(rightChild);
  for (const [one, other] of pairByName(leftEntries, rightEntries)) {
    compareEntries(comparison, joinPath(path, (one ?? other)?.name as Bytes), one, other);
  }
}

function isUnheldChange(left: Entry | undefined, right: Entry | undefined): boolean {
  if (left?.kind !== 'skipped' && right?.kind !== 'skipped') return false;
  // A restore names what it was to do itself; what another one did not touch, and what is below a directory that is closed now, nobody saw.
  if (left?.reason !== 'excluded' && right?.reason !== 'excluded' && changeType(left, right) !== undefined) return false;
  if (left?.reason === 'untouched' || right?.reason === 'untouched' || right?.inode === 0n) return false;
  return left === undefined || right === undefined || !isSameInodeState(left, right);
}

/** What is there nobody sees before that is unmounted, which no command in a sandbox has mounted. */
function isCovered(entry: Entry | undefined): boolean {
  return entry?.reason === 'mount';
}

function unknownEntries(entries: readonly Entry[], directory: Entry | undefined): Entry[] {
  if (directory?.reason !== 'unreadable') return [];
  return entries.map(({ name }) => skippedEntry(name, 'unreadable'));
}

/**
 * What became of one path, whatever is below it.
 *
 * @returns undefined when nothing changed that is undone.
 */
export function changeType(left: Entry | undefined, right: Entry | undefined): ChangeType | undefined {
  if (left === undefined || left.kind === 'skipped') return left === undefined && isHeld(right) ? '+' : undefined;
  if (right === undefined) return '-';
  if (isCovered(right)) return undefined;
  if (left.kind !== right.kind) return '~';
  if (left.kind !== 'directory' && left.hash !== right.hash) return '~';
  if (left.mode !== right.mode) return 'p';
  return isSameTime(left, right) ? undefined : 'm';
}

function isHeld(entry: Entry | undefined): boolean {
  return entry !== undefined && entry.kind !== 'skipped';
}

export function isSameTime(left: Entry, right: Entry): boolean {
  return left.mtimeSeconds === right.mtimeSeconds && left.mtimeNanoseconds === right.mtimeNanoseconds;
}

/** Whether both lead to the same node. */
export function isSameReference(left: NodeReference, right: NodeReference): boolean {
  return left.snapshot === right.snapshot && left.offset === right.offset;
}

/** Merges two sorted listings. */
function* pairByName(left: readonly Entry[], right: readonly Entry[]): Generator<[Entry | undefined, Entry | undefined]> {
  let [i, j] = [0, 0];
  while (i < left.length || j < right.length) {
    const [one, other] = [left[i], right[j]];
    if (other === undefined || (one !== undefined && one.name < other.name)) {
      yield [one, undefined];
      i += 1;
    } else if (one === undefined || other.name < one.name) {
      yield [undefined, other];
      j += 1;
    } else {
      yield [one, other];
      i += 1;
      j += 1;
    }
  }
}

/** What is shown and counted: all but changes of times alone. */
export function isListed(change: Change): boolean {
  return change.type !== 'm';
}

/**
 * What people count: files and links, and directories only where the directory itself is the news (its mode, or an
 * empty one).
 */
export function countedChanges(changes: readonly Change[]): Change[] {
  const listed = changes.filter(isListed);
  return listed.filter(({ path, type, before, after }, index) => {
    const isDirectory = (type === '+' ? after : before)?.kind === 'directory';
    const hasListedChild = listed[index + 1]?.path.startsWith(`${path}/`) ?? false;
    return !(isDirectory && hasListedChild && (type === '+' || type === '-'));
  });
}

/** @param changes In the order of compareTrees(). */
export function countChanges(changes: readonly Change[]): ChangeCounts {
  const counts = { created: 0, modified: 0, deleted: 0, modeChanged: 0 };
  for (const { type } of countedChanges(changes)) {
    if (type === '+') counts.created += 1;
    else if (type === '-') counts.deleted += 1;
    else if (type === '~') counts.modified += 1;
    else counts.modeChanged += 1;
  }
  return counts;
}

/** True when both are the same in all that a snapshot commits to. */
export function isSameState(left: Entry | undefined, right: Entry | undefined): boolean {
  if (left === undefined || right === undefined) return left === right;
  if (left.kind === 'directory') return right.kind === 'directory' && left.mode === right.mode;
  return isSameContent(left, right);
}
