import type { Bytes } from '../bytes.ts';
import { isErrno, StateError } from '../errors.ts';
import type { StartingWorkers } from '../ports/content-workers.ts';
import { applyRestore } from './apply.ts';
import { type ApplyResult } from './apply-input.ts';
import { isSameClosedFile, storedNow, tryMode } from './closed-files.ts';
import { isSameState, isSameTime } from './compare.ts';
import { completeSafety } from './complete-restore.ts';
import type { ContentDeps } from './content.ts';
import { syncDisk } from './durability.ts';
import { encodeNodes } from './encode-nodes.ts';
import { entryNow } from './entry-now.ts';
import { FileMaker, startMaking } from './file-maker.ts';
import { writeJournal } from './journal.ts';
import { untouchedNames } from './link-groups.ts';
import type { Manifest } from './manifest.ts';
import { ObjectStore } from './objects.ts';
import { draftPartialTree } from './partial-tree.ts';
import { hashOnly, nodesHeader, type RestoreRequest, type Restoring, rootPaths, temporaryPrefix } from './restore-parts.ts';
import { OWNER_MODE, READABLE_MODE, type RestoreAction, touchContents } from './restore-plan.ts';
import type { RollbackDeps } from './rollback-deps.ts';
import { RootDirectories } from './root-directories.ts';
import type { NewSession, RollbackSession } from './session-directory.ts';
import { makeRollbackId } from './session-id.ts';
import { recordSnapshot } from './snapshot.ts';
import type { RollbackStore } from './store.ts';
import { findTwins } from './twins.ts';

/** What was done, and what undoes it. */
export interface RestoreOutcome extends ApplyResult {
  /** The rollback session that undoes this restore. */
  readonly safetyId: Bytes;
}

/**
 * Carries out a plan: first everything that it will replace or remove is stored, durably, in a session of
 * its own, which also serves as the journal; then the actions; then that session is completed.
 */
export async function carryOutRestore(
  deps: RollbackDeps,
  store: RollbackStore,
  request: RestoreRequest,
  actions: readonly RestoreAction[],
  pid: number,
): Promise<RestoreOutcome> {
  const { manifest } = request.state;
  // They start while this thread stores what stands there now.
  await using own = request.threads === undefined ? await startMaking(deps, actions.length) : undefined;
  const threads = request.threads ?? own;
  using roots = new RootDirectories(deps.files, rootPaths(manifest));
  roots.expectTwins(request.twins ?? findTwins(actions.map(({ path }) => path)));
  const startedMs = deps.clock.nowMs();
  const touchedMs = request.isTouching === true ? startedMs : undefined;
  using safety = createSafety(store, pid, startedMs, deps.clock.utcOffsetMinutes(startedMs));
  let safetyManifest: Manifest;
  let stored: StoredPresent;
  let untouched: Restoring['untouched'];
  const maker = threads && makerFor(request, safety, threads);
  const opened = new Map<Bytes, number>();
  try {
    const wanted = touchContents(openClosed(deps, roots, actions, opened), touchedMs);
    const linking = maker?.linkAhead(missingContents(wanted));
    // Waited for below; a failure before that would count as unhandled.
    linking?.catch(() => undefined);
    stored = storePresentState(deps, safety, request, roots, wanted);
    untouched = untouchedNames(roots, [request.state.tree, ...(request.madeByRestores ?? [])], stored.actions);
    safetyManifest = await listSafety(deps, safety, request, roots, { ...stored, untouched, startedMs, touchedMs });
    await linking;
  } catch (error) {
    // They may still be linking into it.
    await threads?.[Symbol.asyncDispose]();
    closeAgain(roots, opened);
    await store.remove(safety.id);
    throw safetyFailure(error);
  }
  request.onBegun?.(safety.id);
  const { actions: checked, changed } = stored;
  const before = new Map(checked.map(({ path, now }) => [path, now]));
  const outcome = await applyAndComplete(deps, {
    safety,
    safetyManifest,
    request,
    roots,
    actions: checked,
    touched: checked,
    untouched,
    before: (path) => before.get(path),
    maker,
  });
  return { ...outcome, kept: [...outcome.kept, ...changed.map((action) => ({ action, reason: 'changed meanwhile' }))] };
}

function createSafety(store: RollbackStore, pid: number, startedMs: number, utcOffsetMinutes: number): NewSession {
  try {
    return store.create((attempt) => makeRollbackId(startedMs + attempt * 1000, utcOffsetMinutes, pid));
  } catch (error) {
    throw safetyFailure(error);
  }
}

/** What a restore would replace cannot be stored; nothing was changed. */
export class SafetyError extends StateError {}

function safetyFailure(error: unknown): unknown {
  if (!isErrno(error, 'ENOSPC', 'EDQUOT', 'EROFS', 'EIO')) return error;
  return new SafetyError('Cannot store what the restore would replace, so nothing was changed', {
    cause: error,
    hint: 'Free space with `nono rollback cleanup`, then restore again; --force restores without a way to undo it',
  });
}

/**
 * Opens directories that the session closed even to their owner, and looks again at what is in them, outer
 * ones first. A later restore knows a directory that was left open by one that was killed here.
 *
 * @param opened Gets the modes that they had.
 */
function openClosed(
  deps: RollbackDeps,
  roots: RootDirectories,
  actions: readonly RestoreAction[],
  opened: Map<Bytes, number>,
): readonly RestoreAction[] {
  const contents = hashOnly(deps);
  let current = actions;
  for (;;) {
    const closed = current.filter((action) => isClosed(action) && !opened.has(action.path));
    if (closed.length === 0) break;
    for (const { path, now } of closed) {
      const mode = now?.mode ?? 0;
      tryMode(roots, path, mode | OWNER_MODE);
      opened.set(path, mode);
    }
    roots.forget();
    // A directory keeps the mode that it had here: undoing the restore goes back to it.
    current = current.map((action) =>
      action.now?.kind === 'directory' ? action : { ...action, now: entryNow(roots, action.path, [action.now], contents) },
    );
  }
  return opened.size === 0 ? actions : current.filter((action) => !isAlreadyThere(action));
}

/** Of a restore that is not begun nothing stays: inner ones first, while there is a way to them. */
function closeAgain(roots: RootDirectories, opened: ReadonlyMap<Bytes, number>): void {
  for (const [path, mode] of [...opened].toReversed()) tryMode(roots, path, mode);
}

function isClosed({ now, want }: RestoreAction): boolean {
  return now?.kind === 'directory' && want?.kind === 'directory' && (now.mode & READABLE_MODE) !== READABLE_MODE;
}

function isAlreadyThere({ now, want }: RestoreAction): boolean {
  if (want === undefined || now === undefined || want.kind === 'directory') return false;
  return isSameState(now, want) && isSameTime(now, want);
}

/** Has the threads make the files of `request`. */
export function makerFor(
  { session, state }: RestoreRequest,
  safety: NewSession | RollbackSession,
  threads: StartingWorkers,
): FileMaker {
  using objects = session.openObjects();
  using undoObjects = safety.openObjects();
  return new FileMaker(threads, {
    rootPaths: rootPaths(state.manifest),
    objects: objects.path,
    undoObjects: undoObjects.path,
  });
}

function missingContents(actions: readonly RestoreAction[]): Bytes[] {
  return actions.flatMap(({ now, want }) => (now === undefined && want?.kind === 'file' ? [want.hash] : []));
}

interface StoredPresent {
  /** With what really stands there now. */
  readonly actions: RestoreAction[];
  /** Whose contents are not what the plan was made for, whatever their times say: they are not touched. */
  readonly changed: RestoreAction[];
  readonly storedBytes: number;
}

/** Stores the contents that are about to go. */
function storePresentState(
  deps: RollbackDeps,
  safety: NewSession,
  { session }: RestoreRequest,
  roots: RootDirectories,
  actions: readonly RestoreAction[],
): StoredPresent {
  using objects = safety.openObjects();
  using earlier = session.openObjects();
  const objectStore = new ObjectStore(objects, { writer: 'restore', isListed: false });
  const contents: ContentDeps = { ...hashOnly(deps), store: objectStore, earlier };
  const [checked, changed]: [RestoreAction[], RestoreAction[]] = [[], []];
  for (const action of actions) {
    if (action.now === undefined || action.now.kind === 'directory') {
      checked.push(action);
      continue;
    }
    const now = storedNow(roots, action.path, action.now, contents);
    // What is gone by now, as it was to be, is no part of what the undo brings back.
    const isAsPlanned =
      now === undefined ? action.want === undefined : now.hash === action.now.hash || isSameClosedFile(now, action.now);
    if (isAsPlanned) checked.push({ ...action, now });
    else changed.push(action);
  }
  return { actions: checked, changed, storedBytes: objectStore.storedBytes };
}

async function listSafety(
  deps: RollbackDeps,
  safety: NewSession,
  { session, state, snapshot, listed, onSyncing }: RestoreRequest,
  roots: RootDirectories,
  {
    actions,
    untouched,
    storedBytes,
    startedMs,
    touchedMs,
  }: Pick<Restoring, 'untouched'> & {
    readonly actions: readonly RestoreAction[];
    readonly storedBytes: number;
    readonly startedMs: number;
    readonly touchedMs: number | undefined;
  },
): Promise<Manifest> {
  const { manifest } = state;
  const entries = new Map([...untouched, ...actions.map(({ path, now }) => [path, now] as const)]);
  const drafts = draftPartialTree(roots, rootPaths(manifest), entries, listed);
  const nodes = { ...encodeNodes(deps, { drafts, number: 0, header: nodesHeader(startedMs) }), storedBytes };
  const paths = actions.map(({ path }) => path);
  writeJournal(safety.directory, { restores: session.id, snapshot, isOwn: false, touchedMs, paths });
  const snapshots = [recordSnapshot(deps, safety, { number: 0, nodes, label: 'before the restore' })];
  const safetyManifest: Manifest = { ...safetyManifestOf(manifest, safety.id, session.id, startedMs), snapshots };
  onSyncing?.();
  await syncDisk(deps, safety.directory);
  safety.writeManifest(safetyManifest);
  return safetyManifest;
}

/** What the session of a restore begins with; its snapshots are still to come. */
export function safetyManifestOf(manifest: Manifest, id: Bytes, restores: Bytes, startedMs: number): Manifest {
  return {
    ...manifest,
    id,
    kind: 'restore',
    status: 'open',
    runId: '',
    restores,
    startedMs,
    endedMs: undefined,
    exitCode: undefined,
    signal: undefined,
    heartbeatMs: undefined,
    snapshots: [],
    counts: undefined,
    git: undefined,
    durable: true,
  };
}

/** Carries out actions and completes the session that undoes them. */
export async function applyAndComplete(deps: RollbackDeps, restoring: Restoring): Promise<RestoreOutcome> {
  const { safety, request, roots, actions, maker } = restoring;
  const { session, state, snapshot } = request;
  using objects = session.openObjects();
  const targetTree = session.tree(state.manifest, snapshot);
  const result = await applyRestore({
    makeMissing: maker && ((files) => maker.make(files)),
    onProgress: request.onProgress,
    roots,
    actions,
    touched: restoring.touched,
    targetTree,
    before: restoring.before,
    objects,
    hash: deps.hash,
    temporaryPrefix: temporaryPrefix(safety.id),
  });
  await completeSafety(deps, restoring, result);
  return { ...result, safetyId: safety.id };
}
