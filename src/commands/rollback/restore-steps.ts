import type { Bytes } from '../../bytes.ts';
import { DamageError, EXIT, NonoError } from '../../errors.ts';
import type { ApplyResult } from '../../rollback/apply-input.ts';
import { type Change, compareTrees } from '../../rollback/compare.ts';
import { changedBy, findOverlapping } from '../../rollback/doubt.ts';
import { findUnfinished, journalledPaths, resumeRestore } from '../../rollback/interrupted.ts';
import type { Manifest } from '../../rollback/manifest.ts';
import { prepareRestore } from '../../rollback/prepare-restore.ts';
import type { PresentState } from '../../rollback/present.ts';
import { type ReplaceOutcome, replaceContent } from '../../rollback/replace-content.ts';
import { carryOutRestore, type RestoreOutcome, SafetyError } from '../../rollback/restore.ts';
import { type RestoreRequest } from '../../rollback/restore-parts.ts';
import type { RestoreAction, RestorePlan } from '../../rollback/restore-plan.ts';
import { restoreUnsafely } from '../../rollback/restore-unsafely.ts';
import { markReviewed } from '../../rollback/reviewed.ts';
import type { SnapshotTree } from '../../rollback/snapshot-tree.ts';
import type { RollbackStore } from '../../rollback/store.ts';
import { recordRestore } from '../audit/record-restore.ts';
import type { Context } from '../context.ts';
import { type NamedSession, rollbackDeps } from './open-store.ts';

/** What a restore takes, for the verb and for the review. */
export interface RestoreSteps {
  readonly request: RestoreRequest;
  readonly plan: RestorePlan;
}

/** What a restore would complete first, for one that is only tried: it says so, and gets the paths that are on their way. */
export function foreseeCompletion(context: Context, { store, session, manifests }: NamedSession): ReadonlySet<Bytes> {
  const ids = findUnfinished(manifests, session.id);
  for (const id of ids)
    context.notify(`A restore of ${session.id} was interrupted, or still runs: what it has begun, ${id}, is completed first`);
  return journalledPaths(store, ids);
}

/** Completes what an earlier restore of the session had begun before it was killed. */
export async function finishInterrupted(context: Context, { store, session, manifests }: NamedSession): Promise<void> {
  for (const id of findUnfinished(manifests, session.id)) {
    using _said = sayInterrupted(context, { store, session }, id);
    const outcome = await resumeRestore(rollbackDeps(context), store, id);
    if (outcome === 'busy') throw busy(session.id);
    if (outcome === 'over') continue;
    context.notify(`Completed an interrupted restore of ${session.id}; undo it with: nono rollback restore ${id}`);
  }
}

/** Held while a restore that is killed is to be completed or taken back; for what ends it when that is over already, too. */
export function sayInterrupted(
  { sayWhenEnded }: Context,
  { store, session }: Pick<NamedSession, 'store' | 'session'>,
  restoreId: Bytes,
): Disposable {
  return sayWhenEnded(() => {
    if (!store.ids().includes(restoreId)) return 'Ended when all was taken back';
    using restore = store.open(restoreId);
    return restore.manifest.status === 'open'
      ? `Interrupted: complete it with \`nono rollback restore ${session.id}\`, or take it back with --abort`
      : `Ended when all was restored; undo it with: nono rollback restore ${restoreId}`;
  });
}

interface Wanted {
  readonly state: PresentState;
  readonly snapshot: number;
  readonly paths: readonly Bytes[];
  readonly isTouching?: boolean;
  /** The state compared with the snapshot, where the caller has done that. */
  readonly changes?: readonly Change[];
  /** See RestoreRequest. */
  readonly begun?: ReadonlySet<Bytes>;
}

/** Plans a restore of the session to one of its snapshots. Nothing is changed. */
export function planSteps(
  context: Context,
  { store, session, manifests }: NamedSession,
  { state, snapshot, paths, isTouching = false, changes, begun = new Set() }: Wanted,
): RestoreSteps {
  const overlapping = findOverlapping({ store, manifests }, state.manifest, context.clock.nowMs());
  for (const { id } of overlapping) context.notify(`Session ${id} ran on the same files at the same time`);
  const reported = changes ?? compareTrees(session.tree(state.manifest, snapshot), state.tree);
  const alsoChanged = changedBy(store, overlapping, reported);
  const madeByRestores = treesOfRestores({ store, session, manifests });
  const request = { session, state, snapshot, paths, alsoChanged, madeByRestores, isTouching, begun, changes: reported };
  const { listed, twins, ...plan } = prepareRestore(rollbackDeps(context), request);
  return { request: { ...request, listed, twins }, plan };
}

/** What the restores of a session have left; a restore that was itself undone makes no difference. */
function treesOfRestores({ store, session, manifests }: Pick<NamedSession, 'store' | 'session' | 'manifests'>): SnapshotTree[] {
  return manifests
    .filter(({ kind, restores, status }) => kind === 'restore' && restores === session.id && status === 'complete')
    .flatMap((manifest) => readTree(store, manifest) ?? []);
}

/** A damaged one only means that less is known to be ours. */
function readTree(store: RollbackStore, manifest: Manifest): SnapshotTree | undefined {
  try {
    using restore = store.open(manifest.id);
    const tree = restore.tree(manifest, manifest.snapshots.length - 1);
    // Reads the nodes while the directory is open.
    tree.roots();
    return tree;
  } catch (error) {
    if (error instanceof DamageError) return undefined;
    throw error;
  }
}

/** Carries out actions of a plan, under the session's lock. @throws {NonoError} when another restore holds it. */
export async function carryOut(
  context: Context,
  named: NamedSession,
  request: RestoreRequest,
  actions: readonly RestoreAction[],
): Promise<RestoreOutcome | undefined> {
  if (actions.length === 0) return undefined;
  const { store } = named;
  using _lock = await lockSession(named, request.state);
  using held = new DisposableStack();
  const onBegun = (id: Bytes) => held.use(sayInterrupted(context, named, id));
  const outcome = await carryOutRestore(rollbackDeps(context), store, { ...request, onBegun }, actions, context.pid);
  await remember(context, named, request, outcome.safetyId);
  return outcome;
}

/** As carryOut(); where there is no room for what undoes it, without. */
export async function carryOutForced(
  context: Context,
  named: NamedSession,
  request: RestoreRequest,
  actions: readonly RestoreAction[],
): Promise<RestoreOutcome | UnsafeOutcome | undefined> {
  try {
    return await carryOut(context, named, request, actions);
  } catch (error) {
    if (!(error instanceof SafetyError)) throw error;
    context.notify(`${error.message}; it is restored without a way to undo that`);
  }
  using _lock = await lockSession(named, request.state);
  return { ...(await restoreUnsafely(rollbackDeps(context), request, actions)), safetyId: undefined };
}

/** What a restore did that nothing undoes. */
export interface UnsafeOutcome extends ApplyResult {
  readonly safetyId: undefined;
}

/** Gives one file another content than a snapshot has, under the session's lock. */
export async function carryOutReplacement(
  context: Context,
  named: NamedSession,
  replacement: Parameters<typeof replaceContent>[2],
): Promise<ReplaceOutcome> {
  using _lock = await lockSession(named, replacement.state);
  const outcome = await replaceContent(rollbackDeps(context), named.store, replacement, context.pid);
  if ('safetyId' in outcome) await remember(context, named, { state: replacement.state, snapshot: 0 }, outcome.safetyId);
  return outcome;
}

async function remember(
  context: Context,
  { home, store, session }: NamedSession,
  { state, snapshot }: Pick<RestoreRequest, 'state' | 'snapshot'>,
  restoreId: Bytes,
): Promise<void> {
  if (!state.isLive) await recordRestore(context, session.manifest.runId, { id: session.id, snapshot, restoreId });
  if (home === store) markReviewed(session.directory);
}

/** Held while files change, so that no clean-up takes the contents away and no second restore interferes. */
async function lockSession({ session }: NamedSession, state: PresentState): Promise<Disposable> {
  const lock = await (state.isLive ? session.lockForRestore() : session.lockIfEnded());
  if (lock === undefined) throw busy(session.id);
  return lock;
}

export function busy(id: Bytes): NonoError {
  return new NonoError(
    'E_BUSY',
    EXIT.failure,
    `Cannot restore "${id}": another restore of it is running, or it is just being removed`,
    {
      hint: 'Wait for it to end',
    },
  );
}
