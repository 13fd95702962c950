import { type Bytes, displayBytes } from '../bytes.ts';
import { SystemError } from '../errors.ts';
import { baseName, parentPath } from '../paths.ts';
import type { Directory } from '../ports/files.ts';
import { reasonOfFailure } from './apply-failure.ts';
import type { ApplyInput } from './apply-input.ts';
import { hasNames } from './directory-times.ts';
import { lookAt, namesNow } from './entry-now.ts';
import { OWNER_MODE } from './restore-plan.ts';
import { TreeIndex } from './tree-index.ts';

export interface FinishedDirectories {
  readonly listed: ReadonlyMap<Bytes, readonly Bytes[]>;
  readonly failed: ReadonlyMap<Bytes, string>;
  /** Those that have another listing than they had, and so keep their time. */
  readonly untimed: ReadonlySet<Bytes>;
}

/** The directories that a restore works in: they are writable for as long as it lasts, and get their modes and times at its end. */
export class TouchedDirectories {
  readonly #input: Pick<ApplyInput, 'roots' | 'before'>;
  readonly #target: TreeIndex;
  /** With the mode that each is to have. */
  readonly #touched = new Map<Bytes, number>();
  /** Those that were looked at, and made writable where they were not. */
  readonly #opened = new Set<Bytes>();

  constructor(input: Pick<ApplyInput, 'roots' | 'before' | 'targetTree'>) {
    this.#input = input;
    this.#target = new TreeIndex(input.targetTree);
  }

  /** Notes a directory that is made, or gets another mode or time. */
  touch(path: Bytes, mode: number): void {
    this.#touched.set(path, mode);
  }

  /** The directory that holds `path`, made writable for its owner; undefined when it is gone. */
  writableParent(path: Bytes): Directory | undefined {
    const { roots } = this.#input;
    const parent = roots.parentOf(path);
    const directory = parentPath(path);
    if (parent === undefined || this.#opened.has(directory) || !roots.contains(directory)) return parent;
    this.#opened.add(directory);
    const { mode } = parent.statSelf();
    // A directory that gets another mode itself is in the map already.
    if (!this.#touched.has(directory)) this.#touched.set(directory, this.#modeBefore(directory) ?? mode);
    if ((mode & OWNER_MODE) === OWNER_MODE) return parent;
    roots.parentOf(directory)?.setMode(baseName(directory), mode | OWNER_MODE);
    return roots.parentOf(path);
  }

  /**
   * Deepest first: setting a time or a mode above does not change what is below.
   *
   * @param restored All that the restore touches.
   * @returns the names in each directory, sorted; what cannot be listed is not in it. And those that could not be finished, with the reason.
   */
  finish(restored: readonly { readonly path: Bytes }[]): FinishedDirectories {
    const listed = new Map<Bytes, readonly Bytes[]>();
    const failed = new Map<Bytes, string>();
    const untimed = new Set<Bytes>();
    for (const { path } of restored) this.#touchEarlier(parentPath(path));
    for (const [path, mode] of [...this.#touched].sort(([a], [b]) => (a < b ? 1 : -1))) {
      const reason = reasonOfFailure(() => this.#finish(path, mode, { listed, untimed }));
      if (reason !== undefined) failed.set(path, reason);
    }
    return { listed, failed, untimed };
  }

  /** Of a directory that stays where a link or a file was: the mode of a link, which lets everybody write, is none for it. */
  #modeBefore(path: Bytes): number | undefined {
    const before = this.#input.before(path);
    return before?.kind === 'file' || before?.kind === 'symlink' ? undefined : before?.mode;
  }

  /** A directory in which all was done before an interruption: what it was to get at the end it has not got yet. */
  #touchEarlier(path: Bytes): void {
    const { roots } = this.#input;
    if (this.#touched.has(path) || !roots.contains(path)) return;
    const found = lookAt(roots, path);
    if (found === 'closed' || found === undefined) return;
    const { mode } = found.stat;
    const before = this.#modeBefore(path);
    // Another mode than the one that a restore gives for as long as it lasts is somebody's.
    this.#touched.set(path, before !== undefined && mode === (before | OWNER_MODE) ? before : mode);
  }

  #finish(
    path: Bytes,
    mode: number,
    { listed, untimed }: { readonly listed: Map<Bytes, readonly Bytes[]>; readonly untimed: Set<Bytes> },
  ): undefined {
    const { roots } = this.#input;
    if (roots.isByAnotherName(path)) return;
    const want = this.#target.find(path);
    const parent = roots.parentOf(path);
    const name = baseName(path);
    const stat = parent?.stat(name);
    if (parent === undefined || stat?.kind !== 'directory') return;
    // Of another file system than the one that is restored; a root is what the user named.
    if (stat.isMountPoint && roots.contains(parentPath(path))) throw new SystemError('mount', 'EBUSY', displayBytes(path));
    // The listing first: the mode may close it.
    const names = namesNow(roots, path);
    if (names !== undefined) listed.set(path, names);
    const isListedAgain = want?.kind === 'directory' && hasNames(names, this.#target.names(path));
    if (!isListedAgain) untimed.add(path);
    else roots.parentOf(path)?.setModificationTime(name, want.mtimeSeconds, want.mtimeNanoseconds);
    if (stat.mode !== mode) roots.parentOf(path)?.setMode(name, mode);
  }
}
