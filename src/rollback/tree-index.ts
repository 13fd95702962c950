import type { Bytes } from '../bytes.ts';
import { isWithin, parentPath, relativePath } from '../paths.ts';
import type { Entry } from './entry.ts';
import type { SnapshotTree } from './snapshot-tree.ts';

/** Finds entries of a tree by absolute path; directories are decoded once. */
export class TreeIndex {
  readonly #tree: SnapshotTree;
  readonly #roots: readonly Entry[];
  readonly #directories = new Map<Bytes, ReadonlyMap<Bytes, Entry>>();

  constructor(tree: SnapshotTree) {
    this.#tree = tree;
    this.#roots = tree.roots();
  }

  /** The entry at `path`, undefined when the tree has none there. */
  find(path: Bytes): Entry | undefined {
    const root = this.#roots.find(({ name }) => isWithin(path, name));
    if (root === undefined || root.name === path) return root;
    const parent = parentPath(path);
    return this.#childrenOf(parent)?.get(path.slice(parent === '/' ? 1 : parent.length + 1) as Bytes);
  }

  /** The names listed in the directory at `path`, skipped ones too, sorted by their bytes; undefined when it is no directory here. */
  names(path: Bytes): readonly Bytes[] | undefined {
    const known = this.#directories.get(path);
    if (known !== undefined) return [...known.keys()];
    const child = this.find(path)?.child;
    return child === undefined ? undefined : this.#tree.names(child);
  }

  #childrenOf(path: Bytes): ReadonlyMap<Bytes, Entry> | undefined {
    const known = this.#directories.get(path);
    if (known !== undefined) return known;
    const child = this.find(path)?.child;
    if (child === undefined) return undefined;
    const entries = new Map(this.#tree.children(child).map((entry) => [entry.name, entry]));
    this.#directories.set(path, entries);
    return entries;
  }
}

/** The root among `roots` that `path` lies in, and the path relative to it. */
export function placeInRoots(
  roots: readonly Bytes[],
  path: Bytes,
): { readonly root: Bytes; readonly relative: Bytes } | undefined {
  const root = roots.find((candidate) => isWithin(path, candidate));
  return root === undefined ? undefined : { root, relative: relativePath(path, root) };
}
