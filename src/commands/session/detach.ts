import type { Session } from '../../session/sessions.ts';
import type { Context } from '../context.ts';
import type { CommandResult, ParsedCall } from '../spec.ts';
import { forEach, openEach } from './each-session.ts';
import { ask, controlSession, needThisHost } from './open-sessions.ts';

export async function execute({ positionals }: ParsedCall, context: Context): Promise<CommandResult> {
  const sessions = [...new Set(await openEach(context, positionals))];
  const { exitCode } = await forEach(context, sessions, (session) => detach(context, session));
  return { exitCode };
}

async function detach(context: Context, session: Session): Promise<void> {
  needThisHost(session, 'detach from');
  using client = session.isLive ? await controlSession(context, session) : undefined;
  const isDetached =
    client !== undefined && (await ask(context, session, { client, verb: 'detach', request: { verb: 'detach' } }));
  if (!isDetached) context.notify(`Nothing to do: no terminal is attached to session ${session.record.session_id}`);
}
