import type { Bytes } from '../bytes.ts';
import { isErrno } from '../errors.ts';
import { baseName } from '../paths.ts';
import type { Stat } from '../ports/files.ts';
import { type Entry, isSameContent } from './entry.ts';
import { lookAt } from './entry-now.ts';
import type { RestoreAction } from './restore-plan.ts';
import type { RootDirectories } from './root-directories.ts';
import { type SnapshotTree, walkTree } from './snapshot-tree.ts';

/** A restored file that had other names. */
export interface RestoredLink {
  readonly path: Bytes;
  readonly want: Entry;
}

/** The paths of each group of hard links in a tree, for the groups that one of `members` belongs to. */
export function findLinkGroups(tree: SnapshotTree, members: readonly RestoredLink[]): Bytes[][] {
  const wanted = new Set(members.map(({ want }) => inodeOf(want)));
  const groups = new Map<string, Bytes[]>();
  for (const { path, entry } of walkTree(tree)) {
    if (entry.kind !== 'file' || entry.links < 2 || !wanted.has(inodeOf(entry))) continue;
    const group = groups.get(inodeOf(entry)) ?? [];
    group.push(path);
    groups.set(inodeOf(entry), group);
  }
  return [...groups.values()].filter((group) => group.length > 1);
}

function inodeOf({ device, inode }: Pick<Entry, 'device' | 'inode'>): string {
  return `${device}:${inode}`;
}

/**
 * The names of touched files that the restore leaves alone, with what stands there: by them what undoes it finds the file that the touched names are
 * to be names of again.
 *
 * @param left What the session, and restores of it, have left: where they are looked for.
 */
export function untouchedNames(
  roots: RootDirectories,
  left: readonly SnapshotTree[],
  actions: readonly RestoreAction[],
): ReadonlyMap<Bytes, Entry> {
  const files = linkedElsewhere(actions);
  const found = new Map<Bytes, Entry>();
  if (files.size === 0) return found;
  const touched = new Set(actions.map(({ path }) => path));
  for (const { path, entry } of walkTrees(left)) {
    const now = files.get(inodeOf(entry));
    // Somebody else's change of it is no state that a restore may take for the session's own.
    if (now === undefined || touched.has(path) || !isSameContent(entry, now)) continue;
    const there = lookAt(roots, path);
    if (there === undefined || there === 'closed' || inodeOf(there.stat) !== inodeOf(now)) continue;
    found.set(path, { ...now, name: roots.nameOf(path) });
  }
  return found;
}

function* walkTrees(trees: readonly SnapshotTree[]): ReturnType<typeof walkTree> {
  for (const tree of trees) yield* walkTree(tree);
}

/** By inode, the files that have more names than are touched. */
function linkedElsewhere(actions: readonly RestoreAction[]): Map<string, Entry> {
  const files = new Map<string, Entry>();
  const names = new Map<string, number>();
  for (const { now } of actions) {
    if (now?.kind !== 'file' || now.links < 2) continue;
    const key = inodeOf(now);
    const count = (names.get(key) ?? 0) + 1;
    names.set(key, count);
    if (count < now.links) files.set(key, now);
    else files.delete(key);
  }
  return files;
}

/** How files that were one file become one again. */
export interface JoiningLinks {
  /** A name that is free in every directory, or left over from an earlier attempt. */
  readonly temporary: Bytes;
  /** Whether the content of `want` stands at `path`. */
  readonly holds: (path: Bytes, want: Entry) => boolean;
}

/**
 * Makes the restored names of a group one inode again. A name that the restore did not touch leads when
 * it is still in the state of the group; else one that it has just written.
 */
export function joinLinkGroup(
  roots: RootDirectories,
  group: readonly Bytes[],
  restored: ReadonlyMap<Bytes, Entry>,
  { temporary, holds }: JoiningLinks,
): undefined {
  const want = group.map((path) => restored.get(path)).find((entry) => entry !== undefined);
  if (want === undefined) return;
  const isInState = (path: Bytes) => hasState(statOf(roots, path), want) && holds(path, want);
  const untouched = group.filter((path) => !restored.has(path));
  const leader = [...untouched, ...group].find(isInState);
  if (leader === undefined) return;
  for (const path of group) {
    if (path === leader || !restored.has(path) || isOneInode(statOf(roots, leader), statOf(roots, path))) continue;
    if (isInState(path)) linkOver(roots, leader, path, temporary);
  }
}

function statOf(roots: RootDirectories, path: Bytes): Stat | undefined {
  return roots.parentOf(path)?.stat(baseName(path));
}

/** Size, mode and time of the group. */
function hasState(stat: Stat | undefined, want: Entry): boolean {
  return (
    stat?.kind === 'file' &&
    stat.sizeBytes === want.sizeBytes &&
    stat.mode === want.mode &&
    stat.mtimeSeconds === want.mtimeSeconds &&
    stat.mtimeNanoseconds === want.mtimeNanoseconds
  );
}

function isOneInode(one: Stat | undefined, other: Stat | undefined): boolean {
  return one !== undefined && one.inode === other?.inode && one.device === other.device;
}

function linkOver(roots: RootDirectories, leader: Bytes, path: Bytes, temporaryName: Bytes): void {
  using source = roots.openParent(leader);
  const target = roots.parentOf(path);
  if (source === undefined || target === undefined) return;
  if (target.stat(temporaryName) !== undefined) target.removeFile(temporaryName);
  try {
    source.link(baseName(leader), target, temporaryName);
    target.rename(temporaryName, target, baseName(path));
  } catch (error) {
    // File systems without links, and limits on them: the content is right, only the inode is not shared.
    if (!isErrno(error, 'EPERM', 'EMLINK', 'EXDEV', 'EOPNOTSUPP')) throw error;
  }
}
