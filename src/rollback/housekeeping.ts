import type { Bytes } from '../bytes.ts';
import type { ChangeCounts, Manifest } from './manifest.ts';
import { carriedBytes, findOrphans, type Removal, removeSessions } from './removal.ts';
import { chooseByLimits, type RetentionItem, type RetentionLimits } from './retention.ts';
import { isSessionLive } from './session-lock.ts';
import type { RollbackStore } from './store.ts';

/** What retention needs to know of each session. `spared` is never removed. */
export function retentionItems(store: RollbackStore, manifests: readonly Manifest[], spared: Bytes | undefined): RetentionItem[] {
  return manifests.map((manifest) => ({
    id: manifest.id,
    project: manifest.workingDirectory,
    startedMs: manifest.startedMs,
    isChanged: manifest.counts === undefined || sumOf(manifest.counts) > 0,
    isProtected: manifest.id === spared || (manifest.status === 'open' && isLive(store, manifest.id)),
    isInterrupted: manifest.kind === 'restore' && manifest.status === 'open',
    restores: manifest.restores,
    bytes: sessionBytes(store, manifest),
  }));
}

/** What a session takes on the disk, links counted once. */
export function sessionBytes(store: RollbackStore, { id, snapshots }: Manifest): number {
  using directory = store.openDirectory(id);
  const carried = directory === undefined ? 0 : carriedBytes(directory);
  return snapshots.reduce((sum, { storedBytes }) => sum + storedBytes, carried);
}

function sumOf({ created, modified, deleted, modeChanged }: ChangeCounts): number {
  return created + modified + deleted + modeChanged;
}

/** One that another run removes meanwhile is nobody's. */
function isLive(store: RollbackStore, id: Bytes): boolean {
  using directory = store.openDirectory(id);
  return directory !== undefined && isSessionLive(directory);
}

/** Keeps the store within its limits after a run; what killed runs left behind goes too. */
export async function keepLimits(
  store: RollbackStore,
  limits: RetentionLimits,
  { spared, nowMs }: { readonly spared: Bytes; readonly nowMs: number },
): Promise<Removal[]> {
  const manifests = store.manifests(() => undefined);
  const chosen = chooseByLimits(retentionItems(store, manifests, spared), limits);
  return await removeSessions(store, [...findOrphans(store, nowMs), ...chosen]);
}
