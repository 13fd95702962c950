import type { Bytes } from '../bytes.ts';
import { DamageError, isErrno } from '../errors.ts';
import { baseName, parentPath } from '../paths.ts';
import type { Directory, Stat } from '../ports/files.ts';
import type { Hash } from '../ports/hash.ts';
import { type Entry, isSameInodeState } from './entry.ts';
import { findLinkGroups, joinLinkGroups } from './link-groups.ts';
import { readObject } from './objects.ts';
import { namesNow } from './probe.ts';
import { OWNER_MODE, type RestoreAction } from './restore-plan.ts';
import type { RootDirectories } from './root-directories.ts';
import type { SnapshotTree } from './snapshot-tree.ts';
import { SparseWriter } from './sparse.ts';
import type { TreeIndex } from './tree-index.ts';

export interface ApplyInput {
  readonly roots: RootDirectories;
  readonly actions: readonly RestoreAction[];
  /** All that the restore touches; more than `actions` when a part was done before an interruption. */
  readonly touched: readonly RestoreAction[];
  /** The snapshot to go to, for directories around what is restored. */
  readonly target: TreeIndex;
  readonly targetTree: SnapshotTree;
  /** The mode of a directory before the restore began, which an interrupted run may have widened. */
  readonly modeBefore: (path: Bytes) => number | undefined;
  readonly objects: Directory;
  readonly hash: Hash;
  /** CHUNK_BYTES of memory. */
  readonly chunk: Uint8Array;
  /** Makes the names of temporary files; the same for each run of one restore, so that a rerun finds them. */
  readonly temporaryPrefix: Bytes;
}

export interface ApplyResult {
  readonly done: readonly RestoreAction[];
  /** What was not done, and why. */
  readonly kept: readonly { readonly action: RestoreAction; readonly reason: string }[];
}

/**
 * Carries out the actions. Each one is complete or not begun whenever the process dies, and doing them
 * again does nothing: a file comes by rename, never through the inode that is there.
 */
export function applyRestore(input: ApplyInput): ApplyResult {
  return new Application(input).run();
}

class Application {
  readonly #input: ApplyInput;
  readonly #done: RestoreAction[] = [];
  readonly #kept: { action: RestoreAction; reason: string }[] = [];
  /** Directories whose entries or mode were touched, with the mode that each had. */
  readonly #touched = new Map<Bytes, number>();
  /** Directories that have been made writable where they were not. */
  readonly #opened = new Set<Bytes>();
  #temporaryCount = 0;

  constructor(input: ApplyInput) {
    this.#input = input;
  }

  run(): ApplyResult {
    const { actions } = this.#input;
    for (const action of actions.toReversed()) if (action.want === undefined) this.#attempt(action, () => this.#remove(action));
    for (const action of actions)
      if (action.want !== undefined) this.#attempt(action, () => this.#bringBack(action, action.want as Entry));
    this.#joinLinks();
    this.#finishDirectories();
    return { done: this.#done, kept: this.#kept };
  }

  /** Names that were one inode become one again. */
  #joinLinks(): void {
    const { roots, targetTree, temporaryPrefix, touched } = this.#input;
    const restored = new Map<Bytes, Entry>();
    for (const { path, want } of touched) if (want?.kind === 'file' && want.links > 1) restored.set(path, want);
    if (restored.size === 0) return;
    const members = Array.from(restored, ([path, want]) => ({ path, want }));
    joinLinkGroups(roots, findLinkGroups(targetTree, members), restored, `${temporaryPrefix}link` as Bytes);
  }

  #attempt(action: RestoreAction, run: () => string | undefined): void {
    const reason = reasonOfDamage(run);
    if (reason === undefined) this.#done.push(action);
    else this.#kept.push({ action, reason });
  }

  /** @returns why it stays, undefined when it is gone. */
  #remove({ path, now }: RestoreAction): string | undefined {
    const parent = this.#writableParent(path);
    const name = baseName(path);
    const stat = parent?.stat(name);
    if (parent === undefined || stat === undefined || now === undefined) return undefined;
    if (now.kind === 'directory' && stat.kind === 'directory') return this.#removeDirectory(parent, name, path);
    if (stat.kind === 'directory' || !isAsPlanned(now, stat)) return 'changed meanwhile';
    parent.removeFile(name);
    return undefined;
  }

  #removeDirectory(parent: Directory, name: Bytes, path: Bytes): string | undefined {
    try {
      this.#input.roots.forget();
      (this.#input.roots.parentOf(path) ?? parent).removeDirectory(name);
      return undefined;
    } catch (error) {
      if (isErrno(error, 'ENOTEMPTY', 'EEXIST')) return 'holds what the session did not make, or what no snapshot holds';
      throw error;
    }
  }

  /** @returns why it was not brought back, undefined when it was. */
  #bringBack(action: RestoreAction, want: Entry): string | undefined {
    const { path, now, type } = action;
    if (want.kind === 'directory' && now?.kind === 'directory') {
      this.#touched.set(path, want.mode);
      return undefined;
    }
    const parent = this.#writableParent(path);
    if (parent === undefined) return 'its directory is gone';
    const name = baseName(path);
    const stat = parent.stat(name);
    if (!isAsPlanned(now, stat)) return 'changed meanwhile';
    if (stat?.kind === 'directory') {
      const reason = this.#removeDirectory(parent, name, path);
      if (reason !== undefined) return reason;
    }
    // Through an inode with other names nothing is set: they may lie outside the root.
    const isAlone = stat !== undefined && stat.kind !== 'directory' && stat.links === 1;
    if ((type === 'p' || type === 'm') && isAlone) this.#setMetadata(parent, name, want);
    else
      this.#create(
        this.#input.roots.parentOf(path) as Directory,
        name,
        path,
        want,
        stat !== undefined && stat.kind !== 'directory',
      );
    return undefined;
  }

  #setMetadata(parent: Directory, name: Bytes, want: Entry): void {
    if (want.kind === 'file') parent.setMode(name, want.mode);
    parent.setModificationTime(name, want.mtimeSeconds, want.mtimeNanoseconds);
  }

  #create(parent: Directory, name: Bytes, path: Bytes, want: Entry, isTaken: boolean): void {
    if (want.kind === 'directory') {
      if (isTaken) parent.removeFile(name);
      parent.createDirectory(name, OWNER_MODE);
      this.#touched.set(path, want.mode);
      return;
    }
    const temporary = `${this.#input.temporaryPrefix}${this.#temporaryCount++}` as Bytes;
    if (want.kind === 'symlink') this.#makeSymlink(parent, temporary, want);
    else this.#writeFile(parent, temporary, want);
    parent.rename(temporary, parent, name);
  }

  #makeSymlink(parent: Directory, temporary: Bytes, want: Entry): void {
    parent.createSymlink(temporary, want.target);
    parent.setModificationTime(temporary, want.mtimeSeconds, want.mtimeNanoseconds);
  }

  #writeFile(parent: Directory, temporary: Bytes, want: Entry): void {
    const { objects, hash, chunk } = this.#input;
    try {
      using file = parent.createFile(temporary, 0o600);
      const writer = new SparseWriter(file);
      for (const piece of readObject(objects, want.hash, hash, chunk)) writer.write(piece);
      writer.finish();
      file.setMode(want.mode);
      file.setModificationTime(want.mtimeSeconds, want.mtimeNanoseconds);
    } catch (error) {
      if (parent.stat(temporary) !== undefined) parent.removeFile(temporary);
      throw error;
    }
  }

  /** The directory that holds `path`, made writable for its owner for as long as the restore lasts. */
  #writableParent(path: Bytes): Directory | undefined {
    const parent = this.#input.roots.parentOf(path);
    const directory = parentPath(path);
    if (parent === undefined || this.#opened.has(directory) || !this.#input.roots.contains(directory)) return parent;
    this.#opened.add(directory);
    const { mode } = parent.statSelf();
    // A directory that gets another mode itself is in the map already.
    if (!this.#touched.has(directory)) this.#touched.set(directory, this.#input.modeBefore(directory) ?? mode);
    if ((mode & OWNER_MODE) === OWNER_MODE) return parent;
    this.#input.roots.parentOf(directory)?.setMode(baseName(directory), mode | OWNER_MODE);
    return this.#input.roots.parentOf(path);
  }

  /** Deepest first: setting a time or a mode above does not change what is below. */
  #finishDirectories(): void {
    const { roots, target } = this.#input;
    for (const [path, mode] of [...this.#touched].sort(([a], [b]) => (a < b ? 1 : -1))) {
      const want = target.find(path);
      const parent = roots.parentOf(path);
      const name = baseName(path);
      const stat = parent?.stat(name);
      if (parent === undefined || stat?.kind !== 'directory') continue;
      // The listing first: the mode may close it.
      const isListedAgain = want?.kind === 'directory' && hasNames(namesNow(roots, path), target.names(path));
      if (isListedAgain) roots.parentOf(path)?.setModificationTime(name, want.mtimeSeconds, want.mtimeNanoseconds);
      if (stat.mode !== mode) roots.parentOf(path)?.setMode(name, mode);
    }
  }
}

/** One content that is damaged keeps its path as it is and no other one. */
function reasonOfDamage(run: () => string | undefined): string | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof DamageError) return error.message;
    throw error;
  }
}

/** Whether nobody has touched what stands there since the plan was made. */
function isAsPlanned(now: Entry | undefined, stat: Stat | undefined): boolean {
  if (now === undefined || stat === undefined) return now === stat;
  if (now.kind === 'directory' || stat.kind === 'directory') return now.kind === stat.kind;
  // The restore itself moves the ctime of a file when it replaces another name of it.
  const ctime = stat.links > 1 || now.links > 1 ? pickCtime(stat) : pickCtime(now);
  return isSameInodeState({ ...now, ...ctime }, stat);
}

function pickCtime({ ctimeSeconds, ctimeNanoseconds }: Pick<Stat, 'ctimeSeconds' | 'ctimeNanoseconds'>) {
  return { ctimeSeconds, ctimeNanoseconds };
}

function hasNames(now: readonly Bytes[] | undefined, wanted: Iterable<Bytes> | undefined): boolean {
  if (now === undefined || wanted === undefined) return false;
  const names = [...wanted];
  return names.length === now.length && names.every((name, index) => name === now[index]);
}
