import { type Bytes, bytesFromText, displayBytes } from '../../bytes.ts';
import { tildePath } from '../../paths.ts';
import { type Change, countChanges, isListed } from '../../rollback/compare.ts';
import { DeltaCounter } from '../../rollback/delta-stat.ts';
import type { Entry } from '../../rollback/entry.ts';
import type { FileDelta } from '../../rollback/file-delta.ts';
import { FINAL_LABEL } from '../../rollback/final.ts';
import type { GitChange } from '../../rollback/git-changes.ts';
import type { Manifest } from '../../rollback/manifest.ts';
import type { PresentState } from '../../rollback/present.ts';
import { formatAge } from '../../time.ts';
import { countsText, displayPath } from '../../ui/change-lines.ts';
import { linesText, renderStat, type StatLayout, type StatRow } from '../../ui/diff-stat.ts';
import { fitEnd } from '../../ui/width.ts';
import type { Context } from '../context.ts';
import { sessionStatus, skippedOf } from './documents.ts';
import type { SessionView } from './session-view.ts';

/** Skipped entries named in the summary before the rest is counted. */
const SKIPPED_NAMED = 5;
const SNAPSHOTS_NAMED = 10;
const TRAPS_NAMED = 20;
const GIT_NAMED = 20;

type Show = (path: Bytes) => string;

/** What a session is and what it changed, line by line. */
export function* summaryLines(view: SessionView, context: Context, layout: StatLayout): Generator<string> {
  const { manifest, session, state, roots, range, changes } = view;
  const { palette } = layout;
  const home = context.homeDirectory;
  const show: Show = (path) => displayPath(path, roots, home);
  const cut = (line: string) => (layout.cutsNames ? fitEnd(line, layout.columns) : line);
  const run = manifest.runId === '' ? '' : ` (session ${displayBytes(manifest.runId as Bytes)})`;
  const age = formatAge(context.clock.nowMs() - manifest.startedMs);
  yield `${palette.strong(session.id)}${run}  ${age}  ${statusText(state)}`;
  yield cut(`Command  ${manifest.command.map((word) => displayBytes(word)).join(' ')}`);
  yield cut(`Tracked  ${roots.map((path) => displayBytes(tildePath(path, home))).join(', ')}`);
  for (const line of snapshotLines(manifest, context)) yield cut(line);
  if (range.from !== 0 || range.to !== undefined) yield `Between  snapshot ${range.from} and ${rangeEnd(view)}`;
  yield '';
  const rows = statRows(view, show);
  yield* renderStat(rows, layout);
  if (rows.length > 0) yield '';
  const lines = linesText(
    rows.map(({ stat }) => stat),
    palette,
  );
  const counts = countsText(countChanges(changes), palette);
  yield counts === '' ? 'No changes' : `${counts}${lines === '' ? '' : `; ${lines}`}`;
  yield* trapLines(view, show, layout);
  yield* gitLines(view.git, layout);
  yield* skippedLines(state, show);
}

/** The snapshots between the first and the last, which are there in any case. */
function* snapshotLines({ snapshots }: Manifest, { clock }: Context): Generator<string> {
  const hasFinal = snapshots.at(-1)?.label === FINAL_LABEL;
  const checkpoints = snapshots.slice(1, hasFinal ? -1 : undefined);
  const nowMs = clock.nowMs();
  for (const { number, takenMs, label } of checkpoints.slice(-SNAPSHOTS_NAMED))
    yield `Snapshot ${number}  ${formatAge(nowMs - takenMs)}  ${displayBytes(bytesFromText(label))}`;
  if (checkpoints.length > SNAPSHOTS_NAMED) yield `and ${checkpoints.length - SNAPSHOTS_NAMED} earlier ones, see --json`;
}

function rangeEnd({ range, state }: SessionView): string {
  if (range.to !== undefined) return `snapshot ${range.to}`;
  return state.isLive ? 'the files as they are now' : 'the final state';
}

function statusText({ manifest, isLive, isUnknown }: PresentState): string {
  const status = sessionStatus(manifest, { isAlive: isLive, isUnknown });
  if (manifest.signal !== undefined) return `${status} (${displayBytes(manifest.signal as Bytes)})`;
  return manifest.exitCode === undefined ? status : `${status} (${manifest.exitCode})`;
}

/** A row for each listed change; one that was renamed has two, as it counts as two. */
function statRows({ changes, deltas }: SessionView, show: Show): StatRow[] {
  const byPath = new Map(deltas.map((delta) => [delta.path, delta]));
  const movedTo = new Map(
    deltas.flatMap(({ path, renamedFrom }) => (renamedFrom === undefined ? [] : [[renamedFrom.path, path]])),
  );
  const counter = new DeltaCounter();
  return changes.filter(isListed).map((change) => {
    const delta = byPath.get(change.path);
    const stat = delta === undefined ? undefined : counter.count(delta);
    const detail = detailOf(change, { delta, movedTo: movedTo.get(change.path), show });
    return { mark: change.type, name: show(change.path), detail, stat };
  });
}

interface Detail {
  readonly delta: FileDelta | undefined;
  readonly movedTo: Bytes | undefined;
  readonly show: Show;
}

function detailOf({ type, before, after }: Change, { delta, movedTo, show }: Detail): string {
  if (movedTo !== undefined) return `  (now ${show(movedTo)})`;
  if (delta?.renamedFrom !== undefined) return `  (was ${show(delta.renamedFrom.path)})`;
  const kind = (after ?? before)?.kind === 'directory' ? '/' : '';
  if (type === 'p') return `${kind}  ${octal(before)} → ${octal(after)}`;
  if (after?.kind === 'symlink') return ` -> ${displayBytes(after.target)}`;
  return kind;
}

function octal(entry: Entry | undefined): string {
  return (entry?.mode ?? 0).toString(8).padStart(4, '0');
}

function* trapLines({ traps }: SessionView, show: Show, { palette }: StatLayout): Generator<string> {
  if (traps.length === 0) return;
  yield palette.changed('Look at these before you go on: they can run something outside the sandbox');
  for (const { path, reason } of traps.slice(0, TRAPS_NAMED)) yield `  ${palette.changed('!')} ${show(path)}: ${reason}`;
  if (traps.length > TRAPS_NAMED) yield `  ! and ${traps.length - TRAPS_NAMED} more, see --json`;
}

function* gitLines(git: readonly GitChange[], { palette }: StatLayout): Generator<string> {
  if (git.length === 0) return;
  yield 'Moved in .git, which no restore touches:';
  for (const { text, takeBack, reason } of git.slice(0, GIT_NAMED)) {
    yield `  ${reason === undefined ? '·' : palette.changed('!')} ${text}${reason === undefined ? '' : `: ${reason}`}`;
    for (const command of takeBack) yield `      ${command}`;
  }
  if (git.length > GIT_NAMED) yield `  · and ${git.length - GIT_NAMED} more, see --json`;
}

/** What the last snapshot does not hold, without what a rule leaves out on purpose. */
function* skippedLines({ tree }: PresentState, show: Show): Generator<string> {
  const skipped = [...skippedOf(tree)];
  const lines = skipped
    .filter(({ reason }) => !reason.startsWith('excluded'))
    .map(({ path, reason }) => `  ! ${show(path)}: ${reason}`);
  const excluded = skipped.length - lines.length;
  if (lines.length > 0) yield 'Not tracked:';
  yield* lines.slice(0, SKIPPED_NAMED);
  if (lines.length > SKIPPED_NAMED) yield `  ! and ${lines.length - SKIPPED_NAMED} more, see --json`;
  if (excluded > 0) yield `Not tracked: ${excluded} ${excluded === 1 ? 'entry' : 'entries'} excluded by rules`;
}
