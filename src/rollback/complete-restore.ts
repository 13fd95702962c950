import type { Bytes } from '../bytes.ts';
import type { ApplyResult } from './apply-input.ts';
import { type Change, changeType, countChanges } from './compare.ts';
import type { ContentDeps } from './content.ts';
import { syncRestored } from './durability.ts';
import { encodeNodes } from './encode-nodes.ts';
import { type Entry, metadataOf } from './entry.ts';
import { entryNow, lookAt } from './entry-now.ts';
import type { Manifest } from './manifest.ts';
import type { PackedFile } from './node-codec.ts';
import { ObjectStore } from './objects.ts';
import { draftPartialTree } from './partial-tree.ts';
import { hashOnly, nodesHeader, type Restoring, rootPaths } from './restore-parts.ts';
import type { RollbackDeps } from './rollback-deps.ts';
import type { RootDirectories } from './root-directories.ts';
import { recordSnapshot } from './snapshot.ts';

/** Records the state after the restore, so that the restore can be undone like any other session. */
export async function completeSafety(
  deps: RollbackDeps,
  { safety, safetyManifest, request, roots, touched, untouched, before }: Restoring,
  { written, listed }: Pick<ApplyResult, 'written' | 'listed'>,
): Promise<void> {
  roots.forget();
  using objects = safety.openObjects();
  using earlier = request.session.openObjects();
  const store = new ObjectStore(objects, { writer: 'after', isListed: true });
  const contents: ContentDeps = { ...hashOnly(deps), store, earlier };
  // As before, whatever somebody has made of them meanwhile: what undoes the restore is not to change them.
  const entries = new Map<Bytes, Entry | PackedFile | undefined>(untouched);
  const changes: Change[] = [];
  for (const { path, root, want } of touched) {
    const file = written.get(path);
    const after = file === undefined ? entryAfter(roots, path, want, contents) : want;
    entries.set(path, file ?? after);
    const type = changeType(before(path), after);
    if (type !== undefined) changes.push({ path, root, type, before: before(path), after });
  }
  const nowMs = deps.clock.nowMs();
  const drafts = draftPartialTree(roots, rootPaths(safetyManifest), entries, listed);
  const nodes = { ...encodeNodes(deps, { drafts, number: 1, header: nodesHeader(nowMs) }), storedBytes: store.storedBytes };
  const record = recordSnapshot(deps, safety, { number: 1, nodes, label: 'after the restore' });
  const snapshots = [...safetyManifest.snapshots, record];
  const complete: Manifest = { ...safetyManifest, status: 'complete', endedMs: nowMs, snapshots };
  // A session that is complete is not gone through again, whatever a loss of power has taken.
  request.onSyncing?.();
  await syncRestored(deps, safety.directory, roots, rootPaths(safetyManifest));
  safety.writeManifest({ ...complete, counts: countChanges(inTreeOrder(changes)) });
}

/** Parents before what is in them, and a directory's entries together: `a`, `a/b`, `a-b`. */
function inTreeOrder(changes: readonly Change[]): readonly Change[] {
  const keyed = changes.map((change) => ({ change, key: change.path.replaceAll('/', '\0') }));
  // As they come from a comparison of trees.
  if (keyed.every(({ key }, index) => index === 0 || (keyed[index - 1]?.key as string) <= key)) return changes;
  return keyed.sort((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key))).map(({ change }) => change);
}

/**
 * What stands at `path` after the restore. A file with the size, mode and time that were wanted is the one
 * that was just written and checked: its content is taken over from the session that it came from.
 */
function entryAfter(roots: RootDirectories, path: Bytes, want: Entry | undefined, contents: ContentDeps): Entry | undefined {
  const name = roots.nameOf(path);
  const found = lookAt(roots, path);
  const { store, earlier } = contents;
  if (found === 'closed') {
    if (want?.kind === 'file' && earlier !== undefined) store?.linkFrom(earlier, want.hash);
    return want;
  }
  const stat = want?.kind === 'file' ? found?.stat : undefined;
  const isWritten =
    want !== undefined &&
    stat?.kind === 'file' &&
    stat.sizeBytes === want.sizeBytes &&
    stat.mode === want.mode &&
    stat.mtimeSeconds === want.mtimeSeconds &&
    stat.mtimeNanoseconds === want.mtimeNanoseconds;
  if (isWritten && store !== undefined && earlier !== undefined && store.linkFrom(earlier, want.hash)) {
    return { ...want, ...metadataOf(stat), name };
  }
  return entryNow(roots, path, [], contents);
}
