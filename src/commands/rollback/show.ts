import { type Bytes, bufferFromBytes, displayBytes } from '../../bytes.ts';
import { EXIT, UsageError } from '../../errors.ts';
import { baseName, relativePath, tildePath } from '../../paths.ts';
import { type Change, compareTrees, countChanges, isListed } from '../../rollback/compare.ts';
import { readWholeContent } from '../../rollback/content-access.ts';
import { findOverlapping } from '../../rollback/doubt.ts';
import type { Entry } from '../../rollback/entry.ts';
import { sessionBytes } from '../../rollback/housekeeping.ts';
import { type PresentState, presentState } from '../../rollback/present.ts';
import type { RollbackSession, RollbackStore } from '../../rollback/store.ts';
import { formatAge } from '../../time.ts';
import { colourMark, countsText, displayPath } from '../../ui/change-lines.ts';
import { createPalette } from '../../ui/palette.ts';
import { type PatchSide, renderPatch } from '../../ui/patch.ts';
import type { Context } from '../context.ts';
import type { CommandResult, ParsedCall } from '../spec.ts';
import { changeFields, printJson, sessionFields, sessionStatus, skippedFields, skippedOf, snapshotFields } from './documents.ts';
import { openNamedSession, rollbackDeps } from './open-store.ts';

/** Skipped entries named in the summary before the rest is counted. */
const SKIPPED_NAMED = 5;

export async function execute({ flags, positionals }: ParsedCall, context: Context): Promise<CommandResult> {
  if (flags.has('diff') && flags.has('json')) throw new UsageError('Cannot use --diff with --json: choose one');
  const { session, store, manifests } = openNamedSession(context, positionals[0] as Bytes);
  const state = await presentState(rollbackDeps(context), session);
  const changes = compareTrees(session.tree(state.manifest, 0), state.tree);
  const shown: Shown = { context, store, session, state, changes };
  for (const { id } of findOverlapping(manifests, state.manifest, context.clock.nowMs())) {
    context.notify(`Session ${id} ran on the same files at the same time: its changes cannot be told from these`);
  }
  if (flags.has('json')) return { output: renderJson(shown), exitCode: EXIT.ok };
  if (flags.has('diff')) return { output: renderDiff(shown), exitCode: EXIT.ok };
  return { output: renderSummary(shown), exitCode: EXIT.ok };
}

interface Shown {
  readonly context: Context;
  readonly store: RollbackStore;
  readonly session: RollbackSession;
  readonly state: PresentState;
  readonly changes: readonly Change[];
}

function renderJson({ context, store, session, state, changes }: Shown): string {
  const { manifest, isLive } = state;
  const trees = manifest.snapshots.map(({ number }) => session.tree(manifest, number));
  return printJson({
    ...sessionFields(manifest, { isAlive: isLive, diskSize: sessionBytes(store, manifest), clock: context.clock }),
    changes: changes.map(changeFields),
    snapshots: snapshotFields(
      manifest,
      (number) => compareTrees(session.tree(manifest, number - 1), session.tree(manifest, number)),
      context.clock,
    ),
    skipped: skippedFields(trees),
  });
}

function renderSummary({ context, session, state, changes }: Shown): string {
  const { manifest, isLive } = state;
  const palette = createPalette(context.terminal.colourStdout);
  const roots = manifest.roots.map(({ path }) => path);
  const home = context.homeDirectory;
  const listed = changes.filter(isListed);
  const run = manifest.runId === '' ? '' : ` (session ${manifest.runId})`;
  const lines = [
    `${palette.strong(session.id)}${run}  ${formatAge(context.clock.nowMs() - manifest.startedMs)}  ${statusText(state)}`,
    `Command  ${manifest.command.map((word) => displayBytes(word)).join(' ')}`,
    `Tracked  ${roots.map((path) => displayBytes(tildePath(path, home))).join(', ')}`,
    '',
    ...listed.map(
      (change) => `  ${colourMark(change.type, palette)} ${displayPath(change.path, roots, home)}${detailOf(change)}`,
    ),
  ];
  if (listed.length > 0) lines.push('');
  lines.push(countsText(countChanges(changes), palette) || 'No changes');
  lines.push(...skippedLines(state, roots, home));
  if (listed.length > 0 && !isLive) lines.push(`Undo with: nono rollback restore ${session.id}`);
  return `${lines.join('\n')}\n`;
}

function statusText({ manifest, isLive }: PresentState): string {
  const status = sessionStatus(manifest, isLive);
  if (manifest.signal !== undefined) return `${status} (${manifest.signal})`;
  return manifest.exitCode === undefined ? status : `${status} (${manifest.exitCode})`;
}

function detailOf({ type, before, after }: Change): string {
  const kind = (after ?? before)?.kind === 'directory' ? '/' : '';
  if (type !== 'p') return kind;
  return `${kind}  ${octal(before)} → ${octal(after)}`;
}

function octal(entry: Entry | undefined): string {
  return (entry?.mode ?? 0).toString(8).padStart(4, '0');
}

/** What the last snapshot does not hold, without what a rule leaves out on purpose. */
function skippedLines({ tree }: PresentState, roots: readonly Bytes[], home: Bytes): string[] {
  const skipped = [...skippedOf(tree)];
  const lines = skipped
    .filter(({ reason }) => !reason.startsWith('excluded'))
    .map(({ path, reason }) => `  ! ${displayPath(path, roots, home)}: ${reason}`);
  const excluded = skipped.length - lines.length;
  const shown = lines.slice(0, SKIPPED_NAMED);
  if (lines.length > SKIPPED_NAMED) shown.push(`  ! and ${lines.length - SKIPPED_NAMED} more, see --json`);
  const summary = excluded === 0 ? [] : [`Not tracked: ${excluded} ${excluded === 1 ? 'entry' : 'entries'} excluded by rules`];
  return shown.length === 0 ? summary : ['Not tracked:', ...shown, ...summary];
}

/** Patches in pieces, so that a large change is never in memory as a whole. */
function* renderDiff({ context, session, state, changes }: Shown): Generator<Uint8Array> {
  using objects = session.openObjects();
  const roots = state.manifest.roots.map(({ path }) => path);
  for (const change of changes) {
    if (!isListed(change)) continue;
    const sideOf = (entry: Entry | undefined, isNow: boolean): PatchSide | undefined => {
      if (entry === undefined || (entry.kind !== 'file' && entry.kind !== 'symlink')) return undefined;
      if (entry.kind === 'symlink') return { mode: '120000', content: entry.target };
      const source = isNow && state.isLive ? { files: context.files, roots, path: change.path } : { objects, hash: context.hash };
      return { mode: (entry.mode & 0o100) === 0 ? '100644' : '100755', content: readWholeContent(entry, source) };
    };
    const [before, after] = [sideOf(change.before, false), sideOf(change.after, true)];
    if (before === undefined && after === undefined) continue;
    const isSame = before?.mode === after?.mode && before?.content === after?.content;
    if (!isSame) yield bufferFromBytes(renderPatch(patchName(change, roots), before, after));
  }
}

/** The path below `a/` and `b/`: relative to the root, and with several roots below the root's name. */
function patchName({ path, root }: Change, roots: readonly Bytes[]): Bytes {
  const relative = path === root ? baseName(path) : relativePath(path, root);
  return roots.length === 1 ? relative : (`${baseName(root)}/${relative}` as Bytes);
}
