import type { Bytes } from '../bytes.ts';
import { isErrno, NonoError } from '../errors.ts';
import { joinPath, parentPath } from '../paths.ts';
import type { Directory, Files } from '../ports/files.ts';
import { nameIn, RECORD, RECORD_KINDS, readInt64 } from '../ports/listing.ts';
import { captureTree } from './capture.ts';
import { Drafts } from './drafts.ts';
import { type EncodedNodes, NodesEncoding } from './encode-nodes.ts';
import type { SnapshotRecord } from './manifest.ts';
import { openReader } from './open-reader.ts';
import { openReadable, statRoot } from './open-root.ts';
import type { RollbackDeps } from './rollback-deps.ts';
import type { NewSession, RollbackSession } from './session-directory.ts';
import { SnapshotTree } from './snapshot-tree.ts';
import type { StoredNodes, TakeInput, TakenNodes } from './take-input.ts';
import { decodeTaken, encodeTake, takeFailure } from './take-wire.ts';

/** How far a snapshot is. */
export type SnapshotProgress =
  /** `expected` is how many entries there were the last time. */
  | { readonly phase: 'reading'; readonly entries: number; readonly expected: number | undefined }
  /** What was read is on its way to the disk. */
  | { readonly phase: 'syncing' };

const NANOSECONDS_PER_MS = 1_000_000;

/** From so many names on it pays to start a process, and from so many bytes that all have to be read; only a process can be told to stop at once. */
const MANY_NAMES = 2000;
const MANY_BYTES = 64 * 1024 * 1024;

/** Captures the roots: contents into `objects`, nodes as bytes. */
export async function takeNodes(deps: RollbackDeps, input: TakeInput): Promise<TakenNodes> {
  const { loadTakeElsewhere, files } = deps;
  const paths = input.roots.map(({ path }) => path);
  const isLarge = () => (input.expected ?? 0) >= MANY_NAMES || isMuch(files, paths, input.previous === undefined);
  const request = loadTakeElsewhere === undefined || !isLarge() ? undefined : encodeTake(input);
  if (loadTakeElsewhere === undefined || request === undefined) return await takeNodesHere(deps, input);
  const takeElsewhere = await loadTakeElsewhere();
  const taken = await takeElsewhere(request, (entries) => input.onProgress?.(entries));
  const { report } = taken;
  if (report.kind === 'taken') return decodeTaken(report.taken, taken);
  taken[Symbol.dispose]();
  throw report.kind === 'failed' ? takeFailure(report) : new TypeError('Expected the last report of a snapshot');
}

/**
 * Whether there is much below the directories, which is known long before all of it is.
 *
 * @param isFirst All of it is read, not only what has changed.
 */
function isMuch(files: Files, roots: readonly Bytes[], isFirst: boolean): boolean {
  let names = 0;
  let fileBytes = 0;
  for (const root of roots) {
    using directory = openReadable(files, root);
    if (directory === undefined) continue;
    const isRead = isFirst || !directory.datesEachWrite();
    const waiting = [EMPTY];
    for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
      const below = directoriesIn(directory, path);
      names += below.names;
      if (isRead) fileBytes += below.fileBytes;
      if (names >= MANY_NAMES || fileBytes >= MANY_BYTES) return true;
      waiting.push(...below.directories);
    }
  }
  return false;
}

const EMPTY = '' as Bytes;

interface Held {
  readonly names: number;
  readonly fileBytes: number;
  readonly directories: readonly Bytes[];
}

/** What cannot be opened or goes away meanwhile counts for nothing: this only decides how the work is done. */
function directoriesIn(root: Directory, path: Bytes): Held {
  try {
    using directory = root.openDirectory(path);
    const { bytes, offsets } = directory.list();
    const ofKind = (kind: number) => [...offsets].filter((at) => bytes[at] === kind);
    return {
      names: offsets.length,
      fileBytes: ofKind(RECORD_KINDS.file).reduce((sum, at) => sum + readInt64(bytes, at + RECORD.size), 0),
      directories: ofKind(RECORD_KINDS.directory).map((at) => joinPath(path, nameIn(bytes, at))),
    };
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EXDEV', 'EACCES', 'EPERM'))
      return { names: 0, fileBytes: 0, directories: [] };
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
    objectsDevice: input.objects?.statSelf().device,
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
