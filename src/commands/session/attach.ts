import type { Bytes } from '../../bytes.ts';
import { EXIT, UsageError } from '../../errors.ts';
import { parseCount } from '../../parse.ts';
import type { Context } from '../context.ts';
import type { CommandResult, ParsedCall } from '../spec.ts';
import { attachTerminal, cannotAttach, noOwnTerminal } from './attach-terminal.ts';
import { openSession } from './open-sessions.ts';
import { reviewSession } from './review-session.ts';
import { readScreen, show } from './screen.ts';

export async function execute({ flags, values, positionals: [wanted] }: ParsedCall, context: Context): Promise<CommandResult> {
  if (wanted === undefined) throw new TypeError('Expected the parser to ask for an ID');
  if (flags.has('view') && flags.has('steal')) {
    throw new UsageError('Cannot use --view with --steal: who only looks takes nothing over', { hint: 'Leave one of them out' });
  }
  const session = await openSession(context, wanted);
  const id = session.record.session_id;
  const historyLines = readHistory(values.get('history')?.[0]);
  if (!session.isLive && flags.has('view') && session.record.terminal) {
    context.notify(`Session ${id} has ended; this is what it showed last`);
    return { output: show(await readScreen(context, session), 'ansi'), exitCode: EXIT.ok };
  }
  if (!session.isLive) throw cannotAttach(id, 'it has ended', `See how with \`nono inspect ${id}\``);
  if (!session.record.terminal) throw noOwnTerminal(id);
  const mode = flags.has('view') ? 'view' : flags.has('steal') ? 'steal' : 'attach';
  const { exitCode, hasEnded } = await attachTerminal(context, session, { mode, historyLines });
  if (hasEnded && mode !== 'view' && !flags.has('no-rollback-prompt')) await reviewSession(context, id);
  return { exitCode };
}

function readHistory(value: Bytes | undefined): number | undefined {
  if (value === undefined) return undefined;
  return value === 'none' ? 0 : parseCount('history', value);
}
