import type { Bytes } from '../bytes.ts';
import { parentPath } from '../paths.ts';
import type { Clock } from '../ports/clock.ts';
import type { StartContentWorkers } from '../ports/content-workers.ts';
import type { Directory, Files } from '../ports/files.ts';
import type { Hash } from '../ports/hash.ts';
import { type CaptureLimits, type CaptureRoot, captureTree } from './capture.ts';
import type { EncodedNodes } from './drafts.ts';
import type { SnapshotRecord } from './manifest.ts';
import { openReader } from './open-reader.ts';
import { SnapshotTree } from './snapshot-tree.ts';
import type { NewSession, RollbackSession } from './store.ts';

/** What the engine needs of the world. */
export interface RollbackDeps {
  readonly files: Files;
  readonly hash: Hash;
  readonly clock: Clock;
  /** Threads for the contents; undefined where there are none. */
  readonly loadContentWorkers?: (() => Promise<StartContentWorkers>) | undefined;
}

export interface TakeInput {
  readonly roots: readonly CaptureRoot[];
  readonly number: number;
  readonly previous: SnapshotTree | undefined;
  /** Objects of the other session that `previous` belongs to. */
  readonly earlierObjects: Directory | undefined;
  /** Where the contents go; undefined to hash only. */
  readonly objects: Directory | undefined;
  readonly limits: CaptureLimits;
  readonly onProgress?: ((entries: number) => void) | undefined;
}

/** Nodes, and the bytes that their contents newly take. */
export interface TakenNodes extends EncodedNodes {
  readonly storedBytes: number;
}

const NANOSECONDS_PER_MS = 1_000_000;

/** Captures the roots: contents into `objects`, nodes as bytes. */
export async function takeNodes(deps: RollbackDeps, input: TakeInput): Promise<TakenNodes> {
  const startedMs = deps.clock.nowMs();
  const isForeign = input.earlierObjects !== undefined;
  await using reader = await openReader(deps, {
    roots: input.roots.map(({ path }) => taskDirectory(deps.files, path)),
    objects: input.objects,
    earlierObjects: input.earlierObjects,
    maxFileBytes: input.limits.maxFileBytes,
    isListed: input.number > 0,
  });
  const { drafts, storedBytes } = await captureTree({
    files: deps.files,
    hash: deps.hash,
    roots: input.roots,
    previous: input.previous,
    isForeign,
    limits: input.limits,
    reader,
    onProgress: input.onProgress,
  });
  const header = {
    startedSeconds: Math.floor(startedMs / 1000),
    startedNanoseconds: (startedMs % 1000) * NANOSECONDS_PER_MS,
  };
  return { ...drafts.encode(input.number, header, deps.hash, isForeign ? undefined : input.previous), storedBytes };
}

/** The directory itself, or the one that holds a root that is a file; a vanished root's stays unused. */
function taskDirectory(files: Files, root: Bytes): Bytes {
  return files.stat(root)?.kind === 'directory' ? root : existingParent(files, root);
}

function existingParent(files: Files, path: Bytes): Bytes {
  let parent = parentPath(path);
  while (files.stat(parent)?.kind !== 'directory') parent = parentPath(parent);
  return parent;
}

/** Stores the nodes of a snapshot and gives its record for the manifest. */
export function recordSnapshot(
  { clock }: RollbackDeps,
  session: NewSession | RollbackSession,
  { number, nodes, label }: { readonly number: number; readonly nodes: TakenNodes; readonly label: string },
): SnapshotRecord {
  const nodesHash = session.writeNodes(number, nodes.bytes);
  return {
    number,
    takenMs: clock.nowMs(),
    parent: number === 0 ? undefined : number - 1,
    label,
    root: nodes.root,
    merkleRoot: nodes.merkleRoot,
    nodesHash,
    storedBytes: nodes.storedBytes + nodes.bytes.length,
    fileCount: nodes.totals.fileCount,
    entryCount: nodes.totals.entryCount,
    sizeBytes: nodes.totals.sizeBytes,
  };
}

/** A tree whose nodes are in memory: the files as they are now. */
export function treeInMemory(nodes: EncodedNodes, number: number, previous: SnapshotTree | undefined): SnapshotTree {
  return new SnapshotTree((snapshot) => {
    if (snapshot === number) return nodes.bytes;
    if (previous === undefined) throw new RangeError(`No snapshot ${snapshot} before a first one`);
    return previous.file(snapshot);
  }, nodes.root);
}
