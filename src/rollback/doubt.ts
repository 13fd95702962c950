import type { Bytes } from '../bytes.ts';
import { DamageError } from '../errors.ts';
import { isWithin, parentPath } from '../paths.ts';
import { type Change, changeType, compareTrees } from './compare.ts';
import type { Entry } from './entry.ts';
import type { Manifest } from './manifest.ts';
import type { SnapshotTree } from './snapshot-tree.ts';
import type { RollbackStore } from './store.ts';
import { TreeIndex } from './tree-index.ts';

/** A supervisor gives a sign of life every ten seconds: its last one may be so old when it is killed. */
const HEARTBEAT_MS = 10_000;

/** Sessions, restores of other ones too, that ran at the same time on one of the same roots: their changes cannot be told apart. */
export function findOverlapping(
  { store, manifests }: { readonly store: RollbackStore; readonly manifests: readonly Manifest[] },
  session: Manifest,
  nowMs: number,
): Manifest[] {
  if (session.kind !== 'run') return [];
  const byId = new Map(manifests.map((manifest) => [manifest.id, manifest]));
  const sessionEndMs = endMs(store, session) ?? nowMs;
  return manifests.filter(
    (other) =>
      !isOf(other, session.id, byId) &&
      other.startedMs <= sessionEndMs &&
      other.roots.some((one) => session.roots.some((two) => isWithin(one.path, two.path) || isWithin(two.path, one.path))) &&
      // Last, since it may look at the disk.
      session.startedMs <= (endMs(store, other) ?? nowMs),
  );
}

/** Of a lost one when it can have been alive at the latest, not when somebody looked at it; undefined while it may still run. */
function endMs(store: RollbackStore, { id, kind, status, endedMs, heartbeatMs }: Manifest): number | undefined {
  if (heartbeatMs !== undefined) return heartbeatMs + HEARTBEAT_MS;
  if (status !== 'open' || kind === 'restore') return endedMs;
  const lastMs = lastSignMs(store, id);
  return lastMs === undefined ? undefined : lastMs + HEARTBEAT_MS;
}

/** @returns undefined of one that may be alive. */
function lastSignMs(store: RollbackStore, id: Bytes): number | undefined {
  try {
    using session = store.open(id);
    return session.isLive() ? undefined : session.heartbeatMs();
  } catch (error) {
    if (error instanceof DamageError) return undefined;
    throw error;
  }
}

/** Whether it is the session itself, a restore of it, or the undo of one. */
function isOf(manifest: Manifest, session: Bytes, byId: ReadonlyMap<Bytes, Manifest>): boolean {
  const seen = new Set<Bytes>();
  for (let at: Manifest | undefined = manifest; at !== undefined && !seen.has(at.id); ) {
    if (at.id === session || at.restores === session) return true;
    seen.add(at.id);
    at = at.restores === undefined ? undefined : byId.get(at.restores);
  }
  return false;
}

/** The paths that each of the sessions reports as changed, of one that has no end those among `changes`; of one that is damaged none. */
export function changedBy(store: RollbackStore, sessions: readonly Manifest[], changes: readonly Change[]): Map<Bytes, Bytes> {
  const changed = new Map<Bytes, Bytes>();
  for (const manifest of sessions) for (const path of pathsChangedBy(store, manifest, changes)) changed.set(path, manifest.id);
  return changed;
}

function pathsChangedBy(store: RollbackStore, manifest: Manifest, changes: readonly Change[]): Bytes[] {
  const { kind, status, snapshots } = manifest;
  try {
    using session = store.open(manifest.id);
    if (kind === 'run' && status === 'open') return changedSince(session.tree(manifest, 0), changes);
    if (snapshots.length < 2) return [];
    const last = session.tree(manifest, snapshots.length - 1);
    return compareTrees(session.tree(manifest, 0), last).map(({ path }) => path);
  } catch (error) {
    // The damage of another session keeps nobody from restoring this one.
    if (error instanceof DamageError) return [];
    throw error;
  }
}

/** A session that runs reports what is not as in its baseline; what `changes` led to is what is there now. */
function changedSince(baseline: SnapshotTree, changes: readonly Change[]): Bytes[] {
  const index = new TreeIndex(baseline);
  return changes
    .filter(({ path, after }) => isHeldAbove(index, path) && changeType(index.find(path), after) !== undefined)
    .map(({ path }) => path);
}

/** Whether the snapshot holds the directory that `path` is in, or the next one above it that was there. */
function isHeldAbove(index: TreeIndex, path: Bytes): boolean {
  for (let at = parentPath(path); at !== '/'; at = parentPath(at)) {
    const entry = index.find(at);
    if (entry !== undefined) return entry.kind !== 'skipped';
  }
  return index.find(path) !== undefined;
}

/**
 * The paths of what was made or changed when the supervisor of a lost session no longer lived, as far as times tell. What is in a new
 * directory that was changed then may have come with it: what is moved keeps its own times.
 *
 * @param changes Parents before what is in them.
 */
export function changedAfterLoss(changes: readonly Change[], { status, heartbeatMs }: Manifest): ReadonlySet<Bytes> {
  const late = new Set<Bytes>();
  if (status !== 'recovered' || heartbeatMs === undefined) return late;
  const newDirectories = new Set<Bytes>();
  for (const { path, before, after } of changes) {
    if (after === undefined) continue;
    if (!newDirectories.has(parentPath(path)) && changedMs(after) <= heartbeatMs + HEARTBEAT_MS) continue;
    late.add(path);
    if (after.kind === 'directory' && before?.kind !== 'directory') newDirectories.add(path);
  }
  return late;
}

/** What was changed until then may be the session's own doing, as far as times tell. */
export function lastSeenMs({ status, heartbeatMs, snapshots }: Manifest): number {
  if (status === 'recovered' && heartbeatMs !== undefined) return heartbeatMs + HEARTBEAT_MS;
  return snapshots.at(-1)?.takenMs ?? Number.POSITIVE_INFINITY;
}

/** Milliseconds since 1970. */
export function changedMs({ ctimeSeconds, ctimeNanoseconds }: Pick<Entry, 'ctimeSeconds' | 'ctimeNanoseconds'>): number {
  return ctimeSeconds * 1000 + ctimeNanoseconds / 1_000_000;
}
