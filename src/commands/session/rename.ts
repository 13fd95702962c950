import { EXIT, NonoError } from '../../errors.ts';
import { checkSessionName } from '../../session/names.ts';
import type { Context } from '../context.ts';
import type { CommandResult, ParsedCall } from '../spec.ts';
import { ask, controlSession, needThisHost, noTerminal, openSession } from './open-sessions.ts';

export async function execute({ positionals: [wanted, given] }: ParsedCall, context: Context): Promise<CommandResult> {
  if (wanted === undefined || given === undefined) throw new TypeError('Expected the parser to ask for an ID and a NAME');
  const name = checkSessionName(given);
  const session = await openSession(context, wanted);
  const id = session.record.session_id;
  needThisHost(session, 'rename');
  if (!session.isLive) throw new NonoError('E_ENDED', EXIT.failure, `Cannot rename session ${id}: it has ended`);
  using client = await controlSession(context, session);
  if (client === undefined) throw noTerminal(session);
  await ask(context, session, { client, verb: 'rename', request: { verb: 'rename', name } });
  return { exitCode: EXIT.ok };
}
