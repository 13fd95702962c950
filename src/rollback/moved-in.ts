import { type Bytes, displayBytes } from '../bytes.ts';
import { isWithin, parentPath, relativePath } from '../paths.ts';
import type { Stat } from '../ports/files.ts';
import { type Entry, isSettled, RACY_WINDOW_MS } from './entry.ts';
import { lookAt } from './entry-now.ts';
import { type ExaminedChange, WAS } from './restore-plan.ts';
import type { RootDirectories } from './root-directories.ts';
import { type SnapshotTree, walkTree } from './snapshot-tree.ts';

/** A line of the snapshot that holds nothing of what was there. */
interface Skipped {
  readonly path: Bytes;
  readonly entry: Entry;
  /** See inodeKey(). */
  readonly inode: string;
}

/** What the snapshot to go back to knows. */
interface Known {
  /** Inodes. */
  readonly held: ReadonlySet<string>;
  readonly heldHashes: ReadonlySet<Bytes>;
  readonly skipped: ReadonlyMap<string, Skipped>;
  /** By time: what is moved to another file system, or within one that lies over another, is a copy. */
  readonly skippedByTime: ReadonlyMap<string, readonly Skipped[]>;
}

/** The time of the session, in milliseconds. */
interface Span {
  readonly startedMs: number;
  /** When its last snapshot was taken. */
  readonly endedMs: number;
}

/**
 * What a restore would remove or replace and what was there before the session, where no snapshot holds it: a command that renames
 * `.git`, or what a rule leaves out, makes it look as if it had made it.
 *
 * @param examined Parents before what is in them.
 * @param endedMs When the last snapshot of the session was taken.
 * @returns by path why it is not the session's.
 */
export function findMovedIn(
  roots: RootDirectories,
  examined: readonly ExaminedChange[],
  target: SnapshotTree,
  endedMs: number,
): ReadonlyMap<Bytes, string> {
  const found = new Map<Bytes, string>();
  const goes = examined.filter(({ change, now }) => isMade(change.type) && now !== undefined && now.kind !== 'skipped');
  const span = { startedMs: target.startedMs, endedMs };
  let known: Known | undefined;
  let names: ReadonlyMap<string, number> | undefined;
  for (const { change, now } of goes) {
    if (now === undefined || change.before?.inode === now.inode) continue;
    const above = found.get(parentPath(change.path));
    const stat = lookAt(roots, change.path);
    if (stat === undefined || stat === 'closed') continue;
    if (above === undefined && !mayBeOlder(stat.stat, span)) continue;
    known ??= knownOf(target, devicesNow(roots, target));
    if (known.held.has(inodeKey(now))) continue;
    names ??= countNames(goes);
    const staysElsewhere = now.kind !== 'directory' && stat.stat.links > (names.get(inodeKey(now)) ?? 0);
    // What was made below it since cannot be told from what was changed there.
    const reason = above ?? reasonOf(roots, { change, now }, { stat: stat.stat, staysElsewhere, span, known });
    if (reason !== undefined) found.set(change.path, reason);
  }
  return found;
}

function isMade(type: ExaminedChange['change']['type']): boolean {
  return type === '+' || type === '~';
}

/** Numbers of inodes are those of one file system: two roots need not be on the same. */
function inodeKey({ device, inode }: Pick<Entry, 'device' | 'inode'>, devices?: ReadonlyMap<number, number>): string {
  return `${devices?.get(device) ?? device}:${inode}`;
}

function timeKey({ mtimeSeconds, mtimeNanoseconds, mode }: Pick<Entry, 'mtimeSeconds' | 'mtimeNanoseconds' | 'mode'>): string {
  return `${mtimeSeconds}.${mtimeNanoseconds} ${mode}`;
}

/** By the numbers that the devices of the roots had at the snapshot: after a start of the machine they may have others. */
function devicesNow(roots: RootDirectories, target: SnapshotTree): Map<number, number> {
  const devices = new Map<number, number>();
  for (const { name, device } of target.roots()) {
    const found = lookAt(roots, name);
    if (found !== undefined && found !== 'closed') devices.set(device, found.stat.device);
  }
  return devices;
}

/** How many of the names of each file are among what goes. */
function countNames(goes: readonly ExaminedChange[]): Map<string, number> {
  const names = new Map<string, number>();
  for (const { now } of goes) {
    if (now === undefined || now.kind === 'directory') continue;
    const key = inodeKey(now);
    names.set(key, (names.get(key) ?? 0) + 1);
  }
  return names;
}

function knownOf(target: SnapshotTree, devices: ReadonlyMap<number, number>): Known {
  const held = new Set<string>();
  const heldHashes = new Set<Bytes>();
  const skipped = new Map<string, Skipped>();
  const skippedByTime = new Map<string, Skipped[]>();
  for (const { path, entry } of walkTree(target)) {
    const inode = inodeKey(entry, devices);
    if (entry.kind === 'skipped') {
      if (entry.inode === 0n) continue;
      const one = { path, entry, inode };
      skipped.set(inode, one);
      const key = timeKey(entry);
      skippedByTime.set(key, [...(skippedByTime.get(key) ?? []), one]);
      continue;
    }
    held.add(inode);
    if (entry.kind !== 'directory') heldHashes.add(entry.hash);
  }
  return { held, heldHashes, skipped, skippedByTime };
}

/**
 * What the session made was born and written while it ran. A copy keeps the time of what was written before, and so does what a file system
 * that lies over another one takes up into itself when it is renamed, which is born then; and the clock may have been put back.
 */
function mayBeOlder(stat: Stat, { startedMs, endedMs }: Span): boolean {
  const writtenMs = stat.mtimeSeconds * 1000 + stat.mtimeNanoseconds / 1_000_000;
  return [stat.bornMs ?? startedMs - 1, writtenMs].some((ms) => ms < startedMs || ms > endedMs);
}

interface Moved {
  readonly stat: Stat;
  /** It has a name that does not go. */
  readonly staysElsewhere: boolean;
  readonly span: Span;
  readonly known: Known;
}

function reasonOf(
  roots: RootDirectories,
  { change, now }: Pick<ExaminedChange, 'change'> & { readonly now: Entry },
  { stat, staysElsewhere, span, known }: Moved,
): string | undefined {
  // A rename gives a new ctime: without a time of birth only what is below the renamed is known to be older.
  const { startedMs } = span;
  const isOlder = stat.bornMs === undefined ? isSettled(stat, startedMs) : stat.bornMs + RACY_WINDOW_MS < startedMs;
  const was = known.skipped.get(inodeKey(now));
  if (was !== undefined) {
    // One more name of what is still in its place.
    if (isInPlace(roots, was)) return undefined;
    // The inode of what was removed is soon somebody else's.
    if (isOlder || isUnwritten(was.entry, stat)) return wasAt(was, change.root);
  }
  const copied = known.skippedByTime.get(timeKey(now))?.find((one) => isCopy(one.entry, stat) && !isInPlace(roots, one));
  if (copied !== undefined && !staysElsewhere) return wasAt(copied, change.root);
  // A directory goes only when it is empty, and a file with another name does not go.
  if (!isOlder || now.kind === 'directory' || staysElsewhere || known.heldHashes.has(now.hash)) return undefined;
  return 'older than the session, and no snapshot holds it';
}

function wasAt({ path }: Skipped, root: Bytes): string {
  return `${WAS}${displayBytes(isWithin(path, root) ? relativePath(path, root) : path)}, which no snapshot holds: move it back`;
}

/** Whether that very inode is still where the snapshot has it. */
function isInPlace(roots: RootDirectories, { path, inode }: Skipped): boolean {
  const there = lookAt(roots, path);
  return there !== undefined && there !== 'closed' && inodeKey(there.stat) === inode;
}

function isUnwritten(was: Entry, stat: Stat): boolean {
  return (
    was.mtimeSeconds === stat.mtimeSeconds && was.mtimeNanoseconds === stat.mtimeNanoseconds && was.sizeBytes === stat.sizeBytes
  );
}

/** The size of a directory is the file system's. */
function isCopy(was: Entry, stat: Stat): boolean {
  return stat.kind === 'directory' || was.sizeBytes === stat.sizeBytes;
}
