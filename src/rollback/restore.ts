import type { Bytes } from '../bytes.ts';
import { isErrno, StateError } from '../errors.ts';
import type { Stat } from '../ports/files.ts';
import { type ApplyResult, applyRestore } from './apply.ts';
import { type Change, compareTrees, countChanges, isSameState, isSameTime } from './compare.ts';
import type { ContentDeps } from './content.ts';
import { isAfterLoss } from './doubt.ts';
import { syncDisk } from './durability.ts';
import { type Entry, metadataOf } from './entry.ts';
import { writeJournal } from './journal.ts';
import { makeMissingIn } from './make-missing.ts';
import type { Manifest } from './manifest.ts';
import { CHUNK_BYTES, ObjectStore } from './objects.ts';
import { draftPartialTree } from './partial-tree.ts';
import type { PresentState } from './present.ts';
import { lookAt, probePath } from './probe.ts';
import {
  narrowChanges,
  OWNER_MODE,
  type ProbedChange,
  planRestore,
  type RestoreAction,
  type RestorePlan,
} from './restore-plan.ts';
import { RootDirectories } from './root-directories.ts';
import { makeRollbackId } from './session-id.ts';
import { type RollbackDeps, recordSnapshot } from './snapshot.ts';
import type { SnapshotTree } from './snapshot-tree.ts';
import type { NewSession, RollbackSession, RollbackStore } from './store.ts';
import { TreeIndex } from './tree-index.ts';

/** What a directory's owner needs to look at what is in it. */
const READABLE_MODE = 0o500;

export interface RestoreRequest {
  readonly session: RollbackSession;
  readonly state: PresentState;
  /** The snapshot to go back to. */
  readonly snapshot: number;
  /** Absolute; only what is at or below one of them. Empty for everything. */
  readonly paths: readonly Bytes[];
  /** By path, the session that reports it as changed too. */
  readonly alsoChanged?: ReadonlyMap<Bytes, Bytes>;
  /** What earlier restores of the session have left: a file as one of them made it is nobody else's. */
  readonly madeByRestores?: readonly SnapshotTree[];
}

/** What a restore would do. Nothing is changed. */
export function prepareRestore(deps: RollbackDeps, request: RestoreRequest): RestorePlan {
  const { session, state, snapshot, paths, alsoChanged, madeByRestores = [] } = request;
  const target = session.tree(state.manifest, snapshot);
  const others = state.manifest.snapshots
    .filter(({ number }) => number !== snapshot)
    .map(({ number }) => session.tree(state.manifest, number));
  const found = mergeChanges([...others, state.tree].map((tree) => narrowChanges(compareTrees(target, tree), paths)));
  const made = madeByRestores.map((tree) => new TreeIndex(tree));
  const known = found.map(({ change, others: states = [] }) => ({ change, others: [...states, ...filesAt(made, change.path)] }));
  using roots = new RootDirectories(deps.files, rootPaths(state.manifest));
  return planRestore(probeChanges(deps, roots, known), (change) => {
    // What was named is wanted, whoever else changed it.
    const other = paths.length > 0 ? undefined : alsoChanged?.get(change.path);
    if (other !== undefined && change.type !== 'm') return `changed by session ${other} too`;
    return isAfterLoss(change, state.manifest) ? 'changed after the session was lost' : undefined;
  });
}

function filesAt(trees: readonly TreeIndex[], path: Bytes): Entry[] {
  return trees.flatMap((tree) => tree.find(path) ?? []).filter(({ kind }) => kind === 'file');
}

/** One change for each path, the last list's where it has one, with the states that the other lists have there. */
function mergeChanges(lists: readonly (readonly Change[])[]): Omit<ProbedChange, 'now'>[] {
  const byPath = new Map<Bytes, { change: Change; others: (Entry | undefined)[] }>();
  for (const change of lists.toReversed().flat()) {
    const known = byPath.get(change.path);
    if (known === undefined) byPath.set(change.path, { change, others: [] });
    else known.others.push(change.after);
  }
  return [...byPath.values()].sort((a, b) => (a.change.path < b.change.path ? -1 : 1));
}

function probeChanges(deps: RollbackDeps, roots: RootDirectories, found: readonly Omit<ProbedChange, 'now'>[]): ProbedChange[] {
  const contents = hashOnly(deps);
  return found.map(({ change, others }) => ({
    change,
    ...(others === undefined ? {} : { others }),
    now: probePath(roots, change.path, [change.after], contents),
  }));
}

/** Reads contents without keeping them. */
export function hashOnly({ hash, clock }: RollbackDeps): ContentDeps {
  const chunk = new Uint8Array(new ArrayBuffer(CHUNK_BYTES));
  return { hash, clock, store: undefined, earlier: undefined, chunk, maxFileBytes: Number.POSITIVE_INFINITY };
}

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
  using roots = new RootDirectories(deps.files, rootPaths(manifest));
  const startedMs = deps.clock.nowMs();
  const offset = deps.clock.utcOffsetMinutes(startedMs);
  using safety = store.create((attempt) => makeRollbackId(startedMs + attempt * 1000, offset, pid));
  let safetyManifest: Manifest;
  let checked: readonly RestoreAction[];
  try {
    const stored = storePresentState(deps, safety, request, roots, openClosed(deps, roots, actions));
    checked = stored.actions;
    safetyManifest = await listSafety(deps, safety, request, roots, { ...stored, startedMs });
  } catch (error) {
    store.remove(safety.id);
    throw safetyFailure(error);
  }
  return await applyAndComplete(deps, { safety, safetyManifest, request, roots, actions: checked, touched: checked });
}

function safetyFailure(error: unknown): unknown {
  if (!isErrno(error, 'ENOSPC', 'EDQUOT', 'EROFS', 'EIO')) return error;
  return new StateError('Cannot store what the restore would replace, so nothing was changed', {
    cause: error,
    hint: 'Free space with `nono rollback cleanup`, then restore again',
  });
}

/**
 * Opens directories that the session closed even to their owner, and looks again at what is in them, outer
 * ones first. A later restore knows a directory that was left open by one that was killed here.
 */
function openClosed(deps: RollbackDeps, roots: RootDirectories, actions: readonly RestoreAction[]): readonly RestoreAction[] {
  const opened = new Set<Bytes>();
  const contents = hashOnly(deps);
  let current = actions;
  for (;;) {
    const closed = current.filter((action) => isClosed(action) && !opened.has(action.path));
    if (closed.length === 0) break;
    for (const { path, now } of closed) {
      roots.parentOf(path)?.setMode(roots.nameOf(path), (now?.mode ?? 0) | OWNER_MODE);
      opened.add(path);
    }
    roots.forget();
    // A directory keeps the mode that it had here: undoing the restore goes back to it.
    current = current.map((action) =>
      action.now?.kind === 'directory' ? action : { ...action, now: probePath(roots, action.path, [action.now], contents) },
    );
  }
  return opened.size === 0 ? actions : current.filter((action) => !isAlreadyThere(action));
}

function isClosed({ now, want }: RestoreAction): boolean {
  return now?.kind === 'directory' && want?.kind === 'directory' && (now.mode & READABLE_MODE) !== READABLE_MODE;
}

function isAlreadyThere({ now, want }: RestoreAction): boolean {
  if (want === undefined || now === undefined || want.kind === 'directory') return false;
  return isSameState(now, want) && isSameTime(now, want);
}

/** Stores the contents that are about to go. @returns the actions with what really stands there now. */
function storePresentState(
  deps: RollbackDeps,
  safety: NewSession,
  { session }: RestoreRequest,
  roots: RootDirectories,
  actions: readonly RestoreAction[],
): { readonly actions: RestoreAction[]; readonly storedBytes: number } {
  using objects = safety.openObjects();
  using earlier = session.openObjects();
  const objectStore = new ObjectStore(objects, { writer: 'restore', isListed: false });
  const contents: ContentDeps = { ...hashOnly(deps), store: objectStore, earlier };
  const checked = actions.map((action) => {
    if (action.now === undefined || action.now.kind === 'directory') return action;
    const now = probePath(roots, action.path, [], contents);
    // What has changed since the plan is not touched: the action will find that it is not as planned.
    return { ...action, now: now?.hash === action.now?.hash ? now : action.now };
  });
  return { actions: checked, storedBytes: objectStore.storedBytes };
}

async function listSafety(
  deps: RollbackDeps,
  safety: NewSession,
  { session, state, snapshot }: RestoreRequest,
  roots: RootDirectories,
  {
    actions,
    storedBytes,
    startedMs,
  }: { readonly actions: readonly RestoreAction[]; readonly storedBytes: number; readonly startedMs: number },
): Promise<Manifest> {
  const { manifest } = state;
  const entries = new Map(actions.map(({ path, now }) => [path, now]));
  const drafts = draftPartialTree(roots, rootPaths(manifest), entries);
  const nodes = { ...drafts.encode(0, headerOf(startedMs), deps.hash, undefined), storedBytes };
  writeJournal(safety.directory, { restores: session.id, snapshot, isOwn: false, paths: actions.map(({ path }) => path) });
  const snapshots = [recordSnapshot(deps, safety, { number: 0, nodes, label: 'before the restore' })];
  const safetyManifest: Manifest = { ...safetyManifestOf(manifest, safety.id, session.id, startedMs), snapshots };
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

interface Restoring {
  readonly safety: NewSession | RollbackSession;
  readonly safetyManifest: Manifest;
  readonly request: RestoreRequest;
  readonly roots: RootDirectories;
  readonly actions: readonly RestoreAction[];
  /** All that the restore touches; more than `actions` when a part was done before. */
  readonly touched: readonly RestoreAction[];
}

/** Carries out actions and completes the session that undoes them. */
export async function applyAndComplete(deps: RollbackDeps, restoring: Restoring): Promise<RestoreOutcome> {
  const { safety, safetyManifest, request, roots, actions } = restoring;
  const { session, state, snapshot } = request;
  using objects = session.openObjects();
  const before = new TreeIndex(safety.tree(safetyManifest, 0));
  const targetTree = session.tree(state.manifest, snapshot);
  using undoObjects = safety.openObjects();
  const plan = { rootPaths: rootPaths(safetyManifest), objects: objects.path, undoObjects: undoObjects.path };
  const result = await applyRestore({
    makeMissing: makeMissingIn(deps, actions.length, plan),
    roots,
    actions,
    touched: restoring.touched,
    target: new TreeIndex(targetTree),
    targetTree,
    modeBefore: (path) => before.find(path)?.mode,
    objects,
    hash: deps.hash,
    chunk: new Uint8Array(new ArrayBuffer(CHUNK_BYTES)),
    temporaryPrefix: temporaryPrefix(safety.id),
  });
  completeSafety(deps, restoring, result.written);
  return { ...result, safetyId: safety.id };
}

/** Records the state after the restore, so that the restore can be undone like any other session. */
function completeSafety(
  deps: RollbackDeps,
  { safety, safetyManifest, request, roots, touched }: Restoring,
  written: ReadonlyMap<Bytes, Stat>,
): void {
  roots.forget();
  using objects = safety.openObjects();
  using earlier = request.session.openObjects();
  const store = new ObjectStore(objects, { writer: 'after', isListed: true });
  const contents: ContentDeps = { ...hashOnly(deps), store, earlier };
  const entries = new Map<Bytes, Entry | undefined>();
  for (const { path, want } of touched) {
    const stat = written.get(path);
    const isKnown = stat !== undefined && want !== undefined;
    entries.set(path, isKnown ? { ...want, ...metadataOf(stat) } : entryAfter(roots, path, want, contents));
  }
  const nowMs = deps.clock.nowMs();
  const drafts = draftPartialTree(roots, rootPaths(safetyManifest), entries);
  const nodes = { ...drafts.encode(1, headerOf(nowMs), deps.hash, undefined), storedBytes: store.storedBytes };
  const record = recordSnapshot(deps, safety, { number: 1, nodes, label: 'after the restore', isSynced: true });
  const snapshots = [...safetyManifest.snapshots, record];
  const complete: Manifest = { ...safetyManifest, status: 'complete', endedMs: nowMs, snapshots };
  const changes = compareTrees(safety.tree(complete, 0), safety.tree(complete, 1));
  safety.writeManifest({ ...complete, counts: countChanges(changes) });
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
  return probePath(roots, path, [], contents);
}

/** What the names of a restore's unfinished files begin with. */
export function temporaryPrefix(safetyId: Bytes): Bytes {
  return `.nono-restore-${safetyId}-` as Bytes;
}

/** The tracked roots of a session. */
export function rootPaths(manifest: Manifest): Bytes[] {
  return manifest.roots.map(({ path }) => path);
}

export function headerOf(epochMs: number) {
  return { startedSeconds: Math.floor(epochMs / 1000), startedNanoseconds: (epochMs % 1000) * 1_000_000 };
}
