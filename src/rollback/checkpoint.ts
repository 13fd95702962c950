import type { Bytes } from '../bytes.ts';
import { EXIT, isErrno, NonoError, StateError } from '../errors.ts';
import { CANNOT_STORE } from './cannot-store.ts';
import type { CaptureLimits } from './capture-input.ts';
import { syncDisk } from './durability.ts';
import type { SnapshotRecord } from './manifest.ts';
import type { RollbackDeps } from './rollback-deps.ts';
import { recordSnapshot, takeNodes } from './snapshot.ts';
import type { RollbackStore } from './store.ts';

/** An intermediate snapshot of a running session. */
export interface CheckpointRequest {
  readonly id: Bytes;
  /** For people. */
  readonly label: string;
  readonly limits: CaptureLimits;
  /** Takes none where nothing has changed since the last snapshot. */
  readonly isOnlyIfChanged: boolean;
}

/**
 * Takes an intermediate snapshot in place of the process that owns the session and holds its lock. Durable and listed
 * when this resolves; killed at any point it leaves the session as it was.
 *
 * @param isOwnerAlive Asked once nobody can take the session over any more: without its owner a session is another one's.
 * @returns undefined when there was nothing to take.
 * @throws {StateError} when the session has ended, or when the disk takes nothing: then the session goes on without it.
 */
export async function takeCheckpoint(
  deps: RollbackDeps,
  store: RollbackStore,
  request: CheckpointRequest,
  isOwnerAlive: () => boolean,
): Promise<SnapshotRecord | undefined> {
  try {
    return await capture(deps, store, request, isOwnerAlive);
  } catch (error) {
    if (!isErrno(error, ...CANNOT_STORE)) throw error;
    throw new StateError(`Cannot store a checkpoint of "${request.id}"`, {
      cause: error,
      hint: 'Free space with `nono rollback cleanup`; the session goes on, and its other snapshots are kept',
    });
  }
}

async function capture(
  deps: RollbackDeps,
  store: RollbackStore,
  { id, label, limits, isOnlyIfChanged }: CheckpointRequest,
  isOwnerAlive: () => boolean,
): Promise<SnapshotRecord | undefined> {
  using session = store.open(id);
  using turn = await session.takeTurn();
  const manifest = session.readManifest();
  if (turn === undefined || manifest.kind !== 'run' || manifest.status !== 'open' || !isOwnerAlive()) throw cannotTake(id);
  using objects = session.openObjects();
  const number = manifest.snapshots.length;
  using nodes = await takeNodes(deps, {
    roots: manifest.roots.map((root) => ({ ...root, collect: undefined })),
    number,
    previous: session.tree(manifest, number - 1),
    earlierObjects: undefined,
    objects,
    limits,
    expected: manifest.snapshots.at(-1)?.entryCount,
  });
  // The node of the roots is an earlier snapshot's where everything is the same, times included.
  if (isOnlyIfChanged && nodes.root.snapshot !== number) return undefined;
  const record = recordSnapshot(deps, session, { number, nodes, label });
  await syncDisk(deps, session.directory);
  session.writeManifest({ ...manifest, snapshots: [...manifest.snapshots, record] });
  return record;
}

function cannotTake(id: Bytes): NonoError {
  return new NonoError(
    'E_ENDED',
    EXIT.failure,
    `Cannot take a checkpoint of "${id}": it has ended, or another one is being taken`,
    {
      hint: 'See what it is with `nono rollback list --all`',
    },
  );
}
