import type { Bytes } from '../bytes.ts';
import type { StartingWorkers } from '../ports/content-workers.ts';
import type { Change } from './compare.ts';
import type { ContentDeps } from './content.ts';
import type { Entry } from './entry.ts';
import type { FileMaker } from './file-maker.ts';
import type { Manifest } from './manifest.ts';
import { CHUNK_BYTES } from './objects.ts';
import type { PresentState } from './present.ts';
import type { RestoreAction } from './restore-plan.ts';
import type { RollbackDeps } from './rollback-deps.ts';
import type { RootDirectories } from './root-directories.ts';
import type { NewSession, RollbackSession } from './session-directory.ts';
import type { SnapshotTree } from './snapshot-tree.ts';

/** What is restored to which snapshot. */
export interface RestoreRequest {
  /** Called every now and then with the number of actions that were tried. */
  readonly onProgress?: ((done: number) => void) | undefined;
  /** Called when all that is left for the moment is to wait for the disk. */
  readonly onSyncing?: (() => void) | undefined;
  /** Called when it is journalled: what is killed from now on is to be completed or taken back. */
  readonly onBegun?: ((safetyId: Bytes) => void) | undefined;
  readonly session: RollbackSession;
  readonly state: PresentState;
  /** The snapshot to go back to. */
  readonly snapshot: number;
  /** Absolute; only what is at or below one of them. Empty for everything. */
  readonly paths: readonly Bytes[];
  /** By path, the session that reports it as changed too. */
  readonly alsoChanged?: ReadonlyMap<Bytes, Bytes>;
  /** What earlier restores of the session have left: a file as one of them made it is nobody else's. */
  readonly madeByRestores?: readonly SnapshotTree[];
  /** Paths that a restore was killed at: what stands there may be half of what it was to do. */
  readonly begun?: ReadonlySet<Bytes>;
  /** The state compared with the snapshot, where the caller knows it already. */
  readonly changes?: readonly Change[] | undefined;
  /** The names in directories that were listed for the plan. */
  readonly listed?: ReadonlyMap<Bytes, readonly Bytes[]>;
  /** Among all that changed, whatever is restored of it: see findTwins(). */
  readonly twins?: ReadonlySet<Bytes>;
  /** Started ahead for what is to be made, which whoever started them ends. */
  readonly threads?: StartingWorkers | undefined;
  /** Files whose content comes back get the time of the restore. */
  readonly isTouching?: boolean;
}

/** A restore that is journalled and not completed. */
export interface Restoring {
  readonly safety: NewSession | RollbackSession;
  readonly safetyManifest: Manifest;
  readonly request: RestoreRequest;
  readonly roots: RootDirectories;
  readonly actions: readonly RestoreAction[];
  /** All that the restore touches; more than `actions` when a part was done before. */
  readonly touched: readonly RestoreAction[];
  /** See untouchedNames(). */
  readonly untouched: ReadonlyMap<Bytes, Entry>;
  /** What stood at a touched path before the restore began. */
  readonly before: (path: Bytes) => Entry | undefined;
  /** Makes many files at once; undefined to make each in its turn. */
  readonly maker?: FileMaker | undefined;
}

/** Reads contents without keeping them. */
export function hashOnly({ hash, clock }: RollbackDeps): ContentDeps {
  const chunk = new Uint8Array(new ArrayBuffer(CHUNK_BYTES));
  return { hash, clock, store: undefined, earlier: undefined, chunk, maxFileBytes: Number.POSITIVE_INFINITY };
}

/** What the names of a restore's unfinished files begin with. */
export function temporaryPrefix(safetyId: Bytes): Bytes {
  return `.nono-restore-${safetyId}-` as Bytes;
}

/** The tracked roots of a session. */
export function rootPaths(manifest: Manifest): Bytes[] {
  return manifest.roots.map(({ path }) => path);
}

/** @param epochMs Milliseconds since 1970. */
export function nodesHeader(epochMs: number) {
  return { startedSeconds: Math.floor(epochMs / 1000), startedNanoseconds: (epochMs % 1000) * 1_000_000 };
}
