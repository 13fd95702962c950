import { isErrno, StateError } from '../errors.ts';
import { CANNOT_STORE } from './cannot-store.ts';
import type { CaptureLimits } from './capture-input.ts';
import { type Change, compareTrees, countChanges } from './compare.ts';
import { syncDisk } from './durability.ts';
import { storeGitAgain } from './git-store.ts';
import { isInItsPlace } from './in-place.ts';
import type { Manifest } from './manifest.ts';
import type { RollbackDeps } from './rollback-deps.ts';
import type { NewSession, RollbackSession } from './session-directory.ts';
import { recordSnapshot, type SnapshotProgress, takeNodes } from './snapshot.ts';

/** What the last snapshot of a run is called. */
export const FINAL_LABEL = 'final';

export type FinalFields = Pick<Manifest, 'status' | 'endedMs' | 'exitCode' | 'signal'> &
  Partial<Pick<Manifest, 'heartbeatMs'>> & {
    readonly onProgress?: ((progress: SnapshotProgress) => void) | undefined;
  };

/** Takes the last snapshot of a session whose lock the caller holds, and replaces its manifest. */
export async function takeFinal(
  deps: RollbackDeps,
  session: NewSession | RollbackSession,
  manifest: Manifest,
  limits: CaptureLimits,
  fields: FinalFields,
): Promise<{ readonly manifest: Manifest; readonly changes: readonly Change[] }> {
  try {
    return await captureFinal(deps, session, manifest, limits, fields);
  } catch (error) {
    const isMoved = isErrno(error, 'ENOENT') && !isInItsPlace(deps.files, session.directory);
    if (!isMoved && !isErrno(error, ...CANNOT_STORE)) throw error;
    const hint = isMoved
      ? `The state directory was moved or removed while the command ran: put it back, and \`nono rollback show ${session.id}\` takes the snapshot`
      : 'Free space with `nono rollback cleanup`; the baseline is kept';
    throw new StateError(`Cannot store the final snapshot of "${session.id}"`, { cause: error, hint });
  }
}

async function captureFinal(
  deps: RollbackDeps,
  session: NewSession | RollbackSession,
  manifest: Manifest,
  limits: CaptureLimits,
  { onProgress, ...fields }: FinalFields,
): Promise<{ readonly manifest: Manifest; readonly changes: readonly Change[] }> {
  using objects = session.openObjects();
  const number = manifest.snapshots.length;
  const baseline = session.tree(manifest, 0);
  const previous = number === 1 ? baseline : session.tree(manifest, number - 1);
  const expected = manifest.snapshots.at(-1)?.entryCount;
  using nodes = await takeNodes(deps, {
    roots: manifest.roots.map((root) => ({ ...root, collect: undefined })),
    number,
    previous,
    earlierObjects: undefined,
    objects,
    limits,
    expected,
    onProgress: (entries) => onProgress?.({ phase: 'reading', entries, expected }),
  });
  const before = manifest.git?.before;
  const git = storeGitAgain(deps, objects, before);
  const storedBytes = nodes.storedBytes + git.storedBytes;
  const record = recordSnapshot(deps, session, { number, nodes: { ...nodes, storedBytes }, label: FINAL_LABEL });
  const withSnapshot = { ...manifest, ...fields, snapshots: [...manifest.snapshots, record] };
  const changes = compareTrees(baseline, session.tree(withSnapshot, number));
  // What a loss of power has taken of a lost session's contents nobody has looked for.
  const durable = manifest.durable || fields.status === 'complete';
  const complete: Manifest = { ...withSnapshot, durable, counts: countChanges(changes), git: { before, after: git.hash } };
  onProgress?.({ phase: 'syncing' });
  await syncDisk(deps, session.directory);
  session.writeManifest(complete);
  return { manifest: complete, changes };
}
