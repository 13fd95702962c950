import type { Bytes } from '../bytes.ts';
import { DamageError, isErrno } from '../errors.ts';
import { joinPath } from '../paths.ts';
import type { Directory } from '../ports/files.ts';
import { type Listing, nameIn, RECORD, RECORD_KINDS, readInt64, readUint64 } from '../ports/listing.ts';
import { Admission, type Counters, type Level } from './admission.ts';
import { type CaptureInput, type CaptureRoot } from './capture-input.ts';
import { Draft, nodeOf } from './drafts.ts';
import { type Entry, MAPPED_BYTES, metadataOf, NO_HASH, type NodeReference, type SkipReason, skippedEntry } from './entry.ts';
import { fileRoot, isRacy, linkRoot, submitRootFiles } from './file-roots.ts';
import { knownOf } from './known-contents.ts';
import { NodeBuilder } from './node-builder.ts';
import { FIELD, KIND_CODES, NodesDamage } from './node-codec.ts';
import { patchDraftNumber, patchSkipped, readReference } from './node-edit.ts';
import { plainNodeWork } from './node-work.ts';
import { isCovered, openTracked, statRoot } from './open-root.ts';
import type { RuleScope } from './rules.ts';

const EMPTY = '' as Bytes;

/**
 * Walks the roots and gives the drafts of their nodes.
 *
 * Nothing that the tree holds makes it fail: what cannot be stored becomes a skipped entry.
 *
 * @returns the bytes that were newly stored, when all contents are settled.
 */
export async function captureTree(input: CaptureInput): Promise<number> {
  const previousRoots = input.previous?.roots() ?? [];
  const entries: Entry[] = [];
  const counters: Counters = { entries: 0, bytes: 0 };
  for (const [index, root] of input.roots.entries()) {
    const previous = previousRoots.find(({ name }) => name === root.path);
    const entry = await new RootWalk(input, index, root, counters).capture(previous);
    if (entry !== undefined) entries.push(entry);
  }
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  const draft = new Draft(nodeOf(entries), input.isForeign ? undefined : input.previous?.rootReference);
  submitRootFiles(input, draft);
  input.drafts.add(draft);
  return await input.reader.finish(input.onWait);
}

/** What is to be done about a directory once its listing is closed. */
interface Work {
  /** The offset of its entry in the node. */
  readonly position: number;
  readonly name: Bytes;
}

interface Subdirectory extends Work {
  readonly isExcluded: boolean;
  readonly previous: NodeReference | undefined;
}

/** The entries of a directory as they are taken from its listing. */
interface Listed {
  readonly directory: Directory;
  readonly listing: Listing;
  readonly names: readonly Bytes[];
  readonly level: Level;
  /** The node of the same directory in the previous snapshot. */
  readonly known: Buffer | undefined;
  readonly subdirectories: Subdirectory[];
  /** The files to read. */
  readonly contents: Work[];
}

/** One entry. */
interface Found {
  /** Its record in the listing. */
  readonly at: number;
  readonly name: Bytes;
  /** The offset of what the previous snapshot has of it, -1 for nothing. */
  readonly before: number;
  /** Whether that has the same size, times and inode. */
  readonly isSame: boolean;
}

class RootWalk {
  readonly #input: CaptureInput;
  readonly #index: number;
  readonly #root: CaptureRoot;
  readonly #counters: Counters;
  readonly #admission: Admission;
  /** Of the one directory that is open. */
  readonly #builder = new NodeBuilder();
  /** Of the listing that is looked at. */
  #matches = new Int32Array(0);
  /** Whether times tell what has changed: see Directory.datesEachWrite(). */
  #isDated = false;
  /** Of its file system. */
  #device = 0;

  constructor(input: CaptureInput, index: number, root: CaptureRoot, counters: Counters) {
    this.#input = input;
    this.#index = index;
    this.#root = root;
    this.#counters = counters;
    this.#admission = new Admission(input, root, counters);
  }

  /** @returns undefined when there is nothing at the root's path. */
  async capture(previous: Entry | undefined): Promise<Entry | undefined> {
    const { path } = this.#root;
    const stat = statRoot(this.#input.files, path);
    if (stat === undefined) return undefined;
    if (stat.kind === 'symlink') return linkRoot(this.#input, path, stat);
    if (stat.kind !== 'directory') return fileRoot(this.#input, path, stat, previous);
    const { files, isForeign } = this.#input;
    if (!isForeign && isCovered(files, path, stat, previous)) return skippedEntry(path, 'mount', stat);
    try {
      return await this.#captureRoot(path, previous);
    } catch (error) {
      // Closed by the command: a baseline that holds nothing of a root is none.
      if (isForeign || previous === undefined || !isErrno(error, 'EACCES', 'EPERM')) throw error;
      return skippedEntry(path, 'unreadable', stat);
    }
  }

  async #captureRoot(path: Bytes, previous: Entry | undefined): Promise<Entry | undefined> {
    using directory = openTracked(this.#input.files, path);
    if (directory === undefined) return undefined;
    this.#isDated = directory.datesEachWrite();
    const level: Level = { path: EMPTY, scope: [], depth: 0, isInsideExcluded: false };
    const own = metadataOf(directory.statSelf());
    this.#device = own.device;
    const child = { snapshot: 0, offset: await this.#captureDirectory(directory, level, previous?.child) };
    return { ...own, name: path, kind: 'directory', reason: undefined, hash: NO_HASH, target: EMPTY, child };
  }

  /**
   * Lists a directory while it is open and goes into its subdirectories after it is closed, so one is open at a time.
   *
   * @returns the number of its draft.
   */
  async #captureDirectory(rootDirectory: Directory, level: Level, previous: NodeReference | undefined): Promise<number> {
    const subdirectories: Subdirectory[] = [];
    const contents: Work[] = [];
    const known = this.#previousNode(previous);
    const scope = this.#listDirectory(rootDirectory, level, { known, subdirectories, contents });
    const isFinal = contents.length === 0 && subdirectories.length === 0 && !this.#input.isForeign;
    const node = this.#builder.finish();
    // Of what has not changed there is no second copy in memory.
    const isSame = isFinal && known?.equals(node) === true;
    const draft = new Draft(isSame ? known : node, this.#input.isForeign ? undefined : previous);
    const task = (name: Bytes, position: number) => {
      draft.expect();
      return { root: this.#index, path: joinPath(level.path, name), sink: draft, position };
    };
    // Before the first content that is read is told: this goes by what has a hash.
    if (this.#input.isForeign && known !== undefined) {
      this.#input.reader.takeOver(knownOf(draft, (at) => task(nameIn(draft.bytes, at), at)));
    }
    for (const { name, position } of contents) this.#input.reader.submit(task(name, position));
    this.#input.onProgress?.(this.#counters.entries);
    // Memory must not grow with what the walk is ahead of the reading.
    const room = this.#input.reader.room();
    if (room !== undefined) {
      this.#input.onWait();
      await room;
    }
    for (const { name, position, isExcluded, previous: before } of subdirectories) {
      const below = { path: joinPath(level.path, name), scope, depth: level.depth + 1, isInsideExcluded: isExcluded };
      const entered = await this.#enter(rootDirectory, below, before);
      if (entered === undefined) draft.vanish(position);
      else if (typeof entered === 'number') patchDraftNumber(draft.bytes, position, entered);
      else patchSkipped(draft.bytes, position, entered);
    }
    return this.#input.drafts.add(draft);
  }

  /** Fills the builder. @returns the rules that hold in the directory. */
  #listDirectory(
    rootDirectory: Directory,
    level: Level,
    { known, subdirectories, contents }: Pick<Listed, 'known' | 'subdirectories' | 'contents'>,
  ): RuleScope {
    using directory = rootDirectory.openDirectory(level.path);
    const listing = directory.list();
    const names = Array.from(listing.offsets, (at) => nameIn(listing.bytes, at));
    this.#admission.collectRules(directory, names, level);
    const scope = this.#root.rules.enter(level.scope, level.path);
    const listed: Listed = { directory, listing, names, level: { ...level, scope }, known, subdirectories, contents };
    this.#builder.reset();
    const matches = this.#match(listing, known);
    for (const [index, name] of names.entries()) {
      const match = matches[index] as number;
      this.#take(listed, {
        at: listing.offsets[index] as number,
        name,
        before: match >> 1,
        isSame: match > 0 && (match & 1) === 1,
      });
    }
    return scope;
  }

  /** @returns what NodeWork says of the entries of `known`. @throws {NodesDamage} */
  #match(listing: Listing, known: Buffer | undefined): Int32Array {
    const count = listing.offsets.length;
    if (this.#matches.length < count) this.#matches = new Int32Array(new ArrayBuffer(8 * count));
    if (known === undefined) return this.#matches.fill(-1, 0, count);
    const damagedAt = (this.#input.nodeWork ?? plainNodeWork).matchEntries(listing, known, this.#matches);
    if (damagedAt >= 0) throw new NodesDamage(damagedAt, 'entry past the end of its node');
    return this.#matches;
  }

  #previousNode(reference: NodeReference | undefined): Buffer | undefined {
    const { previous, isForeign } = this.#input;
    if (reference === undefined || previous === undefined) return undefined;
    try {
      return previous.nodeBytes(reference);
    } catch (error) {
      // A damaged session must not keep a new one from starting: without it everything is read.
      if (error instanceof DamageError && isForeign) return undefined;
      throw error;
    }
  }

  #take(listed: Listed, found: Found): void {
    const { listing, level, known, subdirectories } = listed;
    const { at, name, before } = found;
    const { bytes } = listing;
    const kind = bytes[at + RECORD.kind];
    const isDirectory = kind === RECORD_KINDS.directory;
    const isExcluded = this.#admission.isExcluded(level, name, isDirectory);
    const reason =
      isExcluded && !this.#admission.isKept(joinPath(level.path, name), isDirectory)
        ? 'excluded'
        : this.#admission.reasonToSkip(bytes, at, level.depth, known?.[before]);
    if (reason !== undefined) this.#builder.addSkipped(bytes, at, reason);
    else if (isDirectory) {
      const previous = known === undefined || before < 0 ? undefined : readReference(known, before);
      subdirectories.push({ position: this.#builder.add(bytes, at), name, isExcluded, previous });
    } else if (kind === RECORD_KINDS.file) this.#takeFile(listed, found);
    else if (kind === RECORD_KINDS.symlink) this.#takeSymlink(listed, found);
    else this.#builder.addSkipped(bytes, at, SPECIAL_KINDS.get(kind) ?? 'device');
  }

  #takeFile({ listing, known, contents }: Listed, { at, name, before, isSame }: Found): void {
    const position = this.#builder.add(listing.bytes, at);
    const isDated = this.#isDated || readUint64(listing.bytes, at + RECORD.size) < MAPPED_BYTES;
    if (isDated && known?.[before] === KIND_CODES.file && isSame && !this.#isRacy(listing.bytes, at))
      this.#builder.copyHash(position, known, before);
    else contents.push({ position, name });
  }

  #isRacy(bytes: Buffer, at: number): boolean {
    const ctimeNanoseconds = bytes.readUInt32LE(at + FIELD.ctimeNanoseconds);
    const ctimeSeconds = readInt64(bytes, at + FIELD.ctimeSeconds);
    return isRacy(this.#input, { ctimeSeconds, ctimeNanoseconds }, { device: this.#device });
  }

  #takeSymlink({ directory, listing }: Listed, { at, name }: Found): void {
    try {
      const target = directory.readLink(name);
      this.#builder.addSymlink(listing.bytes, at, target, this.#input.hash.sha256(Buffer.from(target, 'latin1')));
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return;
      if (!isErrno(error, 'EINVAL')) throw error;
      this.#builder.addSkipped(listing.bytes, at, 'changing');
    }
  }

  /** @returns undefined when the directory is gone, why it is skipped, or the number of its draft. */
  async #enter(root: Directory, level: Level, previous: NodeReference | undefined): Promise<number | SkipReason | undefined> {
    try {
      return await this.#captureDirectory(root, level, previous);
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return undefined;
      if (isErrno(error, 'ENOTDIR', 'ELOOP')) return 'changing';
      if (isErrno(error, 'EXDEV')) return 'mount';
      if (isErrno(error, 'EACCES', 'EPERM')) return 'unreadable';
      throw error;
    }
  }
}

/** What is left out for what it is; every other kind is a device. */
const SPECIAL_KINDS: ReadonlyMap<number | undefined, SkipReason> = new Map([
  [RECORD_KINDS.fifo, 'fifo'],
  [RECORD_KINDS.socket, 'socket'],
]);
