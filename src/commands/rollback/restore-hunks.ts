import { type Bytes, displayBytes } from '../../bytes.ts';
import { EXIT } from '../../errors.ts';
import { isWithin } from '../../paths.ts';
import { displayPath } from '../../ui/change-lines.ts';
import type { Context } from '../context.ts';
import type { CommandResult } from '../spec.ts';
import { chooseHunks } from './choose-hunks.ts';
import { Dialogue, needTerminal, withDialogue } from './dialogue.ts';
import type { NamedSession } from './open-store.ts';
import { viewSession } from './session-view.ts';

/** Goes through the changed files and asks for each of their changes; what cannot be taken apart is named and left. */
export async function restoreHunks(context: Context, named: NamedSession, paths: readonly Bytes[]): Promise<CommandResult> {
  needTerminal(context, 'choose changes');
  using view = await viewSession(context, named, { verb: 'restore' });
  using dialogue = await Dialogue.open(context);
  const wanted = view.deltas.filter(({ path }) => paths.length === 0 || paths.some((given) => isWithin(path, given)));
  let isPartial = false;
  const undo: Bytes[] = [];
  for (const delta of wanted) {
    const name = displayPath(delta.path, view.roots, context.homeDirectory);
    dialogue.line(dialogue.palette.strong(name));
    const outcome = await chooseHunks({ context: withDialogue(context, dialogue), named, view, dialogue }, delta);
    if (outcome.kind === 'end') break;
    if (outcome.kind === 'unfit' || outcome.kind === 'refused') dialogue.line(`Left ${name}: ${outcome.reason}`);
    isPartial ||= outcome.kind === 'refused';
    if (outcome.kind === 'restored') undo.push(outcome.safetyId);
  }
  if (wanted.length === 0) dialogue.line('Nothing to choose from: nothing there has changed');
  for (const id of undo) dialogue.line(`Undo with: nono rollback restore ${displayBytes(id)}`);
  return { exitCode: isPartial ? EXIT.partial : EXIT.ok };
}
