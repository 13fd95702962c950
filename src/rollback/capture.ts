import type { Bytes } from '../bytes.ts';
import { isErrno } from '../errors.ts';
import { baseName, joinPath } from '../paths.ts';
import type { Directory, Files, Stat } from '../ports/files.ts';
import type { Hash } from '../ports/hash.ts';
import { type ContentSink, type Draft, Drafts } from './drafts.ts';
import { type Entry, isSameInodeState, metadataOf, NO_HASH, type SkipReason, skippedEntry } from './entry.ts';
import type { GitTracked } from './git-work-tree.ts';
import type { RuleScope, Rules } from './rules.ts';
import { readSmallFile } from './small-file.ts';
import type { SnapshotTree } from './snapshot-tree.ts';

/** Deeper directories are skipped: no real tree has them, and the walk needs stack for each level. */
const DEPTH_MAXIMUM = 1000;
const EMPTY = '' as Bytes;

export interface CaptureRoot {
  /** Absolute, links resolved. */
  readonly path: Bytes;
  readonly rules: Rules;
  /**
   * Given at the baseline only: ignore files are read on the way and added to the rules, and what git
   * tracks is kept in spite of them. Later snapshots go by the stored rules.
   */
  readonly collect: GitTracked | undefined;
}

export interface CaptureLimits {
  readonly maxFileBytes: number;
  readonly maxSessionBytes: number;
  readonly maxEntries: number;
}

/** One content to read, or to take over from an earlier session. */
export interface ContentTask {
  /** The index of the root; its directory is the one that holds it when the root is a file. */
  readonly root: number;
  readonly path: Bytes;
  /** The content's hash when an earlier session holds it, else NO_HASH. */
  readonly knownHash: Bytes;
  readonly sink: ContentSink;
  readonly position: number;
}

/** Where the contents of files are read and stored: in this thread or in others. */
export interface ContentReader {
  /** Begins with a task; its sink is told later, in this thread, or before this returns. */
  submit(task: ContentTask): void;
  /**
   * Resolves when all is done, with the bytes that were newly stored. Rejects with what is no property of
   * one file, such as a full disk.
   */
  finish(): Promise<number>;
}

export interface CaptureInput {
  readonly files: Files;
  readonly hash: Hash;
  readonly roots: readonly CaptureRoot[];
  /** A snapshot of the same roots: what is unchanged since is not read again. */
  readonly previous: SnapshotTree | undefined;
  /** True when `previous` belongs to another session, whose objects must be taken over. */
  readonly isForeign: boolean;
  readonly limits: CaptureLimits;
  readonly reader: ContentReader;
  /** Called now and then with the number of entries so far. */
  readonly onProgress?: ((entries: number) => void) | undefined;
}

/**
 * Walks the roots and gives the drafts of their nodes, all contents settled.
 *
 * Nothing that the tree holds makes it fail: what cannot be stored becomes a skipped entry.
 */
export async function captureTree(input: CaptureInput): Promise<{ readonly drafts: Drafts; readonly storedBytes: number }> {
  const drafts = new Drafts();
  const previousRoots = input.previous?.roots() ?? [];
  const entries: Entry[] = [];
  const counters = { entries: 0, bytes: 0 };
  for (const [index, root] of input.roots.entries()) {
    const previous = previousRoots.find(({ name }) => name === root.path);
    const entry = new RootWalk(input, drafts, index, root, counters).capture(previous);
    if (entry !== undefined) entries.push(entry);
  }
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  const draft = drafts.add(entries, input.isForeign ? undefined : input.previous?.rootReference);
  submitContents(input, draft, entries, (entry) => ({
    root: input.roots.findIndex(({ path }) => path === entry.name),
    path: baseName(entry.name),
  }));
  return { drafts, storedBytes: await input.reader.finish() };
}

/** Hands on the contents of the files in a node that are not known, or held by another session only. */
function submitContents(
  { reader, isForeign }: CaptureInput,
  draft: Draft,
  entries: readonly Entry[],
  place: (entry: Entry) => { readonly root: number; readonly path: Bytes },
): void {
  let position = draft.firstEntryOffset;
  for (const entry of entries) {
    if (entry.kind === 'file' && (isForeign || entry.hash === NO_HASH)) {
      reader.submit({ ...place(entry), knownHash: entry.hash, sink: draft, position });
    }
    position = draft.offsetAfter(position);
  }
}

interface Level {
  readonly path: Bytes;
  readonly scope: RuleScope;
  readonly depth: number;
  /** True below a directory that is left out but leads to something that git tracks. */
  readonly isInsideExcluded: boolean;
}

class RootWalk {
  readonly #input: CaptureInput;
  readonly #drafts: Drafts;
  readonly #index: number;
  readonly #root: CaptureRoot;
  readonly #counters: { entries: number; bytes: number };

  constructor(
    input: CaptureInput,
    drafts: Drafts,
    index: number,
    root: CaptureRoot,
    counters: { entries: number; bytes: number },
  ) {
    this.#input = input;
    this.#drafts = drafts;
    this.#index = index;
    this.#root = root;
    this.#counters = counters;
  }

  /** @returns undefined when there is nothing at the root's path. */
  capture(previous: Entry | undefined): Entry | undefined {
    const { path } = this.#root;
    const stat = this.#input.files.stat(path);
    if (stat === undefined) return undefined;
    if (stat.kind !== 'directory') return this.#fileEntry(path, stat, previous);
    using directory = this.#input.files.openDirectory(path);
    const level: Level = { path: EMPTY, scope: [], depth: 0, isInsideExcluded: false };
    return this.#captureDirectory(directory, path, directory.statSelf(), level, previous);
  }

  /** Lists a directory while it is open and goes into its subdirectories after it is closed, so one is open at a time. */
  #captureDirectory(rootDirectory: Directory, name: Bytes, stat: Stat, level: Level, previous: Entry | undefined): Entry {
    const known = this.#childrenOf(previous);
    const subdirectories: { index: number; stat: Stat; isExcluded: boolean; previous: Entry | undefined }[] = [];
    const entries: (Entry | undefined)[] = [];
    let scope = level.scope;
    {
      using directory = rootDirectory.openDirectory(level.path);
      const names = directory.names().sort();
      this.#collectRules(directory, names, level);
      scope = this.#root.rules.enter(level.scope, level.path);
      for (const child of names) {
        const childStat = directory.stat(child);
        if (childStat === undefined) continue;
        const before = known?.get(child);
        const path = joinPath(level.path, child);
        const skip = this.#reasonToSkip(path, child, childStat, { ...level, scope }, before);
        if (skip.reason !== undefined) entries.push(skippedEntry(child, skip.reason, childStat));
        else if (childStat.kind !== 'directory') entries.push(this.#otherEntry(directory, child, childStat, before));
        else {
          subdirectories.push({ index: entries.length, stat: childStat, isExcluded: skip.isExcluded, previous: before });
          entries.push(skippedEntry(child, 'unreadable', childStat));
        }
      }
    }
    this.#reportProgress();
    for (const { index, stat: childStat, isExcluded, previous: before } of subdirectories) {
      const child = (entries[index] as Entry).name;
      const below = { path: joinPath(level.path, child), scope, depth: level.depth + 1, isInsideExcluded: isExcluded };
      entries[index] = this.#enter(rootDirectory, child, childStat, below, before);
    }
    const draft = this.#addNode(level.path, entries, previous);
    const child = { snapshot: 0, offset: draft.number };
    return { ...metadataOf(stat), name, kind: 'directory', reason: undefined, hash: NO_HASH, target: EMPTY, child };
  }

  #childrenOf(previous: Entry | undefined): ReadonlyMap<Bytes, Entry> | undefined {
    if (previous?.child === undefined || this.#input.previous === undefined) return undefined;
    return new Map(this.#input.previous.children(previous.child).map((entry) => [entry.name, entry]));
  }

  #addNode(path: Bytes, listed: readonly (Entry | undefined)[], previous: Entry | undefined): Draft {
    const entries = listed.filter((entry) => entry !== undefined);
    const draft = this.#drafts.add(entries, this.#input.isForeign ? undefined : previous?.child);
    submitContents(this.#input, draft, entries, ({ name }) => ({ root: this.#index, path: joinPath(path, name) }));
    return draft;
  }

  /** @returns undefined when the directory is gone. */
  #enter(root: Directory, name: Bytes, stat: Stat, level: Level, previous: Entry | undefined): Entry | undefined {
    try {
      return this.#captureDirectory(root, name, stat, level, previous);
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return undefined;
      if (isErrno(error, 'ENOTDIR', 'ELOOP')) return skippedEntry(name, 'changing', stat);
      if (isErrno(error, 'EXDEV')) return skippedEntry(name, 'mount', stat);
      if (isErrno(error, 'EACCES', 'EPERM')) return skippedEntry(name, 'unreadable', stat);
      throw error;
    }
  }

  #reasonToSkip(
    path: Bytes,
    name: Bytes,
    stat: Stat,
    level: Level,
    previous: Entry | undefined,
  ): { readonly reason: SkipReason | undefined; readonly isExcluded: boolean } {
    const isDirectory = stat.kind === 'directory';
    const isExcluded = level.isInsideExcluded || this.#root.rules.isExcluded(level.scope, path, name, isDirectory);
    if (isExcluded && !this.#isKept(path, isDirectory)) return { reason: 'excluded', isExcluded };
    if (stat.isMountPoint) return { reason: 'mount', isExcluded };
    return { reason: this.#passedLimit(stat, level.depth, previous), isExcluded };
  }

  /** A link, a regular file, or what no snapshot holds. */
  #otherEntry(directory: Directory, name: Bytes, stat: Stat, previous: Entry | undefined): Entry | undefined {
    switch (stat.kind) {
      case 'file':
        return this.#fileEntry(name, stat, previous);
      case 'symlink':
        return this.#symlinkEntry(directory, name, stat);
      case 'fifo':
      case 'socket':
        return skippedEntry(name, stat.kind, stat);
      default:
        return skippedEntry(name, 'device', stat);
    }
  }

  #fileEntry(name: Bytes, stat: Stat, previous: Entry | undefined): Entry {
    const hash = this.#isUnchanged(previous, stat) ? previous.hash : NO_HASH;
    return { ...metadataOf(stat), name, kind: 'file', reason: undefined, hash, target: EMPTY, child: undefined };
  }

  #isUnchanged(previous: Entry | undefined, stat: Stat): previous is Entry {
    if (previous?.kind !== 'file' || !isSameInodeState(previous, stat)) return false;
    return this.#input.previous?.isRacy(previous) === false;
  }

  #symlinkEntry(directory: Directory, name: Bytes, stat: Stat): Entry | undefined {
    try {
      const target = directory.readLink(name);
      const hash = this.#input.hash.sha256(Buffer.from(target, 'latin1'));
      return { ...metadataOf(stat), name, kind: 'symlink', reason: undefined, mode: 0o777, hash, target, child: undefined };
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return undefined;
      if (isErrno(error, 'EINVAL')) return skippedEntry(name, 'changing', stat);
      throw error;
    }
  }

  /** What the previous snapshot of the session holds is never left out for a limit. */
  #passedLimit(stat: Stat, depth: number, previous: Entry | undefined): SkipReason | undefined {
    const counters = this.#counters;
    counters.entries += 1;
    if (!this.#input.isForeign && previous !== undefined && previous.kind !== 'skipped') return undefined;
    const { maxEntries, maxFileBytes, maxSessionBytes } = this.#input.limits;
    if (counters.entries > maxEntries || depth >= DEPTH_MAXIMUM) return 'entry-limit';
    if (stat.kind !== 'file') return undefined;
    if (stat.sizeBytes > maxFileBytes) return 'file-limit';
    if (counters.bytes + stat.sizeBytes > maxSessionBytes) return 'session-limit';
    counters.bytes += stat.sizeBytes;
    return undefined;
  }

  #isKept(path: Bytes, isDirectory: boolean): boolean {
    const { rules, collect } = this.#root;
    if (rules.isLeftOutByPattern(path, isDirectory)) return false;
    if (rules.isKept(path)) return true;
    const isTracked = isDirectory ? collect?.hasBelow(path) : collect?.isFile(path);
    if (isTracked !== true) return false;
    rules.keep(path);
    return true;
  }

  #collectRules(directory: Directory, names: readonly Bytes[], level: Level): void {
    const { collect, rules, path } = this.#root;
    if (collect === undefined) return;
    if (level.path !== '' && names.includes('.git' as Bytes)) collect.addWorkTree(joinPath(path, level.path));
    if (level.isInsideExcluded || !names.includes('.gitignore' as Bytes)) return;
    const text = readSmallFile(directory, '.gitignore' as Bytes);
    if (text !== undefined) rules.addIgnoreFile(level.path, EMPTY, text);
  }

  #reportProgress(): void {
    this.#input.onProgress?.(this.#counters.entries);
  }
}
