import type { Bytes } from '../../bytes.ts';
import { EXIT } from '../../errors.ts';
import { totalOf } from '../../ui/change-lines.ts';
import type { Context } from '../context.ts';
import type { CommandResult, ParsedCall } from '../spec.ts';
import { Dialogue, needTerminal, withDialogue } from './dialogue.ts';
import { type NamedSession, openNamedSession } from './open-store.ts';
import { finishInterrupted } from './restore-steps.ts';
import { Review } from './review-dialogue.ts';
import { viewSession } from './session-view.ts';

export async function execute({ positionals }: ParsedCall, context: Context): Promise<CommandResult> {
  const [wanted, ...paths] = positionals as [Bytes, ...Bytes[]];
  const named = await openNamedSession(context, wanted);
  await review(context, named, paths);
  return { exitCode: EXIT.ok };
}

async function review(context: Context, named: NamedSession, paths: readonly Bytes[], isUnasked = false): Promise<void> {
  needTerminal(context, 'review');
  await finishInterrupted(context, named);
  using view = await viewSession(context, named, { verb: 'review', paths });
  using dialogue = await Dialogue.open(context, { isUnasked });
  await new Review(withDialogue(context, dialogue), named, view, dialogue).run();
}

/**
 * Reviews what a command has changed, right after it has ended on this terminal. Whatever goes wrong here is said and
 * never hides how the command ended.
 */
export async function reviewAtEnd(context: Context, id: Bytes): Promise<void> {
  const { isStdinTerminal, isStdoutTerminal } = context.terminal;
  if (!isStdinTerminal || !isStdoutTerminal) return;
  const named = await openNamedSession(context, id);
  const { counts, prompts } = named.session.manifest;
  if (!prompts || counts === undefined || totalOf(counts) === 0) return;
  await review(context, named, [], true);
}
