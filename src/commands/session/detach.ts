import { EXIT } from '../../errors.ts';
import type { Context } from '../context.ts';
import type { CommandResult, ParsedCall } from '../spec.ts';
import { controlSession, openSession, refusal } from './open-sessions.ts';

export async function execute({ positionals: [wanted] }: ParsedCall, context: Context): Promise<CommandResult> {
  if (wanted === undefined) throw new TypeError('Expected the parser to ask for an ID');
  const session = await openSession(context, wanted);
  const id = session.record.session_id;
  using client = session.isLive ? await controlSession(context, session) : undefined;
  const answer = await client?.request({ verb: 'detach' });
  if (answer?.isDone === false) throw refusal(id, 'detach', answer.message);
  if (answer?.changed !== true) context.notify(`Nothing to do: no terminal is attached to session ${id}`);
  return { exitCode: EXIT.ok };
}
