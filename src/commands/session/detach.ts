import { EXIT } from '../../errors.ts';
import type { Context } from '../context.ts';
import type { CommandResult, ParsedCall } from '../spec.ts';
import { ask, controlSession, openSession } from './open-sessions.ts';

export async function execute({ positionals: [wanted] }: ParsedCall, context: Context): Promise<CommandResult> {
  if (wanted === undefined) throw new TypeError('Expected the parser to ask for an ID');
  const session = await openSession(context, wanted);
  const id = session.record.session_id;
  using client = session.isLive ? await controlSession(context, session) : undefined;
  const isDetached = client !== undefined && (await ask(client, session, 'detach', { verb: 'detach' }));
  if (!isDetached) context.notify(`Nothing to do: no terminal is attached to session ${id}`);
  return { exitCode: EXIT.ok };
}
