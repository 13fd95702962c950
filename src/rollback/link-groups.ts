import type { Bytes } from '../bytes.ts';
import { isErrno } from '../errors.ts';
import { baseName } from '../paths.ts';
import type { Stat } from '../ports/files.ts';
import type { Entry } from './entry.ts';
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

function inodeOf({ device, inode }: Entry): string {
  return `${device}:${inode}`;
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
