import { type Bytes, displayBytes, jsonPath } from '../../bytes.ts';
import { EXIT, UsageError } from '../../errors.ts';
import { jsonOutput } from '../../json-text.ts';
import { compareTrees } from '../../rollback/compare.ts';
import { findOverlapping } from '../../rollback/doubt.ts';
import type { GitChange } from '../../rollback/git-changes.ts';
import { sessionBytes } from '../../rollback/housekeeping.ts';
import { isReviewed } from '../../rollback/reviewed.ts';
import type { Trap } from '../../rollback/traps.ts';
import { createPalette } from '../../ui/palette.ts';
import { type DiffView, renderScreenDelta } from '../../ui/screen-diff.ts';
import type { Context } from '../context.ts';
import type { CommandResult, ParsedCall } from '../spec.ts';
import { changeFields, ruleFields, sessionFields, skippedFields, snapshotFields } from './documents.ts';
import { type NamedSession, openNamedSession } from './open-store.ts';
import { choosePager } from './pager.ts';
import { patches } from './patches.ts';
import { type SessionView, viewSession } from './session-view.ts';
import { summaryLines } from './summary.ts';
import { unpatchable } from './unpatchable.ts';

/** Ways to show a session that exclude each other. */
const FORMS = ['diff', 'side-by-side', 'full', 'json'] as const;
type Form = (typeof FORMS)[number];

export async function execute(call: ParsedCall, context: Context): Promise<CommandResult> {
  const form = chooseForm(call);
  const [wanted, ...paths] = call.positionals as [Bytes, ...Bytes[]];
  const named = await openNamedSession(context, wanted);
  const view = await viewSession(context, named, { verb: 'show', range: call.values.get('snapshot')?.[0], paths });
  for (const { id } of findOverlapping(named, view.manifest, context.clock.nowMs())) {
    context.notify(`Session ${id} ran on the same files at the same time: its changes cannot be told from these`);
  }
  if (form === 'json') return { output: renderJson(context, named, view), exitCode: EXIT.ok };
  return { output: await chooseOutput(form, view, context), pager: choosePager(call, context), exitCode: EXIT.ok };
}

function chooseForm({ flags }: ParsedCall): Form | undefined {
  const [form, another] = FORMS.filter((name) => flags.has(name));
  if (another !== undefined) throw new UsageError(`Cannot use --${form} with --${another}: choose one`);
  return form;
}

async function chooseOutput(
  form: Exclude<Form, 'json'> | undefined,
  view: SessionView,
  context: Context,
): Promise<Iterable<string | Uint8Array>> {
  if (form === undefined) return summaryOf(view, context);
  const isRaw = form === 'diff' && !context.terminal.isStdoutTerminal;
  if (!isRaw) return screenDiff(view, form === 'diff' ? 'unified' : form, context);
  const left = unpatchable(view);
  if (left !== '') context.notify(`Not in the patch: ${left}`);
  return patches(view, { hash: context.hash, deflate: await context.loadDeflate() });
}

function* summaryOf(view: SessionView, context: Context): Generator<string> {
  const { isStdoutTerminal, columns, colourStdout } = context.terminal;
  const layout = { palette: createPalette(colourStdout), columns, cutsNames: isStdoutTerminal };
  for (const line of summaryLines(view, context, layout)) yield `${line}\n`;
  if (view.changes.length > 0 && !view.state.isLive) yield `Undo with: nono rollback restore ${view.session.id}\n`;
}

/** For people: what is in the files can do nothing to the terminal. */
function* screenDiff(view: SessionView, form: DiffView, { terminal }: Context): Generator<string> {
  const layout = { palette: createPalette(terminal.colourStdout), columns: terminal.columns };
  for (const [at, delta] of view.deltas.entries()) {
    if (at > 0) yield '\n';
    yield* renderScreenDelta(delta, form, layout);
  }
}

function renderJson({ clock }: Context, { home, session }: NamedSession, view: SessionView): string {
  const { manifest, state } = view;
  const trees = manifest.snapshots.map(({ number }) => session.tree(manifest, number));
  const changesOf = (number: number) => compareTrees(session.tree(manifest, number - 1), session.tree(manifest, number));
  return jsonOutput({
    ...sessionFields(manifest, {
      isAlive: state.isLive,
      isUnknown: state.isUnknown,
      diskSize: sessionBytes(home, manifest),
      clock,
    }),
    reviewed: isReviewed(session.directory),
    changes: view.changes.map(changeFields),
    snapshots: snapshotFields(manifest, changesOf, clock),
    skipped: skippedFields(trees),
    rules: ruleFields(manifest),
    traps: view.traps.map(trapFields),
    git: view.git.map(gitFields),
  });
}

function trapFields({ path, reason }: Trap) {
  return { ...jsonPath(path), reason };
}

function gitFields({ top, kind, text, takeBack, reason }: GitChange) {
  return { ...jsonPath(top), kind, text: displayBytes(text as Bytes), take_back: takeBack, reason: reason ?? null };
}
