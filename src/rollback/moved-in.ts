import { type Bytes, displayBytes } from '../bytes.ts';
import { parentPath, relativePath } from '../paths.ts';
import type { Stat } from '../ports/files.ts';
import { changedMs } from './doubt.ts';
import { type Entry, RACY_WINDOW_MS } from './entry.ts';
import { lookAt } from './entry-now.ts';
import { type ExaminedChange, WAS } from './restore-plan.ts';
import type { RootDirectories } from './root-directories.ts';
import { type SnapshotTree, walkTree } from './snapshot-tree.ts';

/** What the snapshot to go back to knows by inode. The device is left out: its number may be another one after a start of the machine. */
interface KnownInodes {
  readonly held: ReadonlySet<bigint>;
  readonly heldHashes: ReadonlySet<Bytes>;
  readonly skipped: ReadonlyMap<bigint, { readonly path: Bytes; readonly entry: Entry }>;
}

/**
 * What a restore would remove or replace and what was there before the session, where no snapshot holds it: a command that renames
 * `.git`, or what a rule leaves out, makes it look as if it had made it.
 *
 * @param examined Parents before what is in them.
 * @returns by path why it is not the session's.
 */
export function findMovedIn(
  roots: RootDirectories,
  examined: readonly ExaminedChange[],
  target: SnapshotTree,
): ReadonlyMap<Bytes, string> {
  const found = new Map<Bytes, string>();
  let inodes: KnownInodes | undefined;
  for (const { change, now } of examined) {
    if (now === undefined || now.kind === 'skipped' || (change.type !== '+' && change.type !== '~')) continue;
    if (change.before?.inode === now.inode) continue;
    const above = found.get(parentPath(change.path));
    const stat = lookAt(roots, change.path);
    if (stat === undefined || stat === 'closed') continue;
    if (above === undefined && !mayBeOlder(stat.stat, target.startedMs)) continue;
    inodes ??= knownInodes(target);
    if (inodes.held.has(now.inode)) continue;
    // What was made below it since cannot be told from what was changed there.
    const reason = above ?? reasonOf(roots, { change, now }, stat.stat, target.startedMs, inodes);
    if (reason !== undefined) found.set(change.path, reason);
  }
  return found;
}

function knownInodes(target: SnapshotTree): KnownInodes {
  const held = new Set<bigint>();
  const heldHashes = new Set<Bytes>();
  const skipped = new Map<bigint, { path: Bytes; entry: Entry }>();
  for (const { path, entry } of walkTree(target)) {
    if (entry.kind === 'skipped') {
      if (entry.inode !== 0n) skipped.set(entry.inode, { path, entry });
      continue;
    }
    held.add(entry.inode);
    if (entry.kind !== 'directory') heldHashes.add(entry.hash);
  }
  return { held, heldHashes, skipped };
}

function mayBeOlder({ bornMs }: Stat, startedMs: number): boolean {
  return bornMs === undefined || bornMs < startedMs;
}

function reasonOf(
  roots: RootDirectories,
  { change, now }: Pick<ExaminedChange, 'change'> & { readonly now: Entry },
  stat: Stat,
  startedMs: number,
  { heldHashes, skipped }: KnownInodes,
): string | undefined {
  // A rename gives a new ctime: without a time of birth only what is below the renamed is known to be older.
  const isOlder = (stat.bornMs ?? changedMs(stat)) + RACY_WINDOW_MS < startedMs;
  const was = skipped.get(now.inode);
  if (was !== undefined) {
    const there = lookAt(roots, was.path);
    // One more name of what is still in its place.
    if (there !== undefined && there !== 'closed' && there.stat.inode === now.inode) return undefined;
    // The inode of what was removed is soon somebody else's.
    if (!isOlder && !isUnwritten(was.entry, stat)) return undefined;
    return `${WAS}${displayBytes(relativePath(was.path, change.root))}, which no snapshot holds: move it back`;
  }
  // A directory goes only when it is empty, and a file with another name does not go.
  if (!isOlder || now.kind === 'directory' || stat.links > 1 || heldHashes.has(now.hash)) return undefined;
  return 'older than the session, and no snapshot holds it';
}

function isUnwritten(was: Entry, stat: Stat): boolean {
  return (
    was.mtimeSeconds === stat.mtimeSeconds && was.mtimeNanoseconds === stat.mtimeNanoseconds && was.sizeBytes === stat.sizeBytes
  );
}
