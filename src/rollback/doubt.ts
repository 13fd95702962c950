import type { Bytes } from '../bytes.ts';
import { isWithin } from '../paths.ts';
import { type Change, compareTrees } from './compare.ts';
import type { Manifest } from './manifest.ts';
import type { RollbackStore } from './store.ts';

/** A supervisor gives a sign of life every ten seconds: its last one may be so old when it is killed. */
const HEARTBEAT_MS = 10_000;

/** Sessions that ran at the same time on one of the same roots: their changes cannot be told apart. */
export function findOverlapping(manifests: readonly Manifest[], session: Manifest, nowMs: number): Manifest[] {
  if (session.kind !== 'run') return [];
  const endOf = ({ endedMs }: Manifest) => endedMs ?? nowMs;
  return manifests.filter(
    (other) =>
      other.kind === 'run' &&
      other.id !== session.id &&
      other.startedMs <= endOf(session) &&
      session.startedMs <= endOf(other) &&
      other.roots.some((one) => session.roots.some((two) => isWithin(one.path, two.path) || isWithin(two.path, one.path))),
  );
}

/** The paths that each of the sessions reports as changed. */
export function changedBy(store: RollbackStore, sessions: readonly Manifest[]): Map<Bytes, Bytes> {
  const changed = new Map<Bytes, Bytes>();
  for (const manifest of sessions) {
    if (manifest.snapshots.length < 2) continue;
    using session = store.open(manifest.id);
    const last = session.tree(manifest, manifest.snapshots.length - 1);
    for (const { path } of compareTrees(session.tree(manifest, 0), last)) changed.set(path, manifest.id);
  }
  return changed;
}

/** Whether a change of a lost session was made when its supervisor no longer lived, as far as times tell. */
export function isAfterLoss({ after }: Change, { status, heartbeatMs }: Manifest): boolean {
  if (status !== 'recovered' || heartbeatMs === undefined || after === undefined) return false;
  return after.ctimeSeconds * 1000 + after.ctimeNanoseconds / 1_000_000 > heartbeatMs + HEARTBEAT_MS;
}
