import type { Bytes } from '../bytes.ts';
import { baseName, parentPath } from '../paths.ts';
import { namesNow } from './entry-now.ts';
import type { RootDirectories } from './root-directories.ts';

/** From so many paths in one directory on, listing it costs less than a look at each. */
const MANY_PATHS = 4;

/** Knows of many paths that nothing stands there, without a look at each: a program that deletes a tree leaves thousands. */
export class MissingNames {
  readonly #roots: RootDirectories;
  readonly #counts = new Map<Bytes, number>();
  /** Of the directory asked about last. */
  #last: { readonly parent: Bytes; readonly names: ReadonlySet<Bytes> | undefined } | undefined;
  readonly #listed = new Map<Bytes, readonly Bytes[]>();

  /** @param paths All that will be asked about; neighbours best one after the other. */
  constructor(roots: RootDirectories, paths: readonly Bytes[]) {
    this.#roots = roots;
    for (const path of paths) {
      const parent = parentPath(path);
      this.#counts.set(parent, (this.#counts.get(parent) ?? 0) + 1);
    }
  }

  /** The names in the directories that were listed, sorted. */
  get listed(): ReadonlyMap<Bytes, readonly Bytes[]> {
    return this.#listed;
  }

  /** True when nothing stands at `path`; false when something does, or when only a look can tell. */
  has(path: Bytes): boolean {
    const parent = parentPath(path);
    if ((this.#counts.get(parent) ?? 0) < MANY_PATHS) return false;
    if (this.#last?.parent !== parent) {
      const names = namesNow(this.#roots, parent);
      if (names !== undefined) this.#listed.set(parent, names);
      this.#last = { parent, names: names && new Set(names) };
    }
    const { names } = this.#last;
    return names !== undefined && !names.has(baseName(path));
  }
}
