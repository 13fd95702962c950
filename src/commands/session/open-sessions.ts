import type { Bytes } from '../../bytes.ts';
import { EXIT, isErrno, NonoError } from '../../errors.ts';
import { joinPath } from '../../paths.ts';
import { ControlClient, socketName } from '../../session/client.ts';
import { findSession, listSessions, type Session, type SessionList } from '../../session/sessions.ts';
import { openStateDirectory } from '../../session/state-directory.ts';
import type { Context } from '../context.ts';
import { SESSIONS } from '../new-session.ts';

/** All sessions, under the checks of the state directory. Damaged records are named on stderr and passed over. */
export async function openSessions(context: Context, { isQuiet = false } = {}): Promise<SessionList> {
  const { files, stateDirectory, uid, hostName, notify } = context;
  using state = openStateDirectory(files, stateDirectory, uid, { create: false });
  if (state === undefined) return { sessions: [], unreadable: [] };
  using directory = openStateDirectory(files, sessionsPath(context), uid, { create: false });
  if (directory === undefined) return { sessions: [], unreadable: [] };
  const { processes } = await context.loadSandbox();
  const list = listSessions(directory, { processes, hostName });
  if (!isQuiet) for (const { error } of list.unreadable) notify(`Passed over a record: ${error.message}`);
  return list;
}

export function sessionsPath({ stateDirectory }: Context): Bytes {
  return joinPath(stateDirectory, SESSIONS);
}

/** @throws {NonoError} when no session, or more than one, is meant. */
export async function openSession(context: Context, wanted: Bytes): Promise<Session> {
  return findSession(await openSessions(context, { isQuiet: true }), wanted);
}

/** @returns undefined when the session has no socket, as one without a terminal. @throws {NonoError} */
export async function controlSession(
  context: Context,
  { record }: Session,
  onProgress?: (line: string) => void,
): Promise<ControlClient | undefined> {
  const sockets = await context.loadSockets();
  const address = { directory: sessionsPath(context), name: socketName(record.session_id) };
  try {
    return await ControlClient.connect(sockets, address, onProgress);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ECONNREFUSED')) return undefined;
    throw error;
  }
}

/** What the user is told when a verb needs a terminal that the session does not have. */
export function noTerminal({ record }: Session): NonoError {
  return new NonoError(
    'E_NO_TERMINAL',
    EXIT.failure,
    `Cannot reach session ${record.session_id}: it has no terminal of its own`,
    {
      hint: 'It runs on the streams of its caller; start it with --detached to attach to it',
    },
  );
}

/** The failure that a supervisor's refusal is. */
export function refusal(id: string, verb: string, message: string): NonoError {
  return new NonoError('E_REFUSED', EXIT.failure, `Cannot ${verb} session ${id}: ${message}`);
}
