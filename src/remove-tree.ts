import type { Bytes } from './bytes.ts';
import { isErrno } from './errors.ts';
import { nextTurn } from './next-turn.ts';
import { joinPath } from './paths.ts';
import type { Directory } from './ports/files.ts';

const OWNER_ALL = 0o700;
/** So many directories on a path. What is deeper is moved up before it is looked into: all names on a path are looked for anew by each call, and a chain of a hundred thousand took hours. */
const DEPTH_MAXIMUM = 64;

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
  const lift = new Lift(parent, name);
  for (let at = 0; at < found.length; at++) {
    const path = found[at] as Bytes;
    for (const below of emptyOfFiles(parent, path)) found.push(lift.up(path, below));
    yield;
  }
  for (const path of found.toReversed()) removeDirectory(parent, path);
}

/** Moves directories that are too deep to the top of their tree, which goes with all that is in it. */
class Lift {
  readonly #parent: Directory;
  readonly #top: Bytes;
  #moved = 0;

  constructor(parent: Directory, top: Bytes) {
    this.#parent = parent;
    this.#top = top;
  }

  /** @returns where the directory `name` of `path` is from now on: where it was, when it cannot be moved. */
  up(path: Bytes, name: Bytes): Bytes {
    const below = joinPath(path, name);
    if (path.split('/').length <= DEPTH_MAXIMUM) return below;
    try {
      allowOwner(this.#parent, below);
      using from = this.#parent.openDirectory(path);
      using top = this.#parent.openDirectory(this.#top);
      return joinPath(this.#top, this.#move(from, name, top));
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'EACCES', 'EPERM', 'EBUSY', 'ENOTDIR', 'EXDEV', 'ELOOP')) return below;
      throw error;
    }
  }

  /** What is empty there is replaced: it goes, too. */
  #move(from: Directory, name: Bytes, top: Directory): Bytes {
    for (;;) {
      const fresh = `.moved-${this.#moved++}` as Bytes;
      try {
        from.rename(name, top, fresh);
        return fresh;
      } catch (error) {
        if (!isErrno(error, 'EEXIST', 'ENOTEMPTY')) throw error;
      }
    }
  }
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
