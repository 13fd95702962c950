import type { Bytes } from '../bytes.ts';
import { DamageError, isErrno } from '../errors.ts';
import { nextTurn } from '../next-turn.ts';
import { baseName, parentPath } from '../paths.ts';
import type { Directory, Stat } from '../ports/files.ts';
import { type ApplyInput, type ApplyResult, type MadeFile, type MadeFiles } from './apply-input.ts';
import { type Entry, isSameInodeState } from './entry.ts';
import { findLinkGroups, joinLinkGroups } from './link-groups.ts';
import type { PackedFile } from './node-codec.ts';
import { CHUNK_BYTES } from './objects.ts';
import { namesNow } from './probe.ts';
import { writeWantedFile } from './restore-file.ts';
import { OWNER_MODE, type RestoreAction } from './restore-plan.ts';
import { TreeIndex } from './tree-index.ts';

/**
 * Carries out the actions. Each one is complete or not begun whenever the process dies, and doing them
 * again does nothing: a file comes by rename, never through the inode that is there.
 */
export async function applyRestore(input: ApplyInput): Promise<ApplyResult> {
  return await new Application(input).run();
}

/** Actions between two words about how far it is. */
const TRIED_AT_ONCE = 256;
/** Enough that a message costs little for each file, and few enough that no thread idles at the end. */
const MADE_AT_ONCE = 250;

class Application {
  readonly #input: ApplyInput;
  /** For directories around what is restored. */
  readonly #target: TreeIndex;
  readonly #chunk = new Uint8Array(new ArrayBuffer(CHUNK_BYTES));
  readonly #done: RestoreAction[] = [];
  readonly #kept: { action: RestoreAction; reason: string }[] = [];
  /** Directories whose entries or mode were touched, with the mode that each had. */
  readonly #touched = new Map<Bytes, number>();
  /** Directories that have been made writable where they were not. */
  readonly #opened = new Set<Bytes>();
  /** Files that were made elsewhere, as they are now. */
  readonly #written = new Map<Bytes, PackedFile>();
  readonly #listed = new Map<Bytes, readonly Bytes[]>();
  #temporaryCount = 0;
  /** What other threads are making, in the order of the actions. */
  readonly #making: Promise<MadeFiles>[] = [];
  /** Of these, the files that were answered and are not among the done or kept yet. */
  #madeCount = 0;
  /** Actions gone through, carried out or handed over. */
  #looked = 0;
  /** A directory that files can be made in. */
  #lastMakeable: Bytes | undefined;

  constructor(input: ApplyInput) {
    this.#input = input;
    this.#target = new TreeIndex(input.targetTree);
  }

  async run(): Promise<ApplyResult> {
    const { actions, makeMissing } = this.#input;
    for (const action of actions.toReversed()) {
      if (action.want !== undefined) continue;
      this.#attempt(action, () => this.#remove(action));
      await this.#pause();
    }
    let missing: RestoreAction[] = [];
    for (const action of actions) {
      if (action.want === undefined) continue;
      if (makeMissing !== undefined && isMissingFile(action) && this.#isMakeable(action.path)) {
        missing.push(action);
        if (missing.length === MADE_AT_ONCE) {
          this.#hand(missing, makeMissing);
          missing = [];
        }
      } else this.#attempt(action, () => this.#bringBack(action, action.want as Entry));
      await this.#pause();
    }
    if (makeMissing !== undefined && missing.length > 0) this.#hand(missing, makeMissing);
    for (const made of this.#making) this.#settle(await made);
    this.#input.roots.forget();
    this.#joinLinks();
    this.#finishDirectories();
    return { done: this.#done, kept: this.#kept, written: this.#written, listed: this.#listed };
  }

  /** Every now and then: says how far it is, and lets a signal be heard. */
  #pause(): Promise<void> | undefined {
    this.#looked += 1;
    if (this.#looked % TRIED_AT_ONCE !== 0) return undefined;
    this.#tell();
    return nextTurn();
  }

  #tell(): void {
    this.#input.onProgress?.(this.#done.length + this.#kept.length + this.#madeCount);
  }

  /** Makes its directory writable. @returns false where only this thread knows the way: a root itself, a mount. */
  #isMakeable(path: Bytes): boolean {
    const directory = parentPath(path);
    // Neighbours come one after the other, and nothing takes a directory away once files are made.
    if (this.#lastMakeable === directory) return true;
    if (!this.#input.roots.isPlain(path) || this.#writableParent(path) === undefined) return false;
    if (this.#input.roots.contains(directory)) this.#lastMakeable = directory;
    return true;
  }

  /** Files that are not there do not depend on each other: other threads make them while this one looks for more. */
  #hand(actions: readonly RestoreAction[], make: NonNullable<ApplyInput['makeMissing']>): void {
    const files = actions.map(({ path, want }) => ({ path, want: want as Entry, temporary: this.#temporaryName() }));
    const made = make(files).then((results) => {
      this.#madeCount += results.length;
      this.#tell();
      return { actions, results };
    });
    // Seen when all are waited for; a failure before that would count as unhandled.
    made.catch(() => undefined);
    this.#making.push(made);
  }

  #settle({ actions, results }: MadeFiles): void {
    this.#madeCount -= results.length;
    for (const [index, action] of actions.entries()) {
      const result = results[index] as MadeFile;
      const reason = reasonOf(result);
      if (reason === undefined) this.#done.push(action);
      else this.#kept.push({ action, reason });
      const isAlone = action.want !== undefined && action.want.links < 2;
      if (result.kind === 'made' && isAlone) this.#written.set(action.path, result.file);
    }
  }

  #temporaryName(): Bytes {
    return `${this.#input.temporaryPrefix}${this.#temporaryCount++}` as Bytes;
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
    const temporary = this.#temporaryName();
    if (want.kind === 'symlink') this.#makeSymlink(parent, temporary, want);
    else writeWantedFile(parent, temporary, want, { ...this.#input, chunk: this.#chunk });
    parent.rename(temporary, parent, name);
  }

  #makeSymlink(parent: Directory, temporary: Bytes, want: Entry): void {
    parent.createSymlink(temporary, want.target);
    parent.setModificationTime(temporary, want.mtimeSeconds, want.mtimeNanoseconds);
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
    const { roots } = this.#input;
    const target = this.#target;
    for (const [path, mode] of [...this.#touched].sort(([a], [b]) => (a < b ? 1 : -1))) {
      const want = target.find(path);
      const parent = roots.parentOf(path);
      const name = baseName(path);
      const stat = parent?.stat(name);
      if (parent === undefined || stat?.kind !== 'directory') continue;
      // The listing first: the mode may close it.
      const names = namesNow(roots, path);
      if (names !== undefined) this.#listed.set(path, names);
      const isListedAgain = want?.kind === 'directory' && hasNames(names, target.names(path));
      if (isListedAgain) roots.parentOf(path)?.setModificationTime(name, want.mtimeSeconds, want.mtimeNanoseconds);
      if (stat.mode !== mode) roots.parentOf(path)?.setMode(name, mode);
    }
  }
}

function isMissingFile({ now, want }: RestoreAction): boolean {
  return now === undefined && want?.kind === 'file';
}

function reasonOf(result: MadeFile): string | undefined {
  if (result.kind === 'vanished') return 'its directory is gone';
  if (result.kind !== 'skipped') return undefined;
  return result.reason === 'changing'
    ? 'changed meanwhile'
    : 'its stored content is missing or damaged, see `nono rollback verify`';
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

function hasNames(now: readonly Bytes[] | undefined, wanted: readonly Bytes[] | undefined): boolean {
  if (now === undefined || wanted === undefined) return false;
  return wanted.length === now.length && wanted.every((name, index) => name === now[index]);
}
