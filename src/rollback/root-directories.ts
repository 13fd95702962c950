import type { Bytes } from '../bytes.ts';
import { isErrno } from '../errors.ts';
import { baseName, joinPath, parentPath } from '../paths.ts';
import type { Directory, Files } from '../ports/files.ts';
import { openTracked } from './open-root.ts';
import { placeInRoots } from './tree-index.ts';

/** A directory and the one that it is in, while its neighbours are looked at. */
const RECENT_MAXIMUM = 2;

/**
 * Opens the directories that hold tracked paths, always beneath their root and never through a link.
 * The directories used last stay open, since neighbours come one after the other.
 */
export class RootDirectories implements Disposable {
  readonly #files: Files;
  readonly #roots: readonly Bytes[];
  readonly #open = new Map<Bytes, Directory>();
  readonly #mountedRoots = new Map<Bytes, boolean>();
  #twins: ReadonlySet<Bytes> = new Set();
  /** The ones used last, the oldest first. */
  readonly #recent = new Map<Bytes, Directory>();

  constructor(files: Files, roots: readonly Bytes[]) {
    this.#files = files;
    this.#roots = roots;
  }

  /** @param twins Paths that the file system may take for one another, see findTwins(). */
  expectTwins(twins: ReadonlySet<Bytes>): void {
    this.#twins = twins;
  }

  /** Whether what is found at `path` has another name there, or is in a directory that has one: at `path` itself there is nothing then. */
  isByAnotherName(path: Bytes): boolean {
    if (this.#twins.size === 0) return false;
    for (let at = path; this.contains(at) && !this.#roots.includes(at); at = parentPath(at))
      if (this.#twins.has(at) && !this.#isListed(at)) return true;
    return false;
  }

  /** True also where nobody can tell. */
  #isListed(path: Bytes): boolean {
    try {
      return this.parentOf(path)?.names().includes(baseName(path)) ?? true;
    } catch (error) {
      if (isErrno(error, 'EACCES', 'ENOENT')) return true;
      throw error;
    }
  }

  /** The directory that holds `path`, undefined when it is not there or no directory. */
  parentOf(path: Bytes): Directory | undefined {
    return this.#roots.includes(path) ? this.#outside(parentPath(path)) : this.directory(parentPath(path));
  }

  /** True for a path that is no root itself and whose root is no mount point: any thread finds the way to it. */
  isPlain(path: Bytes): boolean {
    const place = placeInRoots(this.#roots, path);
    if (place === undefined || place.relative === '') return false;
    return baseName(place.root) !== '' && !this.#isMounted(place.root);
  }

  /** Looked at once: what is mounted over a root stays while we work in it. */
  #isMounted(root: Bytes): boolean {
    const known = this.#mountedRoots.get(root);
    if (known !== undefined) return known;
    const isMounted = this.#outside(parentPath(root))?.stat(baseName(root))?.isMountPoint === true;
    this.#mountedRoots.set(root, isMounted);
    return isMounted;
  }

  /** As parentOf(), and the caller closes it. */
  openParent(path: Bytes): Directory | undefined {
    return this.parentOf(path)?.openDirectory('' as Bytes);
  }

  /** True for a root and everything below one. */
  contains(path: Bytes): boolean {
    return placeInRoots(this.#roots, path) !== undefined;
  }

  nameOf(path: Bytes): Bytes {
    return baseName(path);
  }

  /** A directory at or below a root, undefined when there is none or a link stands in the way. */
  directory(path: Bytes): Directory | undefined {
    const recent = this.#recent.get(path);
    if (recent !== undefined) return recent;
    const place = placeInRoots(this.#roots, path);
    if (place === undefined) return undefined;
    try {
      const outside = this.#outside(parentPath(place.root));
      if (outside === undefined) return undefined;
      const name = baseName(place.root);
      // A mount point cannot be replaced by a link, and no path from the directory that it lies in leads across it.
      const isMounted = name !== '' && this.#isMounted(place.root);
      const top = isMounted ? this.#outside(place.root) : outside;
      if (top === undefined) return undefined;
      const directory = top.openDirectory(isMounted ? place.relative : joinPath(name, place.relative));
      this.#keepRecent(path, directory);
      return directory;
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EXDEV')) return undefined;
      throw error;
    }
  }

  #keepRecent(path: Bytes, directory: Directory): void {
    for (const [oldest, open] of this.#recent) {
      if (this.#recent.size < RECENT_MAXIMUM) break;
      open[Symbol.dispose]();
      this.#recent.delete(oldest);
    }
    this.#recent.set(path, directory);
  }

  /** Closes what is open, because the tree below has changed. */
  forget(): void {
    for (const directory of this.#recent.values()) directory[Symbol.dispose]();
    this.#recent.clear();
  }

  /** The directory that a root lies in, or that is mounted over one: no part of what the command may write unless the user granted it. */
  #outside(path: Bytes): Directory | undefined {
    const known = this.#open.get(path);
    if (known !== undefined) return known;
    const directory = openTracked(this.#files, path);
    if (directory !== undefined) this.#open.set(path, directory);
    return directory;
  }

  [Symbol.dispose](): void {
    this.forget();
    for (const directory of this.#open.values()) directory[Symbol.dispose]();
    this.#open.clear();
  }
}
