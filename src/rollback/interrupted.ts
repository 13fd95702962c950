import { type Bytes, displayBytes } from '../bytes.ts';
import { DamageError } from '../errors.ts';
import { isWithin, parentPath } from '../paths.ts';
import { applyRestore } from './apply.ts';
import { type Change, isSameTime } from './compare.ts';
import { type Journal, readJournal } from './journal.ts';
import { startMaking } from './make-missing.ts';
import type { Manifest } from './manifest.ts';
import { probePath } from './probe.ts';
import { applyOwn } from './replace-content.ts';
import { applyAndComplete, makerFor, type RestoreOutcome } from './restore.ts';
import { hashOnly, rootPaths, temporaryPrefix } from './restore-parts.ts';
import { type ProbedChange, planRestore, type RestoreAction, type RestorePlan, touchContents } from './restore-plan.ts';
import { RootDirectories } from './root-directories.ts';
import type { RollbackSession } from './session-directory.ts';
import type { RollbackDeps } from './snapshot.ts';
import type { SnapshotTree } from './snapshot-tree.ts';
import type { RollbackStore } from './store.ts';
import { TreeIndex } from './tree-index.ts';

/** Ids of restores of `session` that were begun and not completed. */
export function findUnfinished(manifests: readonly Manifest[], session: Bytes): Bytes[] {
  return manifests
    .filter(({ kind, status, restores }) => kind === 'restore' && status === 'open' && restores === session)
    .map(({ id }) => id);
}

/**
 * Completes a restore that was interrupted: what it had not reached is done, what somebody changed since
 * then stays.
 *
 * @returns undefined when another process is carrying it out.
 */
export async function resumeRestore(
  deps: RollbackDeps,
  store: RollbackStore,
  safetyId: Bytes,
): Promise<RestoreOutcome | undefined> {
  return await withInterrupted(deps, store, safetyId, async ({ safety, session, journal, roots }) => {
    if (journal.isOwn) return await resumeOwn(deps, { safety, session, journal, roots });
    const target = session.tree(session.manifest, journal.snapshot);
    const planned = replan(deps, { journal, roots, session, to: target, from: safety.tree(safety.manifest, 0) });
    const actions = touchContents(planned.actions, journal.touchedMs);
    const touched = withTouched(planned.touched, actions, journal.touchedMs);
    const last = session.manifest.snapshots.length - 1;
    const state = { manifest: session.manifest, tree: session.tree(session.manifest, last), isLive: false };
    const request = { session, state, snapshot: journal.snapshot, paths: [] };
    const before = new TreeIndex(safety.tree(safety.manifest, 0));
    await using threads = await startMaking(deps, actions.length);
    return await applyAndComplete(deps, {
      safety,
      safetyManifest: safety.manifest,
      request,
      roots,
      actions,
      touched,
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
 * @returns the number of paths taken back; undefined when another process is carrying it out.
 */
export async function abortRestore(deps: RollbackDeps, store: RollbackStore, safetyId: Bytes): Promise<number | undefined> {
  const done = await withInterrupted(deps, store, safetyId, async ({ safety, session, journal, roots }) => {
    const targetTree = safety.tree(safety.manifest, 0);
    const from = journal.isOwn ? safety.tree(safety.manifest, 1) : session.tree(session.manifest, journal.snapshot);
    const { actions, touched } = replan(deps, { journal, roots, session, to: targetTree, from });
    const target = new TreeIndex(targetTree);
    using objects = safety.openObjects();
    const result = await applyRestore({
      roots,
      actions,
      touched,
      targetTree,
      modeBefore: (path) => target.find(path)?.mode,
      objects,
      hash: deps.hash,
      temporaryPrefix: temporaryPrefix(safety.id),
    });
    return result.done.length;
  });
  if (done !== undefined) store.remove(safetyId);
  return done;
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
  safetyId: Bytes,
  use: (found: Interrupted) => Promise<T>,
): Promise<T | undefined> {
  using safety = store.open(safetyId);
  using lock = safety.tryLock();
  if (lock === undefined) return undefined;
  const journal = readJournal(safety);
  using session = store.open(journal.restores);
  using roots = new RootDirectories(deps.files, rootPaths(session.manifest));
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
): Pick<RestorePlan, 'actions'> & { readonly touched: RestoreAction[] } {
  const [wanted, left] = [new TreeIndex(to), new TreeIndex(from)];
  const contents = hashOnly(deps);
  const probed = journal.paths.map((path): ProbedChange => {
    const root = rootPaths(session.manifest).find((candidate) => isWithin(path, candidate));
    if (root === undefined)
      throw new DamageError(`Cannot use the journal of a restore of "${session.id}": "${displayBytes(path)}" is not tracked`);
    const change: Change = { path, root, type: '~', before: wanted.find(path), after: left.find(path) };
    return { change, now: probePath(roots, path, [change.after], contents) };
  });
  const { actions } = planRestore(probed.map(acceptHalfDone));
  const touched = probed.map(({ change, now }): RestoreAction => ({ ...change, want: change.before, now }));
  return { actions, touched };
}

/**
 * States that an interrupted restore passes through: nothing, between removing a directory and putting a
 * file in its place, and a directory that does not have its mode yet.
 */
function acceptHalfDone({ change, now }: ProbedChange): ProbedChange {
  if (now === undefined) return { change: { ...change, after: undefined }, now };
  const isDirectoryOnTheWay = change.before?.kind === 'directory' || change.after?.kind === 'directory';
  if (now.kind === 'directory' && isDirectoryOnTheWay) return { change: { ...change, after: now }, now };
  return { change, now };
}

/** Files that an interrupted restore had not renamed yet. */
function removeTemporaries(roots: RootDirectories, paths: readonly Bytes[], prefix: Bytes): void {
  for (const parent of new Set(paths.map(parentPath))) {
    const directory = roots.contains(parent) ? roots.directory(parent) : undefined;
    for (const name of directory?.names() ?? []) if (name.startsWith(prefix)) directory?.removeFile(name);
  }
}
