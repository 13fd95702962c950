import { EXIT, NonoError } from '../errors.ts';
import { DEFAULT_LIMITS } from './default-limits.ts';
import { takeFinal } from './final.ts';
import type { Manifest } from './manifest.ts';
import type { RollbackDeps } from './rollback-deps.ts';
import type { RollbackSession } from './session-directory.ts';
import { takeNodes, treeInMemory } from './snapshot.ts';
import type { SnapshotTree } from './snapshot-tree.ts';

/** What a session left behind, or is about to: its last state against its baseline. */
export interface PresentState {
  readonly manifest: Manifest;
  /** The final snapshot, or the files as they are now while the session runs. */
  readonly tree: SnapshotTree;
  /** Whether somebody may still take its snapshots. */
  readonly isLive: boolean;
  /** It runs, or was lost, on another host: nobody here can tell, and nothing is recovered. */
  readonly isUnknown?: boolean;
}

/**
 * The state that a session left. One that still runs is compared with the files as they are now; for one
 * whose supervisor was lost the final snapshot is taken now, under its lock.
 */
export async function presentState(deps: RollbackDeps, session: RollbackSession): Promise<PresentState> {
  const { manifest } = session;
  if (manifest.status !== 'open') return { manifest, tree: session.tree(manifest, manifest.snapshots.length - 1), isLive: false };
  if (manifest.kind === 'restore') throw interrupted(manifest);
  using lock = await session.lockIfEnded();
  if (lock === undefined) return { manifest, tree: await treeNow(deps, session), isLive: true, isUnknown: session.isUnknown() };
  const heartbeatMs = session.heartbeatMs();
  const recovered = await takeFinal(deps, session, manifest, DEFAULT_LIMITS, {
    status: 'recovered',
    endedMs: deps.clock.nowMs(),
    exitCode: undefined,
    signal: undefined,
    heartbeatMs,
  });
  // Nothing of it runs any more, on whatever host.
  lock.setSize(0);
  return { manifest: recovered.manifest, tree: session.tree(recovered.manifest, manifest.snapshots.length), isLive: false };
}

function interrupted({ id, restores }: Manifest): NonoError {
  return new NonoError('E_INTERRUPTED', EXIT.failure, `Cannot use "${id}": it is a restore that is running or was interrupted`, {
    hint: `Complete it with \`nono rollback restore ${restores ?? ''}\`, or take it back with --abort`,
  });
}

/** The tracked files as they are now; their contents are hashed and not stored. */
async function treeNow(deps: RollbackDeps, session: RollbackSession): Promise<SnapshotTree> {
  const { manifest } = session;
  const number = manifest.snapshots.length;
  const previous = session.tree(manifest, number - 1);
  using nodes = await takeNodes(deps, {
    roots: manifest.roots.map((root) => ({ ...root, collect: undefined })),
    number,
    previous,
    earlierObjects: undefined,
    objects: undefined,
    limits: DEFAULT_LIMITS,
  });
  return treeInMemory(nodes, number, previous);
}
