import type { Bytes } from './bytes.ts';
import { isErrno } from './errors.ts';
import { nextTurn } from './next-turn.ts';
import { joinPath } from './paths.ts';
import type { Directory } from './ports/files.ts';

const OWNER_ALL = 0o700;

/**
 * Removes `name` in `parent` and all below it. Links are removed and never followed; other mounts, and what
 * the kernel will not remove, stay.
 */
export function removeTree(parent: Directory, name: Bytes): void {
  for (const _ of removal(parent, name));
}

/** As removeTree(), while the loop goes on between the directories of the tree. */
export async function removeTreeInTurns(parent: Directory, name: Bytes): Promise<void> {
  for (const _ of removal(parent, name)) await nextTurn();
}

/** Comes back after each directory. */
function* removal(parent: Directory, name: Bytes): Generator<undefined> {
  if (parent.stat(name)?.kind !== 'directory') {
    removeEntry(() => parent.removeFile(name));
    return;
  }
  // A list instead of recursion, because the depth is the command's choice.
  const found: Bytes[] = [name];
  for (let at = 0; at < found.length; at++) {
    const path = found[at] as Bytes;
    for (const below of emptyOfFiles(parent, path)) found.push(joinPath(path, below));
    yield;
  }
  for (const path of found.toReversed()) removeDirectory(parent, path);
}

/** Removes everything but directories. @returns the names of those. */
function emptyOfFiles(parent: Directory, path: Bytes): readonly Bytes[] {
  const directory = openAnyway(parent, path);
  if (directory === undefined) return [];
  try {
    return namesUnlessGone(directory).filter((name) => {
      if (directory.stat(name)?.kind === 'directory') return true;
      removeEntry(() => directory.removeFile(name));
      return false;
    });
  } finally {
    directory[Symbol.dispose]();
  }
}

/** Another process may be removing the same. */
function namesUnlessGone(directory: Directory): readonly Bytes[] {
  try {
    return directory.names();
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

/** A directory without permissions is given them first: its owner may. */
function openAnyway(parent: Directory, path: Bytes): Directory | undefined {
  try {
    allowOwner(parent, path);
    return parent.openDirectory(path);
  } catch (error) {
    if (isErrno(error, 'EACCES', 'EPERM', 'ENOENT', 'ENOTDIR', 'ELOOP', 'EXDEV')) return undefined;
    throw error;
  }
}

function allowOwner(parent: Directory, path: Bytes): void {
  const at = path.lastIndexOf('/');
  using above = at < 0 ? parent.openDirectory('' as Bytes) : parent.openDirectory(path.slice(0, at) as Bytes);
  const name = path.slice(at + 1) as Bytes;
  const stat = above.stat(name);
  if (stat?.kind === 'directory' && (stat.mode & OWNER_ALL) !== OWNER_ALL) above.setMode(name, stat.mode | OWNER_ALL);
}

function removeDirectory(parent: Directory, path: Bytes): void {
  const at = path.lastIndexOf('/');
  removeEntry(() => {
    using above = at < 0 ? parent.openDirectory('' as Bytes) : parent.openDirectory(path.slice(0, at) as Bytes);
    above.removeDirectory(path.slice(at + 1) as Bytes);
  });
}

function removeEntry(remove: () => void): void {
  try {
    remove();
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'EACCES', 'EPERM', 'EBUSY', 'ENOTEMPTY', 'ENOTDIR', 'EISDIR', 'EXDEV', 'ELOOP')) return;
    throw error;
  }
}
