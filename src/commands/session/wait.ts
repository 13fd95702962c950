import { EXIT, NonoError } from '../../errors.ts';
import { findSession, type Session } from '../../session/sessions.ts';
import type { Context } from '../context.ts';
import { printJson } from '../rollback/documents.ts';
import type { CommandResult, ParsedCall } from '../spec.ts';
import { supervisorGone } from './follow-end.ts';
import { controlSession, openSession, openSessions } from './open-sessions.ts';

export async function execute({ positionals, flags }: ParsedCall, context: Context): Promise<CommandResult> {
  const list = await openSessions(context, { isQuiet: true });
  const sessions = positionals.map((wanted) => findSession(list, wanted));
  const ends = await Promise.all(sessions.map((session) => waitForEnd(context, session)));
  if (flags.has('json')) {
    const documents = ends.map((exitCode, at) => ({ session_id: sessions[at]?.record.session_id, exit_code: exitCode }));
    return { output: printJson({ sessions: documents }), exitCode: EXIT.ok };
  }
  return { output: ends.map((exitCode) => `${exitCode}\n`).join(''), exitCode: EXIT.ok };
}

/** A session whose supervisor was killed has no status of its own: what `attach` says then is its. */
async function waitForEnd(context: Context, session: Session): Promise<number> {
  const { record, isLive, status } = session;
  if (status === 'unknown') {
    throw new NonoError('E_OTHER_HOST', EXIT.failure, `Cannot wait for session ${record.session_id}: it runs on another host`, {
      hint: `Wait for it on ${record.host}`,
    });
  }
  if (!isLive) return record.exit_code ?? EXIT.cannotAttach;
  using client = await controlSession(context, session);
  const end = await client?.ended;
  if (end?.reason === 'ended') return end.exitCode;
  await supervisorGone(context, session);
  const { record: last } = await openSession(context, record.session_id as Parameters<typeof openSession>[1]);
  return last.exit_code ?? EXIT.cannotAttach;
}
