import type { Bytes } from '../bytes.ts';
import { isErrno } from '../errors.ts';
import { nextTurn } from '../next-turn.ts';
import { baseName, parentPath } from '../paths.ts';
import type { Directory, Stat } from '../ports/files.ts';
import { CHANGED_MEANWHILE, FORBIDDEN, reasonOfFailure } from './apply-failure.ts';
import { type ApplyInput, type ApplyResult, type MadeFile, type MadeFiles } from './apply-input.ts';
import { type Entry, isSameInodeState } from './entry.ts';
import { findLinkGroups, joinLinkGroup } from './link-groups.ts';
import type { PackedFile } from './node-codec.ts';
import { CHUNK_BYTES, hashRest } from './objects.ts';
import { writeWantedFile } from './restore-file.ts';
import { OWNER_MODE, type RestoreAction } from './restore-plan.ts';
import { TouchedDirectories } from './touched-directories.ts';

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
const TEMPORARY_ATTEMPTS = 1000;

class Application {
  readonly #input: ApplyInput;
  readonly #directories: TouchedDirectories;
  readonly #chunk = new Uint8Array(new ArrayBuffer(CHUNK_BYTES));
  readonly #done: RestoreAction[] = [];
  readonly #kept: { action: RestoreAction; reason: string }[] = [];
  /** Files that were made elsewhere, as they are now. */
  readonly #written = new Map<Bytes, PackedFile>();
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
    this.#directories = new TouchedDirectories(input);
  }

  async run(): Promise<ApplyResult> {
    const { actions, touched, makeMissing } = this.#input;
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
    const { listed, failed, untimed } = this.#directories.finish(touched);
    return { ...this.#without(failed, untimed), written: this.#written, listed };
  }

  /** What was done and kept, when these directories did not get their modes and times, or their times alone. */
  #without(failed: ReadonlyMap<Bytes, string>, untimed: ReadonlySet<Bytes>): Pick<ApplyResult, 'done' | 'kept'> {
    const done = this.#done.filter(({ path, type, want }) => type !== 'm' || want?.kind !== 'directory' || !untimed.has(path));
    if (failed.size === 0) return { done, kept: this.#kept };
    const unfinished = done.flatMap((action) => {
      const reason = action.want?.kind === 'directory' ? failed.get(action.path) : undefined;
      return reason === undefined ? [] : [{ action, reason }];
    });
    const left = new Set(unfinished.map(({ action }) => action));
    return { done: done.filter((action) => !left.has(action)), kept: [...this.#kept, ...unfinished] };
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
    if (!this.#input.roots.isPlain(path)) return false;
    const failure = reasonOfFailure(() =>
      this.#directories.writableParent(path) === undefined ? 'its directory is gone' : undefined,
    );
    if (failure !== undefined) return false;
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
    const made = new Set(this.#done.filter(({ type }) => type === '+' || type === '~').map(({ path }) => path));
    // Size and times are the command's to choose: what was not made just now is read.
    const holds = (path: Bytes, want: Entry) => made.has(path) || this.#holds(path, want);
    const temporary = `${temporaryPrefix}link` as Bytes;
    for (const group of findLinkGroups(targetTree, members)) {
      reasonOfFailure(() => joinLinkGroup(roots, group, restored, { temporary, holds }));
    }
  }

  /** Whether the content of `want` stands at `path`; false also for what cannot be read. */
  #holds(path: Bytes, want: Entry): boolean {
    try {
      using file = this.#input.roots.parentOf(path)?.openFile(baseName(path));
      return file !== undefined && hashRest(file, this.#input.hash, this.#chunk, want.sizeBytes) === want.hash;
    } catch (error) {
      if (isErrno(error, 'EACCES', 'EPERM', 'EAGAIN', 'ENXIO', ...CHANGED_MEANWHILE)) return false;
      throw error;
    }
  }

  #attempt(action: RestoreAction, run: () => string | undefined): void {
    const reason = reasonOfFailure(run);
    if (reason === undefined) this.#done.push(action);
    else this.#kept.push({ action, reason });
  }

  /** @returns why it stays, undefined when it is gone. */
  #remove({ path, now }: RestoreAction): string | undefined {
    const parent = this.#directories.writableParent(path);
    const name = baseName(path);
    const stat = parent?.stat(name);
    if (parent === undefined || stat === undefined || now === undefined) return undefined;
    if (now.kind === 'directory' && stat.kind === 'directory') return this.#removeDirectory(path);
    if (stat.kind === 'directory' || !isAsPlanned(now, stat)) return 'changed meanwhile';
    parent.removeFile(name);
    return undefined;
  }

  #removeDirectory(path: Bytes): string | undefined {
    try {
      // It may be among those that are open.
      this.#input.roots.forget();
      const parent = this.#input.roots.parentOf(path);
      if (parent === undefined) return 'its directory is gone';
      parent.removeDirectory(baseName(path));
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
      this.#directories.touch(path, want.mode);
      return undefined;
    }
    const parent = this.#directories.writableParent(path);
    if (parent === undefined) return 'its directory is gone';
    const name = baseName(path);
    const stat = parent.stat(name);
    if (!isAsPlanned(now, stat)) return 'changed meanwhile';
    if (stat?.kind === 'directory') {
      const reason = this.#removeDirectory(path);
      if (reason !== undefined) return reason;
    }
    // Through an inode with other names nothing is set: they may lie outside the root.
    const isAlone = stat !== undefined && stat.kind !== 'directory' && stat.links === 1;
    if ((type === 'p' || type === 'm') && isAlone) {
      this.#setMetadata(parent, name, want);
      return undefined;
    }
    const isTaken = stat !== undefined && stat.kind !== 'directory';
    // What was closed to remove a directory is opened again.
    const place = this.#input.roots.parentOf(path);
    if (place === undefined) return 'its directory is gone';
    this.#create(place, name, path, want, isTaken);
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
      this.#directories.touch(path, want.mode);
      return;
    }
    const temporary = this.#freeTemporaryName(parent);
    if (want.kind === 'symlink') this.#makeSymlink(parent, temporary, want);
    else writeWantedFile(parent, temporary, want, { ...this.#input, chunk: this.#chunk });
    try {
      if (isTaken) parent.rename(temporary, parent, name);
      else parent.renameNew(temporary, parent, name);
    } catch (error) {
      if (parent.stat(temporary) !== undefined) parent.removeFile(temporary);
      throw error;
    }
  }

  /** The command that still runs can tell the names, and take some of them. */
  #freeTemporaryName(parent: Directory): Bytes {
    for (let attempt = 1; ; attempt++) {
      const name = this.#temporaryName();
      if (attempt === TEMPORARY_ATTEMPTS || parent.stat(name) === undefined) return name;
    }
  }

  #makeSymlink(parent: Directory, temporary: Bytes, want: Entry): void {
    parent.createSymlink(temporary, want.target);
    parent.setModificationTime(temporary, want.mtimeSeconds, want.mtimeNanoseconds);
  }
}

function isMissingFile({ now, want }: RestoreAction): boolean {
  return now === undefined && want?.kind === 'file';
}

function reasonOf(result: MadeFile): string | undefined {
  if (result.kind === 'vanished') return 'its directory is gone';
  if (result.kind !== 'skipped') return undefined;
  if (result.reason === 'untouched') return FORBIDDEN;
  return result.reason === 'changing'
    ? 'changed meanwhile'
    : 'its stored content is missing or damaged, see `nono rollback verify`';
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
