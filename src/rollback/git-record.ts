import { type Bytes, bytesFromStored, bytesFromText, storeBytes } from '../bytes.ts';
import { joinPath, resolvePath } from '../paths.ts';
import type { Directory, Files, Stat } from '../ports/files.ts';
import type { Hash } from '../ports/hash.ts';
import { unlessUnreadable } from './git-unreadable.ts';
import { CHUNK_BYTES, hashRest, hexHash } from './objects.ts';
import { readSmallFile } from './small-file.ts';

/**
 * What a work tree's `.git` says, read and never written: HEAD, refs, the index by its hash, and the files that make git
 * run something. `.git` is in no snapshot; this tells what moved in it.
 */
export interface GitRecord {
  /** Absolute: the directory that has the `.git`. */
  readonly top: Bytes;
  /** Absolute: `.git` itself, or where a `.git` file leads. */
  readonly directory: Bytes;
  /** Where refs, config and hooks are; another directory in a linked work tree. */
  readonly common: Bytes;
  /** The content of HEAD without its newline: `ref: refs/heads/main`, or a commit; '' without one. */
  readonly head: Bytes;
  /** By full name; a value is what HEAD's may be. Under REFTABLE the SHA-256 in hex of what tables.list says. */
  readonly refs: ReadonlyMap<Bytes, Bytes>;
  /** SHA-256, '' without an index. */
  readonly index: Bytes;
  /** Config files, attributes and hooks, by their path below `common`. */
  readonly files: ReadonlyMap<Bytes, GitFile>;
}

/** A file of a `.git`, as it was. */
export interface GitFile {
  readonly mode: number;
  /** SHA-256 of the content. */
  readonly hash: Bytes;
  /** Whether the content is among the session's objects. Earlier versions did not say: then it may be. */
  readonly isKept: boolean;
}

const GIT = '.git' as Bytes;
const FORMAT = 1;
/** A larger hook is recorded by its hash alone. */
const KEPT_BYTES_MAXIMUM = 1024 * 1024;
/** More than these a repository does not have; what a command could plant has an end. */
const REFS_MAXIMUM = 100_000;
const REF_DEPTH_MAXIMUM = 64;
const MODULE_DEPTH_MAXIMUM = 8;
const NAMES_MAXIMUM = 500_000;
/** Of all that is read of one repository, and of all that is kept of it. */
const READ_BYTES_MAXIMUM = 256 * 1024 * 1024;
const KEPT_IN_ALL_MAXIMUM = 16 * 1024 * 1024;
/** Where a repository may have its refs, HEAD among them (gitformat-reftable): each change of one gives it another list of tables. */
export const REFTABLE = 'reftable' as Bytes;
const TABLES = `${REFTABLE}/tables.list` as Bytes;
const SINGLE_FILES = ['config', 'config.worktree', 'info/attributes'] as Bytes[];

/** Keeps a content under its hash. */
export type KeepContent = (hash: Bytes, data: Uint8Array) => void;

/** What looking at a `.git` needs. */
export interface GitReading {
  readonly files: Files;
  readonly hash: Hash;
  readonly keep: KeepContent;
}

/** Records the work trees with these tops; one that cannot be read is left out. */
export function recordGit(reading: GitReading, tops: Iterable<Bytes>): GitRecord[] {
  const records: GitRecord[] = [];
  for (const top of new Set(tops)) {
    const record = unlessUnreadable(() => recordOne(reading, top), undefined);
    if (record !== undefined) records.push(record);
  }
  return records;
}

/** The same work trees again, by the directories that they had: what stands there now may lead elsewhere. */
export function recordGitAgain(reading: GitReading, earlier: readonly GitRecord[]): GitRecord[] {
  return earlier.map((record) => {
    const { top, directory, common } = record;
    const now = unlessUnreadable(() => readRecord(reading, { top, directory, common }), undefined);
    return now ?? { ...record, head: '' as Bytes, refs: new Map(), index: '' as Bytes, files: new Map() };
  });
}

function recordOne(reading: GitReading, top: Bytes): GitRecord | undefined {
  using opened = reading.files.openDirectory(top);
  const stat = opened.stat(GIT);
  let directory = joinPath(top, GIT);
  if (stat?.kind === 'file') {
    const pointer = /^gitdir: (.+?)\r?\n?$/.exec(readSmallFile(opened, GIT) ?? '');
    if (pointer === null) return undefined;
    directory = resolvePath(top, pointer[1] as Bytes);
  } else if (stat?.kind !== 'directory') return undefined;
  using git = openGit(reading.files, top, directory);
  const pointer = readSmallFile(git, 'commondir' as Bytes)?.trim();
  const common = pointer === undefined || pointer === '' ? directory : resolvePath(directory, pointer as Bytes);
  return readRecord(reading, { top, directory, common });
}

/** Below the top no link is followed: the command may have put one there. */
function openGit(files: Files, top: Bytes, path: Bytes): Directory {
  if (path !== joinPath(top, GIT)) return files.openDirectory(path);
  using opened = files.openDirectory(top);
  return opened.openDirectory(GIT);
}

function readRecord(reading: GitReading, place: Pick<GitRecord, 'top' | 'directory' | 'common'>): GitRecord {
  const { top, directory, common } = place;
  using git = openGit(reading.files, top, directory);
  using shared = openGit(reading.files, top, common);
  const recorder = new Recorder(reading, shared);
  for (const name of SINGLE_FILES) recorder.file(name);
  recorder.hooks('' as Bytes);
  recorder.modules('modules' as Bytes, 0);
  return {
    ...place,
    head: firstLine(readSmallFile(git, 'HEAD' as Bytes)),
    refs: new Map([...recorder.tables(git), ...recorder.refs()]),
    index: recorder.hashOf(git, 'index' as Bytes)?.hash ?? ('' as Bytes),
    files: recorder.files,
  };
}

function firstLine(text: Bytes | undefined): Bytes {
  return (text ?? '').split('\n', 1)[0] as Bytes;
}

/** Reads one repository, and no more of it than a repository has. */
class Recorder {
  readonly files = new Map<Bytes, GitFile>();
  readonly #reading: GitReading;
  readonly #git: Directory;
  #namesLeft = NAMES_MAXIMUM;
  #bytesLeft = READ_BYTES_MAXIMUM;
  #keptLeft = KEPT_IN_ALL_MAXIMUM;

  constructor(reading: GitReading, git: Directory) {
    this.#reading = reading;
    this.#git = git;
  }

  /** @param own Has tables of its own in a linked work tree. */
  tables(own: Directory): Map<Bytes, Bytes> {
    const list = readSmallFile(this.#git, TABLES);
    if (list === undefined) return new Map();
    const lists = Buffer.from(`${list}\n${readSmallFile(own, TABLES) ?? ''}`, 'latin1');
    return new Map([[REFTABLE, hexHash(this.#reading.hash.sha256(lists)) as Bytes]]);
  }

  refs(): Map<Bytes, Bytes> {
    const refs = new Map<Bytes, Bytes>();
    const packed = readSmallFile(this.#git, 'packed-refs' as Bytes, 64 * KEPT_BYTES_MAXIMUM) ?? '';
    for (const line of packed.split('\n')) {
      const found = /^([0-9a-f]{40,64}) (refs\/.+)$/.exec(line);
      if (found !== null) refs.set(found[2] as Bytes, found[1] as Bytes);
    }
    this.#addLooseRefs('refs' as Bytes, refs, 0);
    return refs;
  }

  #addLooseRefs(path: Bytes, refs: Map<Bytes, Bytes>, depth: number): void {
    if (depth > REF_DEPTH_MAXIMUM) return;
    for (const name of this.#namesIn(path)) {
      if (refs.size >= REFS_MAXIMUM) return;
      const below = joinPath(path, name);
      const value = readSmallFile(this.#git, below, 4096);
      if (value === undefined) this.#addLooseRefs(below, refs, depth + 1);
      else if (!name.endsWith('.lock')) refs.set(below, firstLine(value));
    }
  }

  /** None for what is no directory. */
  #namesIn(path: Bytes): readonly Bytes[] {
    const names = unlessUnreadable(() => {
      using directory = this.#git.openDirectory(path);
      return directory.names().sort();
    }, []);
    const taken = names.slice(0, this.#namesLeft);
    this.#namesLeft -= taken.length;
    return taken;
  }

  hooks(below: Bytes): void {
    const hooks = joinPath(below, 'hooks' as Bytes);
    for (const name of this.#namesIn(hooks)) {
      // Git never runs these.
      if (!name.endsWith('.sample')) this.file(joinPath(hooks, name));
    }
  }

  /** The git directories of submodules lie here, at any depth, with a config and hooks each. */
  modules(path: Bytes, depth: number): void {
    if (depth > MODULE_DEPTH_MAXIMUM) return;
    for (const name of this.#namesIn(path)) {
      const module = joinPath(path, name);
      if (this.#git.stat(joinPath(module, 'HEAD' as Bytes)) !== undefined) {
        this.file(joinPath(module, 'config' as Bytes));
        this.hooks(module);
        this.modules(joinPath(module, 'modules' as Bytes), depth + 1);
      } else this.modules(module, depth + 1);
    }
  }

  file(path: Bytes): void {
    const maximum = Math.min(KEPT_BYTES_MAXIMUM, this.#keptLeft, this.#bytesLeft);
    const content = readSmallFile(this.#git, path, maximum);
    if (content === undefined) {
      const large = this.hashOf(this.#git, path);
      if (large !== undefined) this.files.set(path, large);
      return;
    }
    this.#keptLeft -= content.length;
    this.#bytesLeft -= content.length;
    const data = Buffer.from(content, 'latin1');
    const hash = this.#reading.hash.sha256(data);
    this.#reading.keep(hash, data);
    this.files.set(path, { mode: this.#git.stat(path)?.mode ?? 0, hash, isKept: true });
  }

  hashOf(git: Directory, path: Bytes): GitFile | undefined {
    return unlessUnreadable(() => {
      using file = git.openFile(path);
      const stat = file.stat();
      if (stat.kind !== 'file') return undefined;
      const { hash } = this.#reading;
      const { mode, sizeBytes } = stat;
      if (sizeBytes > this.#bytesLeft) return { mode, hash: hash.sha256(Buffer.from(stateOf(stat))), isKept: false };
      this.#bytesLeft -= sizeBytes;
      return { mode, hash: hashRest(file, hash, new Uint8Array(new ArrayBuffer(CHUNK_BYTES)), sizeBytes), isKept: false };
    }, undefined);
  }
}

/** Stands for a content that is not read: another one has another. */
function stateOf({ sizeBytes, inode, ctimeSeconds, ctimeNanoseconds }: Stat): string {
  return `${sizeBytes} ${inode} ${ctimeSeconds}.${ctimeNanoseconds}`;
}

/** As it is stored among the objects of a session; FORMAT.md has the fields. */
export function encodeGitRecords(records: readonly GitRecord[]): Buffer {
  const trees = records.map(({ top, directory, common, head, refs, index, files }) => ({
    top: storeBytes(top),
    directory: storeBytes(directory),
    common: storeBytes(common),
    head: storeBytes(head),
    refs: Array.from(refs, ([name, value]) => [storeBytes(name), storeBytes(value)]),
    index: hexHash(index),
    files: Array.from(files, ([path, { mode, hash, isKept }]) => {
      const file = { path: storeBytes(path), mode, sha256: hexHash(hash) };
      return isKept ? { ...file, kept: true } : file;
    }),
  }));
  return Buffer.from(`${JSON.stringify({ format: FORMAT, trees })}\n`);
}

/** Reads what may have been written by another version: what is not understood is left out. */
export function decodeGitRecords(data: Bytes): GitRecord[] {
  let document: unknown;
  try {
    document = JSON.parse(Buffer.from(data, 'latin1').toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
  const { format, trees } = (document ?? {}) as Record<string, unknown>;
  return format === FORMAT && Array.isArray(trees) ? trees.flatMap((tree) => decodeOne(tree as unknown) ?? []) : [];
}

function decodeOne(tree: unknown): GitRecord | undefined {
  if (typeof tree !== 'object' || tree === null) return undefined;
  const fields = tree as Record<string, unknown>;
  const [top, directory, common, head] = ['top', 'directory', 'common', 'head'].map((name) => bytesFromStored(fields[name]));
  if (top === undefined || directory === undefined || common === undefined || head === undefined) return undefined;
  const refs = new Map<Bytes, Bytes>();
  for (const item of listOf(fields['refs'])) {
    const [name, value] = listOf(item).map(bytesFromStored);
    if (name !== undefined && value !== undefined) refs.set(name, value);
  }
  const files = new Map<Bytes, GitFile>();
  for (const item of listOf(fields['files'])) {
    const { path: stored, mode, sha256, kept } = (item ?? {}) as Record<string, unknown>;
    const path = bytesFromStored(stored);
    if (path !== undefined && typeof mode === 'number') files.set(path, { mode, hash: fromHex(sha256), isKept: kept === true });
  }
  return { top, directory, common, head, refs, index: fromHex(fields['index']), files };
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function fromHex(value: unknown): Bytes {
  return typeof value === 'string' ? (Buffer.from(value, 'hex').toString('latin1') as Bytes) : bytesFromText('');
}
