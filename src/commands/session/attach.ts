import { UsageError } from '../../errors.ts';
import type { Context } from '../context.ts';
import type { CommandResult, ParsedCall } from '../spec.ts';
import { attachTerminal, cannotAttach, noOwnTerminal } from './attach-terminal.ts';
import { openSession } from './open-sessions.ts';
import { reviewSession } from './review-session.ts';

export async function execute({ flags, positionals: [wanted] }: ParsedCall, context: Context): Promise<CommandResult> {
  if (wanted === undefined) throw new TypeError('Expected the parser to ask for an ID');
  if (flags.has('view') && flags.has('steal')) {
    throw new UsageError('Cannot use --view with --steal: who only looks takes nothing over', { hint: 'Leave one of them out' });
  }
  const session = await openSession(context, wanted);
  const id = session.record.session_id;
  if (!session.isLive) throw cannotAttach(id, 'it has ended', `See how with \`nono inspect ${id}\``);
  if (!session.record.terminal) throw noOwnTerminal(id);
  const mode = flags.has('view') ? 'view' : flags.has('steal') ? 'steal' : 'attach';
  const { exitCode, hasEnded } = await attachTerminal(context, session, mode);
  if (hasEnded && mode !== 'view' && !flags.has('no-rollback-prompt')) await reviewSession(context, id);
  return { exitCode };
}
