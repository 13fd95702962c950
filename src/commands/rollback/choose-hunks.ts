import { type Bytes, bufferFromBytes } from '../../bytes.ts';
import { compareTrees } from '../../rollback/compare.ts';
import { diffLines, groupHunks, type Hunk, hunkHeader, splitLines, walkHunks } from '../../rollback/edit-script.ts';
import type { FileDelta } from '../../rollback/file-delta.ts';
import { revertHunks } from '../../rollback/revert-hunks.ts';
import { isText } from '../../rollback/text-facts.ts';
import { displayLine } from '../../ui/display-line.ts';
import { CONTEXT_LINES } from '../../ui/patch.ts';
import type { Context } from '../context.ts';
import { type Dialogue, END } from './dialogue.ts';
import type { NamedSession } from './open-store.ts';
import { carryOut, carryOutReplacement, planSteps } from './restore-steps.ts';
import type { SessionView } from './session-view.ts';

/** A larger file is not taken apart. */
const BYTES_MAXIMUM = 16 * 1024 * 1024;

export interface HunkChoice {
  readonly context: Context;
  readonly named: NamedSession;
  readonly view: SessionView;
  readonly dialogue: Dialogue;
}

/** How the choice for one file ended. */
export type HunkOutcome =
  | { readonly kind: 'restored'; readonly safetyId: Bytes }
  | { readonly kind: 'none' }
  /** It cannot be taken apart, or somebody has changed it since. */
  | { readonly kind: 'unfit' | 'refused'; readonly reason: string }
  | { readonly kind: 'end' };

/**
 * Asks for each change of a file whether it is to be taken back, and takes the chosen ones back in one step after a
 * confirmation.
 */
export async function chooseHunks(choice: HunkChoice, delta: FileDelta): Promise<HunkOutcome> {
  const refusal = whyNot(delta);
  if (refusal !== undefined) return { kind: 'unfit', reason: refusal };
  const { dialogue } = choice;
  const [before, after] = [delta.before, delta.after].map((side) => [...splitLines(side?.content.pieces() ?? [])]) as [
    Bytes[],
    Bytes[],
  ];
  const hunks = groupHunks(diffLines(before, after), CONTEXT_LINES);
  const chosen = await askForEach(dialogue, hunks, before, after);
  if (chosen === END) return { kind: 'end' };
  if (chosen.size === 0) return { kind: 'none' };
  const what = chosen.size === hunks.length ? `all ${hunks.length}` : `${chosen.size} of ${hunks.length}`;
  if (!(await dialogue.confirm(`Take back ${what} ${hunks.length === 1 ? 'change' : 'changes'}?`))) return { kind: 'none' };
  if (chosen.size === hunks.length && delta.before?.permissions === delta.after?.permissions)
    return await restoreWhole(choice, delta);
  const content = bufferFromBytes(revertHunks(before, after, hunks, (index) => chosen.has(index)).join('') as Bytes);
  return await replace(choice, delta, content);
}

function whyNot({ before, after, renamedFrom }: FileDelta): string | undefined {
  if (before === undefined || renamedFrom !== undefined) return 'it is new as a whole: restore it as a file';
  if (after === undefined) return 'it was deleted as a whole: restore it as a file';
  if (before.mode === '120000' || after.mode === '120000') return 'it is a link: restore it as a file';
  if (before.hash === after.hash) return 'only its mode has changed: restore it as a file';
  if (Math.max(before.content.sizeBytes, after.content.sizeBytes) > BYTES_MAXIMUM) return 'it is too large to be taken apart';
  return isText(before.content) && isText(after.content) ? undefined : 'it is binary: restore it as a file';
}

async function askForEach(
  dialogue: Dialogue,
  hunks: readonly Hunk[],
  before: readonly Bytes[],
  after: readonly Bytes[],
): Promise<ReadonlySet<number> | typeof END> {
  const chosen = new Set<number>();
  for (let index = 0; index < hunks.length; ) {
    const hunk = hunks[index] as Hunk;
    if (!(await dialogue.show(hunkLines(dialogue, hunk, before, after)))) return END;
    const answer = await dialogue.ask(() => `Take back change ${index + 1} of ${hunks.length}? [y,n,a,d,q,?] `, 'ynadq?');
    if (answer === END) return END;
    if (answer === 'q') return new Set();
    if (answer === '?') {
      dialogue.line('y take it back, n leave it, a this and all after it, d none after it,\nq leave the file as it is');
      continue;
    }
    if (answer === 'y') chosen.add(index);
    if (answer === 'd') break;
    if (answer === 'a') for (let at = index; at < hunks.length; at++) chosen.add(at);
    if (answer === 'a') break;
    index += 1;
  }
  return chosen;
}

function* hunkLines({ palette }: Dialogue, hunk: Hunk, before: readonly Bytes[], after: readonly Bytes[]): Generator<string> {
  for (const event of walkHunks([hunk], before, after)) {
    if ('hunk' in event) yield `${palette.changed(hunkHeader(event.hunk))}\n`;
    else {
      const text = `${event.mark}${displayLine(event.text)}`;
      yield `${event.mark === '+' ? palette.added(text) : event.mark === '-' ? palette.removed(text) : text}\n`;
    }
  }
}

async function restoreWhole({ context, named, view }: HunkChoice, { path }: FileDelta): Promise<HunkOutcome> {
  const { request, plan } = planSteps(context, named, { state: view.state, snapshot: 0, paths: [path] });
  const [conflict] = plan.conflicts;
  if (conflict !== undefined) return { kind: 'refused', reason: conflict.reason };
  const outcome = await carryOut(context, named, request, plan.actions);
  const [kept] = outcome?.kept ?? [];
  if (kept !== undefined) return { kind: 'refused', reason: kept.reason };
  return outcome === undefined ? { kind: 'none' } : { kind: 'restored', safetyId: outcome.safetyId };
}

async function replace({ context, named, view }: HunkChoice, { path }: FileDelta, content: Uint8Array): Promise<HunkOutcome> {
  const { session, state } = view;
  const change = compareTrees(session.tree(state.manifest, 0), state.tree).find((candidate) => candidate.path === path);
  if (change?.after === undefined) return { kind: 'none' };
  const { root, after: expected } = change;
  const outcome = await carryOutReplacement(context, named, { session, state, path, root, expected, content });
  return 'refused' in outcome ? { kind: 'refused', reason: outcome.refused } : { kind: 'restored', safetyId: outcome.safetyId };
}
