import type { Bytes } from '../bytes.ts';
import { StateError } from '../errors.ts';
import { applyRestore } from './apply.ts';
import { compareTrees, countChanges } from './compare.ts';
import { syncRestored } from './durability.ts';
import { encodeNodes } from './encode-nodes.ts';
import type { Entry } from './entry.ts';
import { entryNow } from './entry-now.ts';
import { writeJournal } from './journal.ts';
import type { Manifest } from './manifest.ts';
import { ObjectStore } from './objects.ts';
import { draftPartialTree } from './partial-tree.ts';
import type { PresentState } from './present.ts';
import { safetyManifestOf } from './restore.ts';
import { hashOnly, nodesHeader, rootPaths, temporaryPrefix } from './restore-parts.ts';
import type { RestoreAction } from './restore-plan.ts';
import type { RollbackDeps } from './rollback-deps.ts';
import { RootDirectories } from './root-directories.ts';
import type { NewSession, RollbackSession } from './session-directory.ts';
import { makeRollbackId } from './session-id.ts';
import { recordSnapshot } from './snapshot.ts';
import type { RollbackStore } from './store.ts';
import { TreeIndex } from './tree-index.ts';

/** One file of a session that gets another content. */
export interface Replacement {
  readonly session: RollbackSession;
  readonly state: PresentState;
  readonly path: Bytes;
  readonly root: Bytes;
  /** The state that the file must be in: what the new content was made of. */
  readonly expected: Entry;
  readonly content: Uint8Array;
}

/** The session that takes the replacement back, or why nothing was done. */
export type ReplaceOutcome = { readonly safetyId: Bytes } | { readonly refused: string };

/**
 * Gives one tracked file a content that no snapshot of its session holds, such as the final one without some of its
 * changes. The state before and the state to come are both stored, durably, in a session of its own before the file is
 * touched; so it is the one or the other whenever the process dies, and the next restore of the session completes it.
 */
export async function replaceContent(
  deps: RollbackDeps,
  store: RollbackStore,
  replacement: Replacement,
  pid: number,
): Promise<ReplaceOutcome> {
  const { path, expected, state } = replacement;
  using roots = new RootDirectories(deps.files, rootPaths(state.manifest));
  const now = entryNow(roots, path, [expected], hashOnly(deps));
  if (now?.kind !== 'file' || now.hash !== expected.hash) return { refused: 'it was changed since the session' };
  const nowMs = deps.clock.nowMs();
  using safety = store.create((attempt) => makeRollbackId(nowMs + attempt * 1000, deps.clock.utcOffsetMinutes(nowMs), pid));
  let prepared: Prepared;
  try {
    prepared = prepare(deps, safety, roots, { ...replacement, now, nowMs });
  } catch (error) {
    await store.remove(safety.id);
    throw new StateError('Cannot store what would be replaced, so nothing was changed', { cause: error });
  }
  const refused = await applyOwn(deps, safety, roots, prepared);
  if (refused === undefined) return { safetyId: safety.id };
  await store.remove(safety.id);
  return { refused };
}

interface Prepared {
  readonly manifest: Manifest;
  readonly actions: readonly RestoreAction[];
}

function prepare(
  deps: RollbackDeps,
  safety: NewSession,
  roots: RootDirectories,
  input: Replacement & { readonly now: Entry; readonly nowMs: number },
): Prepared {
  const { session, state, path, root, content, nowMs } = input;
  using objects = safety.openObjects();
  using earlier = session.openObjects();
  const objectStore = new ObjectStore(objects, { writer: 'restore', isListed: false });
  const before = entryNow(roots, path, [], { ...hashOnly(deps), store: objectStore, earlier }) ?? input.now;
  const hash = deps.hash.sha256(content);
  objectStore.store(hash, content);
  const want: Entry = {
    ...before,
    hash,
    sizeBytes: content.length,
    mtimeSeconds: Math.floor(nowMs / 1000),
    mtimeNanoseconds: (nowMs % 1000) * 1_000_000,
    links: 1,
  };
  const paths = rootPaths(state.manifest);
  const record = (number: number, entry: Entry, label: string, storedBytes: number) => {
    const drafts = draftPartialTree(roots, paths, new Map([[path, entry]]));
    const nodes = encodeNodes(deps, { drafts, number, header: nodesHeader(nowMs) });
    return recordSnapshot(deps, safety, { number, nodes: { ...nodes, storedBytes }, label });
  };
  const snapshots = [record(0, before, 'before the restore', objectStore.storedBytes), record(1, want, 'after the restore', 0)];
  writeJournal(safety.directory, { restores: session.id, snapshot: 1, isOwn: true, touchedMs: undefined, paths: [path] });
  const manifest = { ...safetyManifestOf(state.manifest, safety.id, session.id, nowMs), snapshots };
  safety.directory.syncFileSystem();
  safety.writeManifest(manifest);
  return { manifest, actions: [{ path, root, want, now: before, type: '~' }] };
}

/**
 * Carries out, or completes, a restore to a state that its own session holds.
 *
 * @returns why the path was left as it is; undefined when all was done, and the session is complete then.
 */
export async function applyOwn(
  deps: RollbackDeps,
  safety: NewSession | RollbackSession,
  roots: RootDirectories,
  { manifest, actions }: Prepared,
): Promise<string | undefined> {
  using objects = safety.openObjects();
  const targetTree = safety.tree(manifest, 1);
  const before = new TreeIndex(safety.tree(manifest, 0));
  const result = await applyRestore({
    roots,
    actions,
    touched: actions,
    targetTree,
    before: (path) => before.find(path),
    objects,
    hash: deps.hash,
    temporaryPrefix: temporaryPrefix(safety.id),
  });
  const [kept] = result.kept;
  if (kept !== undefined) return kept.reason;
  await syncRestored(deps, safety.directory, roots, rootPaths(manifest));
  const counts = countChanges(compareTrees(safety.tree(manifest, 0), targetTree));
  safety.writeManifest({ ...manifest, status: 'complete', endedMs: deps.clock.nowMs(), counts });
  return undefined;
}
