import { type Bytes, displayBytes } from '../bytes.ts';
import { DamageError, isErrno, StateError } from '../errors.ts';
import { isWithin, parentPath } from '../paths.ts';
import { applyRestore } from './apply.ts';
import { type ApplyResult } from './apply-input.ts';
import { type Change, isSameTime } from './compare.ts';
import type { Entry } from './entry.ts';
import { entryNow } from './entry-now.ts';
import { startMaking } from './file-maker.ts';
import { acceptHalfDone } from './half-done.ts';
import { type Journal, readJournal } from './journal.ts';
import type { Manifest } from './manifest.ts';
import { applyOwn } from './replace-content.ts';
import { applyAndComplete, makerFor, type RestoreOutcome } from './restore.ts';
import { hashOnly, rootPaths, temporaryPrefix } from './restore-parts.ts';
import {
  type Conflict,
  type ExaminedChange,
  planRestore,
  type RestoreAction,
  type RestorePlan,
  touchContents,
} from './restore-plan.ts';
import { RESTORES, type RestoreEvent, restoreState } from './restore-states.ts';
import type { RollbackDeps } from './rollback-deps.ts';
import { RootDirectories } from './root-directories.ts';
import type { RollbackSession } from './session-directory.ts';
import { type SnapshotTree, walkTree } from './snapshot-tree.ts';
import type { RollbackStore } from './store.ts';
import { TreeIndex } from './tree-index.ts';
import { findTwins } from './twins.ts';

/** Ids of restores of `session` that were begun and not completed. */
export function findUnfinished(manifests: readonly Manifest[], session: Bytes): Bytes[] {
  return manifests
    .filter(({ kind, restores }) => kind === 'restore' && restores === session)
    .filter((manifest) => RESTORES[restoreState(manifest)].resume !== undefined)
    .map(({ id }) => id);
}

/** The paths that these restores touch. */
export function journalledPaths(store: RollbackStore, ids: readonly Bytes[]): ReadonlySet<Bytes> {
  const paths = ids.flatMap((id) => {
    using safety = store.open(id);
    return readJournal(safety).paths;
  });
  return new Set(paths);
}

/**
 * Completes a restore that was interrupted: what it had not reached is done, what somebody changed since
 * then stays.
 *
 * @returns `busy` when another process is carrying it out, `over` when one has completed it or taken it back.
 */
export async function resumeRestore(
  deps: RollbackDeps,
  store: RollbackStore,
  safetyId: Bytes,
): Promise<RestoreOutcome | 'busy' | 'over'> {
  return await withInterrupted(deps, store, { safetyId, event: 'resume' }, async ({ safety, session, journal, roots }) => {
    if (journal.isOwn) return await resumeOwn(deps, { safety, session, journal, roots });
    const target = session.tree(session.manifest, journal.snapshot);
    const planned = replan(deps, { journal, roots, session, to: target, from: safety.tree(safety.manifest, 0) });
    const actions = touchContents(planned.actions, journal.touchedMs);
    const touched = withTouched(planned.touched, actions, journal.touchedMs);
    const last = session.manifest.snapshots.length - 1;
    const state = { manifest: session.manifest, tree: session.tree(session.manifest, last), isLive: false };
    const request = { session, state, snapshot: journal.snapshot, paths: [] };
    const found = safety.tree(safety.manifest, 0);
    const before = new TreeIndex(found);
    await using threads = await startMaking(deps, actions.length);
    return await applyAndComplete(deps, {
      safety,
      safetyManifest: safety.manifest,
      request,
      roots,
      actions,
      touched,
      untouched: filesBeside(found, journal.paths),
      before: (path) => before.find(path),
      maker: threads && makerFor(request, safety, threads),
    });
  });
}

/** The file is as it was, as it is to be, or somebody has changed it since: then it stays, and so does what undoes it. */
async function resumeOwn(deps: RollbackDeps, { safety, session, journal, roots }: Interrupted): Promise<RestoreOutcome> {
  const { manifest } = safety;
  const [to, from] = [safety.tree(manifest, 1), safety.tree(manifest, 0)];
  const { actions } = replan(deps, { journal, roots, session, to, from });
  await applyOwn(deps, safety, roots, { manifest, actions });
  return { done: actions, kept: [], written: new Map(), listed: new Map(), safetyId: safety.id };
}

/**
 * Takes an interrupted restore back: everything that it had reached becomes what it was before, and its
 * session goes.
 *
 * @returns the number of paths taken back; `busy` when another process is carrying it out, `over` when one has completed it or
 *   taken it back.
 * @throws {StateError} when a path could not be, or what was there would be nowhere; its session stays then.
 */
export async function abortRestore(deps: RollbackDeps, store: RollbackStore, safetyId: Bytes): Promise<number | 'busy' | 'over'> {
  return await withInterrupted(deps, store, { safetyId, event: 'abort' }, async ({ safety, session, journal, roots }) => {
    const targetTree = safety.tree(safety.manifest, 0);
    const from = journal.isOwn ? safety.tree(safety.manifest, 1) : session.tree(session.manifest, journal.snapshot);
    const { actions, touched, conflicts } = replan(deps, { journal, roots, session, to: targetTree, from });
    const lost = conflicts.find(({ action }) => !isElsewhere(session, action));
    if (lost !== undefined) throw wouldBeLost(safetyId, session.id, lost);
    const target = new TreeIndex(targetTree);
    using objects = safety.openObjects();
    const result = await applyRestore({
      roots,
      actions,
      touched,
      targetTree,
      before: (path) => target.find(path),
      objects,
      hash: deps.hash,
      temporaryPrefix: temporaryPrefix(safety.id),
    });
    const left = result.kept.find(({ action }) => action.want !== undefined);
    // What is not back where it was is nowhere but in that session.
    if (left !== undefined) throw notTakenBack(safetyId, left);
    // While it is locked: who waits for the lock finds nothing to take back.
    await store.remove(safetyId);
    return result.done.length;
  });
}

/** Whether what was at the path before the restore is nothing that only the restore's own session holds. */
function isElsewhere(session: RollbackSession, { path, want }: RestoreAction): boolean {
  if (want === undefined || want.kind === 'directory' || want.kind === 'skipped') return true;
  const { manifest } = session;
  return manifest.snapshots.some(({ number }) => new TreeIndex(session.tree(manifest, number)).find(path)?.hash === want.hash);
}

function wouldBeLost(safetyId: Bytes, session: Bytes, { action, reason }: Conflict): StateError {
  return new StateError(`Cannot take back "${displayBytes(action.path)}", so nothing was: it was ${reason}`, {
    hint: `What was there only "${safetyId}" holds: complete it with \`nono rollback restore ${session}\`, then undo it with \`nono rollback restore ${safetyId}\``,
  });
}

function notTakenBack(safetyId: Bytes, { action, reason }: ApplyResult['kept'][number]): StateError {
  return new StateError(`Cannot take back "${displayBytes(action.path)}": ${reason}`, {
    hint: `The rest was taken back; what was there is in "${safetyId}", and --abort tries again`,
  });
}

interface Interrupted {
  readonly safety: RollbackSession;
  readonly session: RollbackSession;
  readonly journal: Journal;
  readonly roots: RootDirectories;
}

async function withInterrupted<T>(
  deps: RollbackDeps,
  store: RollbackStore,
  { safetyId, event }: { readonly safetyId: Bytes; readonly event: RestoreEvent },
  use: (found: Interrupted) => Promise<T>,
): Promise<T | 'busy' | 'over'> {
  if (!store.ids().includes(safetyId)) return 'over';
  using opened = store.open(safetyId);
  using lock = await opened.lockIfEnded();
  if (lock === undefined) return 'busy';
  // Whoever held the lock before may have ended it since its manifest was read.
  if (!store.ids().includes(safetyId)) return 'over';
  using safety = store.open(safetyId);
  if (RESTORES[restoreState(safety.manifest)][event] === undefined) return 'over';
  const journal = readJournal(safety);
  using session = store.open(journal.restores);
  using roots = new RootDirectories(deps.files, rootPaths(session.manifest));
  roots.expectTwins(findTwins(journal.paths));
  removeTemporaries(roots, journal.paths, temporaryPrefix(safety.id));
  return await use({ safety, session, journal, roots });
}

interface Replanning {
  readonly journal: Journal;
  readonly roots: RootDirectories;
  readonly session: RollbackSession;
  readonly to: SnapshotTree;
  readonly from: SnapshotTree;
}

/** The files that the tree of a restore has beside those that it touches: see untouchedNames(). */
function filesBeside(tree: SnapshotTree, touched: readonly Bytes[]): ReadonlyMap<Bytes, Entry> {
  const paths = new Set(touched);
  const beside = new Map<Bytes, Entry>();
  for (const { path, entry } of walkTree(tree)) if (entry.kind === 'file' && !paths.has(path)) beside.set(path, entry);
  return beside;
}

/** All that the restore touches, with the times that it gives or has given. */
function withTouched(
  touched: readonly RestoreAction[],
  actions: readonly RestoreAction[],
  touchedMs: number | undefined,
): readonly RestoreAction[] {
  if (touchedMs === undefined) return touched;
  const planned = new Map(actions.map((action) => [action.path, action]));
  return touched.map((action) => planned.get(action.path) ?? asDone(action, touchedMs));
}

/** What has that time already got it before the interruption. */
function asDone(action: RestoreAction, touchedMs: number): RestoreAction {
  const [given] = touchContents([action], touchedMs);
  const { now } = action;
  const isGiven = given?.want !== undefined && now !== undefined && isSameTime(given.want, now);
  return isGiven ? given : action;
}

/** Plans the paths of the journal anew from one tree to the other. */
function replan(
  deps: RollbackDeps,
  { journal, roots, session, to, from }: Replanning,
): RestorePlan & { readonly touched: RestoreAction[] } {
  const [wanted, left] = [new TreeIndex(to), new TreeIndex(from)];
  const contents = hashOnly(deps);
  const examined = journal.paths.map((path): ExaminedChange => {
    const root = rootPaths(session.manifest).find((candidate) => isWithin(path, candidate));
    if (root === undefined)
      throw new DamageError(`Cannot use the journal of a restore of "${session.id}": "${displayBytes(path)}" is not tracked`);
    const change: Change = { path, root, type: '~', before: wanted.find(path), after: left.find(path) };
    return { change, now: entryNow(roots, path, [change.after, change.before], contents) };
  });
  const plan = planRestore(examined.map(acceptHalfDone));
  const touched = examined.map(({ change, now }): RestoreAction => ({ ...change, want: change.before, now }));
  return { ...plan, touched };
}

/** Files that an interrupted restore had not renamed yet, of a root that is a file beside it. */
function removeTemporaries(roots: RootDirectories, paths: readonly Bytes[], prefix: Bytes): void {
  const parents = new Map(paths.map((path) => [parentPath(path), path]));
  for (const path of parents.values()) {
    for (const name of namesBeside(roots, path)) if (name.startsWith(prefix)) removeTemporary(roots, path, name);
  }
}

function namesBeside(roots: RootDirectories, path: Bytes): readonly Bytes[] {
  try {
    return roots.parentOf(path)?.names() ?? [];
  } catch (error) {
    // One that is closed to its owner was whole, or is the next to be opened.
    if (isErrno(error, 'EACCES')) return [];
    throw error;
  }
}

/** What has the name of one and is none is the command's, and stands in nobody's way. */
function removeTemporary(roots: RootDirectories, path: Bytes, name: Bytes): void {
  try {
    roots.parentOf(path)?.removeFile(name);
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'EISDIR', 'EPERM', 'EACCES', 'EBUSY')) throw error;
  }
}
