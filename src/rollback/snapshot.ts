import type { Bytes } from '../bytes.ts';
import { isErrno, NonoError } from '../errors.ts';
import { joinPath, parentPath } from '../paths.ts';
import type { Clock } from '../ports/clock.ts';
import type { StartContentWorkers } from '../ports/content-workers.ts';
import type { SyncDisk } from '../ports/disk-sync.ts';
import type { Directory, Files } from '../ports/files.ts';
import type { Hash } from '../ports/hash.ts';
import { nameIn, RECORD_KINDS } from '../ports/listing.ts';
import type { NodeWork } from '../ports/node-work.ts';
import type { TakeElsewhere } from '../ports/take-process.ts';
import { captureTree } from './capture.ts';
import { type CaptureLimits, type CaptureRoot } from './capture-input.ts';
import { Drafts } from './drafts.ts';
import { type EncodedNodes, NodesEncoding } from './encode-nodes.ts';
import type { SnapshotRecord } from './manifest.ts';
import { openReader } from './open-reader.ts';
import { openTracked, statRoot } from './open-root.ts';
import type { Rules } from './rules.ts';
import type { NewSession, RollbackSession } from './session-directory.ts';
import { SnapshotTree } from './snapshot-tree.ts';
import { decodeTaken, encodeTake, takeFailure } from './take-wire.ts';

/** What the engine needs of the world. */
export interface RollbackDeps {
  readonly files: Files;
  readonly hash: Hash;
  readonly clock: Clock;
  /** Faster than plainNodeWork, where the system has it. */
  readonly nodeWork?: NodeWork | undefined;
  /** What waits for the disk in another thread; undefined to wait in this one. */
  readonly loadDiskSync?: (() => Promise<SyncDisk>) | undefined;
  /** Threads for the contents; undefined where there are none. */
  readonly loadContentWorkers?: (() => Promise<StartContentWorkers>) | undefined;
  /** Another process for large trees; undefined where there is none. */
  readonly loadTakeElsewhere?: (() => Promise<TakeElsewhere>) | undefined;
}

/** How far a snapshot is. */
export type SnapshotProgress =
  /** `expected` is how many entries there were the last time. */
  | { readonly phase: 'reading'; readonly entries: number; readonly expected: number | undefined }
  /** What was read is on its way to the disk. */
  | { readonly phase: 'syncing' };

/** One snapshot that is to be taken. */
export interface TakeInput {
  readonly roots: readonly CaptureRoot[];
  readonly number: number;
  readonly previous: SnapshotTree | undefined;
  /** Objects of the other session that `previous` belongs to, which is not used where it is damaged. */
  readonly earlierObjects: Directory | undefined;
  /** Where the contents go; undefined to hash only. */
  readonly objects: Directory | undefined;
  readonly limits: CaptureLimits;
  /** How many entries there were the last time, where that is known. */
  readonly expected?: number | undefined;
  readonly onProgress?: ((entries: number) => void) | undefined;
  /** @see EncodeOrder.onPiece */
  readonly onPiece?: ((piece: Buffer) => void) | undefined;
}

/** Nodes, and the bytes that their contents newly take. */
export interface StoredNodes extends EncodedNodes {
  readonly storedBytes: number;
}

/** Their bytes are there until this is disposed of. */
export interface TakenNodes extends StoredNodes, Disposable {
  /** In the order of the input's. */
  readonly roots: readonly TakenRoot[];
}

/** What the walk has found out about a root. */
export interface TakenRoot {
  /** Those that held: with the ignore files that were met. */
  readonly rules: Rules;
  /** Of the git work trees that were met. */
  readonly tops: readonly Bytes[];
}

const NANOSECONDS_PER_MS = 1_000_000;

/** From so many names on it pays to start a process. */
const MANY_NAMES = 2000;

/** Captures the roots: contents into `objects`, nodes as bytes. */
export async function takeNodes(deps: RollbackDeps, input: TakeInput): Promise<TakenNodes> {
  const { loadTakeElsewhere, files } = deps;
  const paths = input.roots.map(({ path }) => path);
  const isLarge = () => (input.expected ?? 0) >= MANY_NAMES || hasManyNames(files, paths);
  const request = loadTakeElsewhere === undefined || !isLarge() ? undefined : encodeTake(input);
  if (loadTakeElsewhere === undefined || request === undefined) return await takeNodesHere(deps, input);
  const takeElsewhere = await loadTakeElsewhere();
  const taken = await takeElsewhere(request, (entries) => input.onProgress?.(entries));
  const { report } = taken;
  if (report.kind === 'taken') return decodeTaken(report.taken, taken);
  taken[Symbol.dispose]();
  throw report.kind === 'failed' ? takeFailure(report) : new TypeError('Expected the last report of a snapshot');
}

/** Whether there are many names below the directories, which is known long before all of them are. */
function hasManyNames(files: Files, roots: readonly Bytes[]): boolean {
  let names = 0;
  for (const root of roots) {
    using directory = openTracked(files, root);
    if (directory === undefined) continue;
    const waiting = [EMPTY];
    for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
      const below = directoriesIn(directory, path);
      names += below.names;
      if (names >= MANY_NAMES) return true;
      waiting.push(...below.directories);
    }
  }
  return false;
}

const EMPTY = '' as Bytes;

/** What cannot be opened or goes away meanwhile counts for nothing: this only decides how the work is done. */
function directoriesIn(root: Directory, path: Bytes): { readonly names: number; readonly directories: readonly Bytes[] } {
  try {
    using directory = root.openDirectory(path);
    const { bytes, offsets } = directory.list();
    const directories = [...offsets].filter((at) => bytes[at] === RECORD_KINDS.directory);
    return { names: offsets.length, directories: directories.map((at) => joinPath(path, nameIn(bytes, at))) };
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EXDEV', 'EACCES', 'EPERM')) return { names: 0, directories: [] };
    throw error;
  }
}

async function takeNodesHere(deps: RollbackDeps, input: TakeInput): Promise<TakenNodes> {
  const startedMs = deps.clock.nowMs();
  const isForeign = input.earlierObjects !== undefined;
  const previous = isForeign && !isReadable(input.previous) ? undefined : input.previous;
  await using reader = await openReader(deps, {
    roots: input.roots.map(({ path }) => taskDirectory(deps.files, path)),
    objects: input.objects,
    earlierObjects: input.earlierObjects,
    maxFileBytes: input.limits.maxFileBytes,
    isListed: input.number > 0,
  });
  const header = {
    startedSeconds: Math.floor(startedMs / 1000),
    startedNanoseconds: (startedMs % 1000) * NANOSECONDS_PER_MS,
  };
  const drafts = new Drafts();
  const { number, onPiece } = input;
  const encoding = new NodesEncoding(deps, { drafts, number, header, previous: isForeign ? undefined : previous, onPiece });
  const storedBytes = await captureTree({
    files: deps.files,
    hash: deps.hash,
    nodeWork: deps.nodeWork,
    roots: input.roots,
    previous,
    isForeign,
    limits: input.limits,
    reader,
    drafts,
    onWait: () => encoding.advance(),
    onProgress: input.onProgress,
  });
  return {
    ...encoding.finish(),
    storedBytes,
    roots: input.roots.map(({ rules, collect }) => ({ rules, tops: collect?.tops ?? [] })),
    [Symbol.dispose]: () => undefined,
  };
}

/** A new session must not fail for an old one that is damaged. */
function isReadable(tree: SnapshotTree | undefined): boolean {
  try {
    tree?.roots();
    return true;
  } catch (error) {
    if (error instanceof NonoError) return false;
    throw error;
  }
}

/** The directory itself, or the one that holds a root that is a file; a vanished root's stays unused. */
function taskDirectory(files: Files, root: Bytes): Bytes {
  let directory = statRoot(files, root)?.kind === 'directory' ? root : parentPath(root);
  while (statRoot(files, directory)?.kind !== 'directory') directory = parentPath(directory);
  return directory;
}

interface NewRecord {
  readonly number: number;
  readonly nodes: StoredNodes;
  readonly label: string;
}

/** Stores the nodes of a snapshot and gives its record for the manifest. */
export function recordSnapshot(
  { clock }: RollbackDeps,
  session: NewSession | RollbackSession,
  { number, nodes, label }: NewRecord,
): SnapshotRecord {
  session.writeNodes(number, nodes);
  return {
    number,
    takenMs: clock.nowMs(),
    parent: number === 0 ? undefined : number - 1,
    label,
    root: nodes.root,
    merkleRoot: nodes.merkleRoot,
    nodesHash: nodes.nodesHash,
    storedBytes: nodes.storedBytes + nodes.nodesBytes,
    fileCount: nodes.totals.fileCount,
    entryCount: nodes.totals.entryCount,
    sizeBytes: nodes.totals.sizeBytes,
  };
}

/** A tree whose nodes are in memory: the files as they are now. */
export function treeInMemory(nodes: EncodedNodes, number: number, previous: SnapshotTree | undefined): SnapshotTree {
  const bytes = Buffer.allocUnsafe(nodes.nodesBytes);
  let end = 0;
  for (const piece of nodes.pieces) end += piece.copy(bytes, end);
  return new SnapshotTree((snapshot) => {
    if (snapshot === number) return bytes;
    if (previous === undefined) throw new RangeError(`No snapshot ${snapshot} before a first one`);
    return previous.file(snapshot);
  }, nodes.root);
}
