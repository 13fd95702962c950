import type { Bytes } from '../bytes.ts';
import { type Change, compareTrees, isSameReference } from './compare.ts';
import { DEFAULT_LIMITS } from './default-limits.ts';
import { withoutLostTimes } from './directory-times.ts';
import { changedAfterLoss, changedMs, lastSeenMs } from './doubt.ts';
import type { Entry } from './entry.ts';
import { entryNow } from './entry-now.ts';
import { acceptHalfDone } from './half-done.ts';
import { leadingDirectories } from './leading-directories.ts';
import { MissingNames } from './missing-names.ts';
import { findMovedIn } from './moved-in.ts';
import { hashOnly, type RestoreRequest, rootPaths } from './restore-parts.ts';
import { type ExaminedChange, narrowChanges, planRestore, type RestorePlan } from './restore-plan.ts';
import type { RollbackDeps } from './rollback-deps.ts';
import { RootDirectories } from './root-directories.ts';
import { TreeIndex } from './tree-index.ts';
import { twinsAmong } from './twins.ts';

/** What a restore would do, and what was listed to see that. Nothing is changed. */
export function prepareRestore(
  deps: RollbackDeps,
  request: RestoreRequest,
): RestorePlan & Required<Pick<RestoreRequest, 'listed' | 'twins'>> {
  const { session, state, snapshot, paths, alsoChanged, madeByRestores = [], begun, changes } = request;
  const target = session.tree(state.manifest, snapshot);
  const others = state.manifest.snapshots
    .filter(({ number, root }) => number !== snapshot && !isSameReference(root, state.tree.rootReference))
    .map(({ number }) => session.tree(state.manifest, number));
  const left = changes ?? compareTrees(target, state.tree);
  const lists = [...others.map((tree) => compareTrees(target, tree)), left];
  const twins = twinsAmong(lists.flat());
  const found = mergeChanges(lists.map((list) => narrowChanges(list, paths)));
  const made = madeByRestores.map((tree) => new TreeIndex(tree));
  const known = made.length === 0 ? found : found.map((one) => ({ ...one, made: filesAt(made, one.change.path) }));
  using roots = new RootDirectories(deps.files, rootPaths(state.manifest));
  roots.expectTwins(twins);
  const seenMs = state.isLive ? Number.POSITIVE_INFINITY : lastSeenMs(state.manifest);
  const { examined: asked, listed } = examineChanges(deps, roots, known, seenMs);
  const leading = leadingDirectories({ roots, target, left: state.tree, contents: hashOnly(deps) }, asked);
  const examined = [...leading, ...asked].map((one) => (begun?.has(one.change.path) === true ? acceptHalfDone(one) : one));
  // What a restore has put there is in its session, and may be another name of what is older.
  const movedIn = state.manifest.kind === 'run' ? findMovedIn(roots, examined, target, seenMs) : new Map<Bytes, string>();
  const late = changedAfterLoss(left, state.manifest);
  const plan = planRestore(examined, (change) => {
    const moved = movedIn.get(change.path);
    if (moved !== undefined) return moved;
    if (isTooLarge(change)) return 'too large to be kept: nothing would undo that';
    // What was named is wanted, whoever else changed it.
    const other = paths.length > 0 ? undefined : alsoChanged?.get(change.path);
    if (other !== undefined && change.type !== 'm') return `changed by session ${other} too`;
    return late.has(change.path) ? 'changed after the session was lost' : undefined;
  });
  const actions = withoutLostTimes(plan.actions, { roots, target: new TreeIndex(target), listed });
  return { ...plan, actions, listed, twins };
}

/** What stands there was not stored for its size, and is not for an undo either. */
function isTooLarge({ after }: Change): boolean {
  return after?.reason === 'file-limit' && after.sizeBytes > DEFAULT_LIMITS.maxFileBytes;
}

function filesAt(trees: readonly TreeIndex[], path: Bytes): Entry[] {
  return trees.flatMap((tree) => tree.find(path) ?? []).filter(({ kind }) => kind === 'file');
}

/**
 * One change for each path, the last list's where it has one, with the states that the other lists have there; parents before
 * what is in them.
 */
function mergeChanges(lists: readonly (readonly Change[])[]): Omit<ExaminedChange, 'now'>[] {
  const [only, another] = lists;
  if (only !== undefined && another === undefined) return only.map((change) => ({ change, others: [] }));
  const byPath = new Map<Bytes, { change: Change; others: (Entry | undefined)[]; isPutBack: boolean }>();
  const left = new Set((lists.at(-1) ?? []).map(({ path }) => path));
  for (const change of lists.toReversed().flat()) {
    const known = byPath.get(change.path);
    if (known === undefined) byPath.set(change.path, { change, others: [], isPutBack: !left.has(change.path) });
    else known.others.push(change.after);
  }
  return [...byPath.values()].sort((a, b) => (a.change.path < b.change.path ? -1 : 1));
}

/** @param seenMs What was changed later no snapshot of the session has seen. */
function examineChanges(
  deps: RollbackDeps,
  roots: RootDirectories,
  found: readonly Omit<ExaminedChange, 'now'>[],
  seenMs: number,
) {
  const contents = hashOnly(deps);
  const missing = new MissingNames(
    roots,
    found.map(({ change }) => change.path),
  );
  const examined = found.map((one): ExaminedChange => {
    const { path, after } = one.change;
    const now = missing.has(path) ? undefined : entryNow(roots, path, [after], contents);
    return { ...one, now, isYounger: now !== undefined && now.kind !== 'directory' && changedMs(now) > seenMs };
  });
  return { examined, listed: missing.listed };
}
