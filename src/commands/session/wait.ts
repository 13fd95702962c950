import { EXIT } from '../../errors.ts';
import { jsonOutput } from '../../json-text.ts';
import type { Session } from '../../session/sessions.ts';
import type { Context } from '../context.ts';
import type { CommandResult, ParsedCall } from '../spec.ts';
import { forEach, openEach } from './each-session.ts';
import { supervisorGone } from './follow-end.ts';
import { controlSession, needThisHost, openSession } from './open-sessions.ts';

export async function execute({ positionals, flags }: ParsedCall, context: Context): Promise<CommandResult> {
  const sessions = await openEach(context, positionals);
  const { all, exitCode } = await forEach(context, sessions, (session) => waitForEnd(context, session));
  if (flags.has('json')) {
    const documents = all.map(({ session, result = null, error }) => ({
      session_id: session.record.session_id,
      exit_code: result,
      ...(error === undefined ? {} : { error: error.message }),
    }));
    return { output: jsonOutput({ sessions: documents }), exitCode };
  }
  return { output: all.flatMap(({ result }) => (result === undefined ? [] : `${result}\n`)).join(''), exitCode };
}

/** A session whose supervisor was killed has no status of its own: what `attach` says then is its. */
async function waitForEnd(context: Context, session: Session): Promise<number> {
  const { record, isLive } = session;
  needThisHost(session, 'wait for');
  if (!isLive) return record.exit_code ?? EXIT.cannotAttach;
  using client = await controlSession(context, session);
  const end = await client?.ended;
  if (end?.reason === 'ended') return end.exitCode;
  await supervisorGone(context, session);
  const { record: last } = await openSession(context, record.session_id as Parameters<typeof openSession>[1]);
  return last.exit_code ?? EXIT.cannotAttach;
}
