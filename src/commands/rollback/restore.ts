import { type Bytes, displayBytes, jsonPath } from '../../bytes.ts';
import { EXIT, isErrno, NonoError, StateError, UsageError } from '../../errors.ts';
import { jsonOutput } from '../../json-text.ts';
import { parseCount } from '../../parse.ts';
import { isWithin } from '../../paths.ts';
import { FORBIDDEN } from '../../rollback/apply-failure.ts';
import { USERS_TO_REPAIR } from '../../rollback/cannot-store.ts';
import { compareTrees } from '../../rollback/compare.ts';
import { startMaking } from '../../rollback/file-maker.ts';
import { abortRestore, findUnfinished } from '../../rollback/interrupted.ts';
import { presentState } from '../../rollback/present.ts';
import type { RestoreOutcome } from '../../rollback/restore.ts';
import { type RestoreAction, type RestorePlan, shownConflicts } from '../../rollback/restore-plan.ts';
import type { RollbackSession } from '../../rollback/session-directory.ts';
import { colourMark, displayPath } from '../../ui/change-lines.ts';
import { createPalette } from '../../ui/palette.ts';
import { ProgressLine } from '../../ui/progress.ts';
import type { Context } from '../context.ts';
import type { CommandResult, ParsedCall } from '../spec.ts';
import { type NamedSession, openNamedSession, rollbackDeps } from './open-store.ts';
import { restoreHunks } from './restore-hunks.ts';
import {
  busy,
  carryOut,
  carryOutForced,
  finishInterrupted,
  foreseeCompletion,
  planSteps,
  sayInterrupted,
  type UnsafeOutcome,
} from './restore-steps.ts';
import { selectPaths } from './select-paths.ts';

/** Paths named in a message before the rest is counted. */
const PATHS_NAMED = 20;
const EXCLUDED_NAMED = 5;

interface Wish {
  readonly snapshot: number;
  readonly isPatch: boolean;
  readonly isDryRun: boolean;
  readonly isForced: boolean;
  readonly keepsConflicts: boolean;
  readonly isJson: boolean;
  readonly isTouching: boolean;
}

export async function execute(call: ParsedCall, context: Context): Promise<CommandResult> {
  try {
    return await restore(call, context);
  } catch (error) {
    if (!isErrno(error, ...USERS_TO_REPAIR)) throw error;
    const [wanted] = call.positionals as [Bytes];
    throw new StateError(`Cannot complete the restore of "${displayBytes(wanted)}"`, {
      cause: error,
      hint: 'Repair that and restore again, which completes what was begun, or take it back with --abort',
    });
  }
}

async function restore(call: ParsedCall, context: Context): Promise<CommandResult> {
  const [wanted, ...given] = call.positionals as [Bytes, ...Bytes[]];
  const wish = readWish(call);
  const deps = rollbackDeps(context);
  using line = new ProgressLine(context.showProgress, context.clock, 'Looking at the files …');
  const named = await openNamedSession(context, wanted);
  const { session } = named;
  using _ = session;
  if (call.flags.has('abort')) return await abort(context, named, wish);
  const begun = wish.isDryRun ? foreseeCompletion(context, named) : new Set<Bytes>();
  if (!wish.isDryRun) await finishInterrupted(context, named);
  const state = await presentState(deps, session);
  if (wish.snapshot >= state.manifest.snapshots.length) {
    throw new UsageError(
      `Cannot use snapshot ${wish.snapshot} of "${session.id}": it has ${state.manifest.snapshots.length}, from 0`,
    );
  }
  const { manifest } = state;
  const excluded: Bytes[] = [];
  const changes = compareTrees(session.tree(manifest, wish.snapshot), state.tree, excluded);
  const paths = selectPaths(context, given, { verb: 'restore', manifest, changes });
  if (wish.isPatch) {
    line[Symbol.dispose]();
    return await restoreHunks(context, named, paths);
  }
  line.update('Comparing …');
  // They start while this thread makes its plan.
  await using threads = wish.isDryRun ? undefined : await startMaking(deps, changes.length);
  const { request, plan } = planSteps(context, named, {
    state,
    snapshot: wish.snapshot,
    paths,
    changes,
    isTouching: wish.isTouching,
    begun,
  });
  const left = excluded.filter((path) => paths.length === 0 || paths.some((above) => isWithin(path, above)));
  const parts = { context, session, wish, isNarrowed: paths.length > 0, plan, excluded: left };
  if (wish.isDryRun) return report({ ...parts, actions: chosen(plan, wish), outcome: undefined });
  if (plan.conflicts.length > 0 && !wish.isForced && !wish.keepsConflicts) {
    if (wish.isJson) return report({ ...parts, actions: [], outcome: undefined });
    throw conflictError(plan, session, context);
  }
  const actions = chosen(plan, wish);
  const tell = (done: number) => line.count('Restoring', done, 'paths', actions.length);
  tell(0);
  const run = wish.isForced ? carryOutForced : carryOut;
  const onSyncing = () => line.update('Writing to the disk …');
  const outcome = await run(context, named, { ...request, onProgress: tell, onSyncing, threads }, actions);
  return report({ ...parts, actions, outcome });
}

function readWish({ flags, values, positionals }: Pick<ParsedCall, 'flags' | 'values' | 'positionals'>): Wish {
  if (flags.has('force') && flags.has('keep-conflicts')) {
    throw new UsageError('Cannot use --force with --keep-conflicts: one overwrites what the other leaves');
  }
  const unfit = ['dry-run', 'force', 'keep-conflicts', 'touch', 'abort', 'json'].find(
    (name) => flags.has('patch') && flags.has(name),
  );
  if (unfit !== undefined) throw new UsageError(`Cannot use --patch with --${unfit}: it asks for each change`);
  if (flags.has('patch') && values.has('snapshot')) {
    throw new UsageError('Cannot use --patch with --snapshot: it goes back to the baseline');
  }
  if (flags.has('abort')) checkAbort({ flags, values, positionals });
  const snapshot = values.get('snapshot')?.[0];
  return {
    snapshot: snapshot === undefined ? 0 : parseCount('snapshot', snapshot),
    isPatch: flags.has('patch'),
    isDryRun: flags.has('dry-run'),
    isForced: flags.has('force'),
    isTouching: flags.has('touch'),
    keepsConflicts: flags.has('keep-conflicts'),
    isJson: flags.has('json'),
  };
}

/** It knows nothing of them, and would do all of it where somebody asked for a part, or only what it would do. */
function checkAbort({ flags, values, positionals: [, path] }: Pick<ParsedCall, 'flags' | 'values' | 'positionals'>): void {
  const unfit = ['dry-run', 'force', 'keep-conflicts', 'touch', 'snapshot'].find((name) => flags.has(name) || values.has(name));
  const given = unfit === undefined ? path && `"${displayBytes(path)}"` : `--${unfit}`;
  if (given === undefined) return;
  throw new UsageError(`Cannot use --abort with ${given}: it takes back all of what was begun`, { hint: `Leave ${given} out` });
}

/** Takes back what an earlier restore of the session had begun before it was killed. */
async function abort(context: Context, { store, session, manifests }: NamedSession, { isJson }: Wish): Promise<CommandResult> {
  const counts: number[] = [];
  const { kind, restores } = session.manifest;
  // By its own name as well as by that of the session that it restores.
  const own = kind === 'restore' && restores !== undefined ? findUnfinished(manifests, restores) : [];
  for (const id of [...own.filter((one) => one === session.id), ...findUnfinished(manifests, session.id)]) {
    using _said = sayInterrupted(context, { store, session }, id);
    const count = await abortRestore(rollbackDeps(context), store, id);
    if (count === 'busy') throw busy(session.id);
    if (count !== 'over') counts.push(count);
  }
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (isJson) return { output: jsonOutput({ session_id: session.id, aborted: counts.length, paths: total }), exitCode: EXIT.ok };
  const text =
    counts.length === 0
      ? `Nothing to abort: no restore of ${session.id} was interrupted`
      : `Took back ${total} ${total === 1 ? 'path' : 'paths'} of an interrupted restore of ${own.length > 0 ? restores : session.id}`;
  return { output: `${text}\n`, exitCode: EXIT.ok };
}

/** The actions to carry out: with --force those in conflict too. */
function chosen({ actions, conflicts }: RestorePlan, { isForced }: Wish): readonly RestoreAction[] {
  if (!isForced) return actions;
  return [...actions, ...conflicts.map(({ action }) => action)].sort((a, b) => (a.path < b.path ? -1 : 1));
}

function conflictError({ conflicts }: RestorePlan, session: RollbackSession, context: Context): NonoError {
  const roots = session.manifest.roots.map(({ path }) => path);
  const shown = shownConflicts(conflicts);
  const lines = shown
    .slice(0, PATHS_NAMED)
    .map(({ action, reason }) => `  ${displayPath(action.path, roots, context.homeDirectory)} (${reason})`);
  if (shown.length > PATHS_NAMED) lines.push(`  and ${shown.length - PATHS_NAMED} more`);
  const what = shown.length === 1 ? "a path is not the session's alone" : `${shown.length} paths are not the session's alone`;
  return new NonoError('E_CONFLICT', EXIT.partial, `Cannot restore "${session.id}": ${what}\n${lines.join('\n')}`, {
    hint: 'Nothing was changed. Overwrite with --force, or leave these and restore the rest with --keep-conflicts',
  });
}

interface Report {
  readonly context: Context;
  readonly session: RollbackSession;
  readonly wish: Wish;
  /** Paths were given. */
  readonly isNarrowed: boolean;
  readonly plan: RestorePlan;
  readonly actions: readonly RestoreAction[];
  /** What changed and no snapshot holds. */
  readonly excluded: readonly Bytes[];
  readonly outcome: RestoreOutcome | UnsafeOutcome | undefined;
}

function report(input: Report): CommandResult {
  const { plan, wish, outcome } = input;
  const leavesConflicts = plan.conflicts.length > 0 && !wish.isForced;
  const isLeft = ({ action, reason }: RestoreOutcome['kept'][number]) => action.want !== undefined || reason === FORBIDDEN;
  const exitCode = leavesConflicts || (outcome?.kept ?? []).some(isLeft) ? EXIT.partial : EXIT.ok;
  return { output: wish.isJson ? reportJson(input) : reportText(input), exitCode };
}

function reportJson({ session, wish, plan, actions, excluded, outcome }: Report): string {
  return jsonOutput({
    session_id: session.id,
    snapshot: wish.snapshot,
    dry_run: wish.isDryRun,
    actions: (outcome?.done ?? actions).map(({ path, type }) => ({
      ...jsonPath(path),
      type: type === 'm' ? '~' : type,
      ...(type === 'm' ? { metadata: true } : {}),
    })),
    conflicts: plan.conflicts.map(({ action, reason }) => ({ ...jsonPath(action.path), reason })),
    kept: (outcome?.kept ?? []).map(({ action, reason }) => ({ ...jsonPath(action.path), reason })),
    excluded_changed: excluded.map(jsonPath),
    restore_session: outcome?.safetyId ?? null,
  });
}

function reportText({ context, session, wish, isNarrowed, plan, actions, excluded, outcome }: Report): string {
  const palette = createPalette(context.terminal.colourStdout);
  const roots = session.manifest.roots.map(({ path }) => path);
  const show = (path: Bytes) => displayPath(path, roots, context.homeDirectory);
  const shown = (outcome?.done ?? actions).filter(({ type }) => type !== 'm').toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const lines: string[] = [];
  if (actions.length === 0)
    lines.push(
      `Nothing to restore: ${isNarrowed ? `what was named of ${session.id}` : session.id} is at snapshot ${wish.snapshot} already`,
    );
  else if (outcome?.done.length === 0)
    lines.push(
      `Could not restore ${actions.length === 1 ? 'the path' : `any of ${actions.length} paths`} to snapshot ${wish.snapshot} of ${session.id}`,
    );
  else {
    const verb = wish.isDryRun ? 'Would restore' : 'Restored';
    const times = shown.length === 0 ? 'the times of ' : '';
    const count = shown.length === 0 ? actions.length : shown.length;
    lines.push(`${verb} ${times}${count} ${count === 1 ? 'path' : 'paths'} to snapshot ${wish.snapshot} of ${session.id}`);
  }
  for (const { path, type } of shown) lines.push(`  ${colourMark(type, palette)} ${show(path)}`);
  for (const { action, reason } of outcome?.kept ?? []) lines.push(`  Kept ${show(action.path)}: ${reason}`);
  if (!wish.isForced)
    for (const { action, reason } of shownConflicts(plan.conflicts)) lines.push(`  Left ${show(action.path)}: ${reason}`);
  lines.push(...excludedLines(excluded, show));
  if (outcome?.safetyId !== undefined) lines.push(`Undo with: nono rollback restore ${outcome.safetyId}`);
  return `${lines.join('\n')}\n`;
}

/** For those who wonder why a build still differs. */
function excludedLines(excluded: readonly Bytes[], show: (path: Bytes) => string): string[] {
  const lines = excluded.slice(0, EXCLUDED_NAMED).map((path) => `  Not tracked, and changed: ${show(path)}`);
  if (excluded.length > EXCLUDED_NAMED)
    lines.push(`  Not tracked, and changed: ${excluded.length - EXCLUDED_NAMED} more, see --json`);
  return lines;
}
