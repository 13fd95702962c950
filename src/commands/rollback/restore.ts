import { type Bytes, displayBytes, jsonPath } from '../../bytes.ts';
import { EXIT, NonoError, UsageError } from '../../errors.ts';
import { parseCount } from '../../parse.ts';
import { isWithin } from '../../paths.ts';
import { presentState } from '../../rollback/present.ts';
import { carryOutRestore, findUnfinished, prepareRestore, type RestoreOutcome, resumeRestore } from '../../rollback/restore.ts';
import type { RestoreAction, RestorePlan } from '../../rollback/restore-plan.ts';
import type { RollbackSession } from '../../rollback/store.ts';
import { colourMark, displayPath } from '../../ui/change-lines.ts';
import { createPalette } from '../../ui/palette.ts';
import type { Context } from '../context.ts';
import type { CommandResult, ParsedCall } from '../spec.ts';
import { printJson } from './documents.ts';
import { resolveGiven } from './given-path.ts';
import { openNamedSession, rollbackDeps } from './open-store.ts';

/** Paths named in a message before the rest is counted. */
const PATHS_NAMED = 20;

interface Wish {
  readonly snapshot: number;
  readonly paths: readonly Bytes[];
  readonly isDryRun: boolean;
  readonly isForced: boolean;
  readonly keepsConflicts: boolean;
  readonly isJson: boolean;
}

export async function execute(call: ParsedCall, context: Context): Promise<CommandResult> {
  const [wanted, ...given] = call.positionals as [Bytes, ...Bytes[]];
  const wish = readWish(call, given, context);
  const deps = rollbackDeps(context);
  const { store, session, manifests } = openNamedSession(context, wanted);
  using _ = session;
  if (!wish.isDryRun)
    finishInterrupted(context, session, () => findUnfinished(manifests, session.id).map((id) => resumeRestore(deps, store, id)));
  const state = await presentState(deps, session);
  if (wish.snapshot >= state.manifest.snapshots.length) {
    throw new UsageError(
      `Cannot use snapshot ${wish.snapshot} of "${session.id}": it has ${state.manifest.snapshots.length}, from 0`,
    );
  }
  checkPaths(wish.paths, session);
  const request = { session, state, snapshot: wish.snapshot, paths: wish.paths };
  const plan = prepareRestore(deps, request);
  const conflicts = plan.conflicts.length;
  if (wish.isDryRun) return report({ context, session, wish, plan, actions: chosen(plan, wish), outcome: undefined });
  if (conflicts > 0 && !wish.isForced && !wish.keepsConflicts) {
    if (wish.isJson) return report({ context, session, wish, plan, actions: [], outcome: undefined });
    throw conflictError(plan, session, context);
  }
  const actions = chosen(plan, wish);
  const outcome = actions.length === 0 ? undefined : carryOutRestore(deps, store, request, actions, context.pid);
  return report({ context, session, wish, plan, actions, outcome });
}

function readWish({ flags, values }: ParsedCall, given: readonly Bytes[], context: Context): Wish {
  if (flags.has('force') && flags.has('keep-conflicts')) {
    throw new UsageError('Cannot use --force with --keep-conflicts: one overwrites what the other leaves');
  }
  const snapshot = values.get('snapshot')?.[0];
  return {
    snapshot: snapshot === undefined ? 0 : parseCount('snapshot', snapshot),
    paths: given.map((path) => resolveGiven(context, path)),
    isDryRun: flags.has('dry-run'),
    isForced: flags.has('force'),
    keepsConflicts: flags.has('keep-conflicts'),
    isJson: flags.has('json'),
  };
}

function finishInterrupted(
  context: Context,
  session: RollbackSession,
  resume: () => readonly (RestoreOutcome | undefined)[],
): void {
  for (const outcome of resume()) {
    if (outcome === undefined)
      throw new NonoError('E_BUSY', EXIT.failure, `Cannot restore "${session.id}": another restore of it is running`);
    context.notify(`Completed an interrupted restore of ${session.id} (${outcome.done.length} paths)`);
  }
}

function checkPaths(paths: readonly Bytes[], { manifest }: RollbackSession): void {
  for (const path of paths) {
    if (manifest.roots.some((root) => isWithin(path, root.path) || isWithin(root.path, path))) continue;
    const tracked = manifest.roots.map((root) => displayBytes(root.path)).join(', ');
    throw new UsageError(`Cannot restore "${displayBytes(path)}": session "${manifest.id}" tracks ${tracked}`);
  }
}

/** The actions to carry out: with --force those in conflict too. */
function chosen({ actions, conflicts }: RestorePlan, { isForced }: Wish): readonly RestoreAction[] {
  if (!isForced) return actions;
  return [...actions, ...conflicts.map(({ action }) => action)].sort((a, b) => (a.path < b.path ? -1 : 1));
}

function conflictError({ conflicts }: RestorePlan, session: RollbackSession, context: Context): NonoError {
  const roots = session.manifest.roots.map(({ path }) => path);
  const lines = conflicts
    .slice(0, PATHS_NAMED)
    .map(({ action, reason }) => `  ${displayPath(action.path, roots, context.homeDirectory)} (${reason})`);
  if (conflicts.length > PATHS_NAMED) lines.push(`  and ${conflicts.length - PATHS_NAMED} more`);
  const what = conflicts.length === 1 ? 'a path was' : `${conflicts.length} paths were`;
  return new NonoError(
    'E_CONFLICT',
    EXIT.partial,
    `Cannot restore "${session.id}": ${what} changed by somebody else since\n${lines.join('\n')}`,
    {
      hint: 'Nothing was changed. Overwrite with --force, or leave these and restore the rest with --keep-conflicts',
    },
  );
}

interface Report {
  readonly context: Context;
  readonly session: RollbackSession;
  readonly wish: Wish;
  readonly plan: RestorePlan;
  readonly actions: readonly RestoreAction[];
  readonly outcome: RestoreOutcome | undefined;
}

function report(input: Report): CommandResult {
  const { plan, wish, outcome } = input;
  const leavesConflicts = plan.conflicts.length > 0 && !wish.isForced;
  const exitCode =
    leavesConflicts || (outcome?.kept ?? []).some(({ action }) => action.want !== undefined) ? EXIT.partial : EXIT.ok;
  return { output: wish.isJson ? reportJson(input) : reportText(input), exitCode };
}

function reportJson({ session, wish, plan, actions, outcome }: Report): string {
  return printJson({
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
    restore_session: outcome?.safetyId ?? null,
  });
}

function reportText({ context, session, wish, plan, actions, outcome }: Report): string {
  const palette = createPalette(context.terminal.colourStdout);
  const roots = session.manifest.roots.map(({ path }) => path);
  const show = (path: Bytes) => displayPath(path, roots, context.homeDirectory);
  const shown = (outcome?.done ?? actions).filter(({ type }) => type !== 'm').toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const lines: string[] = [];
  if (actions.length === 0) lines.push(`Nothing to restore: ${session.id} is at snapshot ${wish.snapshot} already`);
  else {
    const verb = wish.isDryRun ? 'Would restore' : 'Restored';
    const times = shown.length === 0 ? 'the times of ' : '';
    const count = shown.length === 0 ? actions.length : shown.length;
    lines.push(`${verb} ${times}${count} ${count === 1 ? 'path' : 'paths'} to snapshot ${wish.snapshot} of ${session.id}`);
  }
  for (const { path, type } of shown) lines.push(`  ${colourMark(type, palette)} ${show(path)}`);
  for (const { action, reason } of outcome?.kept ?? []) lines.push(`  Kept ${show(action.path)}: ${reason}`);
  if (!wish.isForced) for (const { action, reason } of plan.conflicts) lines.push(`  Left ${show(action.path)}: ${reason}`);
  if (outcome !== undefined) lines.push(`Undo with: nono rollback restore ${outcome.safetyId}`);
  return `${lines.join('\n')}\n`;
}
