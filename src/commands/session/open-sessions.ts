import { type Bytes, bytesFromText, displayBytes } from '../../bytes.ts';
import { EXIT, isErrno, NonoError } from '../../errors.ts';
import { joinPath } from '../../paths.ts';
import type { Directory } from '../../ports/files.ts';
import { type Answer, ControlClient, socketName } from '../../session/client.ts';
import type { ControlRequest } from '../../session/control-requests.ts';
import { isSessionId } from '../../session/names.ts';
import {
  findSession,
  hasItsSupervisor,
  listSessions,
  readSession,
  type Session,
  type SessionList,
} from '../../session/sessions.ts';
import { openStateDirectory } from '../../session/state-directory.ts';
import { signalNumber } from '../../signal-names.ts';
import type { Context } from '../context.ts';
import { SESSIONS } from '../new-session.ts';

/** A supervisor answers in milliseconds; one that is stopped never does. */
export const ANSWER_MS = 10_000;
const SIGUSR1 = signalNumber('SIGUSR1');

/** All sessions, under the checks of the state directory. Damaged records are named on stderr and passed over. */
export async function openSessions(context: Context, { isQuiet = false } = {}): Promise<SessionList> {
  const { hostName, notify } = context;
  using directory = openSessionsDirectory(context);
  if (directory === undefined) return { sessions: [], unreadable: [] };
  const { processes } = await context.loadSandbox();
  const list = listSessions(directory, { processes, hostName });
  for (const { record, status } of list.sessions) if (status === 'lost') removeSocket(directory, record.session_id);
  if (!isQuiet) for (const { error } of list.unreadable) notify(`Passed over a record: ${error.message}`);
  return list;
}

/** Nobody listens there any more. Whoever may only look leaves it. */
function removeSocket(directory: Directory, id: string): void {
  try {
    directory.removeFile(socketName(id));
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'EROFS', 'EACCES')) throw error;
  }
}

export function sessionsPath({ stateDirectory }: Context): Bytes {
  return joinPath(stateDirectory, SESSIONS);
}

/** @throws {NonoError} when no session, or more than one, is meant. */
export async function openSession(context: Context, wanted: Bytes): Promise<Session> {
  return (await openById(context, wanted)) ?? findSession(await openSessions(context, { isQuiet: true }), wanted);
}

/** Whether its supervisor lives, wherever it is. */
export async function isStillLive(context: Context, { record }: Session): Promise<boolean> {
  return (await openById(context, record.session_id as Bytes))?.isLive === true;
}

/** A whole id is no name: only its own record is read. @returns undefined where there is none, as of a session that was pruned meanwhile. */
export async function openById(context: Context, wanted: Bytes): Promise<Session | undefined> {
  if (!isSessionId(wanted)) return undefined;
  using directory = openSessionsDirectory(context);
  if (directory === undefined) return undefined;
  const { processes } = await context.loadSandbox();
  return readSession(directory, wanted, {
    processes,
    hostName: context.hostName,
    self: processes.self(),
    uid: directory.statSelf().uid,
  });
}

/** @returns undefined before there was a session. */
export function openSessionsDirectory({ files, stateDirectory, uid }: Context): Directory | undefined {
  using state = openStateDirectory(files, stateDirectory, uid, { create: false });
  if (state === undefined) return undefined;
  return openStateDirectory(files, joinPath(stateDirectory, SESSIONS), uid, { create: false });
}

/** @returns undefined when the session has no socket. @throws {NonoError} */
export async function controlSession(
  context: Context,
  session: Session,
  onProgress?: (line: string) => void,
  onOutput?: (data: Uint8Array) => void,
): Promise<ControlClient | undefined> {
  const sockets = await context.loadSockets();
  const address = { directory: sessionsPath(context), name: socketName(session.record.session_id) };
  return await withSocket(context, session, () => ControlClient.connect(sockets, address, onProgress, onOutput));
}

/** A supervisor answers in milliseconds; one that is stopped never does. */
const SOCKET_WAIT_MS = 2000;
const LOOK_AGAIN_MS = 10;

/**
 * Connects by `connect`. Where the socket of a live session is gone its supervisor is asked to make it anew.
 *
 * @returns undefined when there is none, and none comes.
 */
export async function withSocket<T>(
  context: Context,
  { record, isLive }: Session,
  connect: () => Promise<T>,
): Promise<T | undefined> {
  const endMs = context.clock.monotonicMs() + SOCKET_WAIT_MS;
  for (let isAsked = false; ; isAsked = true) {
    try {
      return await connect();
    } catch (error) {
      // ECONNRESET: whoever listened was killed before it accepted.
      if (!isErrno(error, 'ENOENT', 'ECONNREFUSED', 'ECONNRESET')) throw error;
    }
    const { processes } = await context.loadSandbox();
    // The signal ends whatever does not expect it: the process must be that supervisor, and one that listens.
    const isThere = isLive && record.terminal && hasItsSupervisor(record, processes.self(), processes);
    if (!isThere || context.clock.monotonicMs() > endMs) return undefined;
    if (!isAsked) (await context.loadSignals()).send(record.supervisor_pid, SIGUSR1);
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
}

/**
 * Of a session of another host nobody here can tell whether it has ended, nor reach it.
 *
 * @param verb For messages: what cannot be done then.
 * @throws {NonoError}
 */
export function needThisHost({ record, status }: Session, verb: string): void {
  if (status !== 'unknown') return;
  const what = `Cannot ${verb} session ${record.session_id}: it runs on another host`;
  throw new NonoError('E_OTHER_HOST', EXIT.failure, what, { hint: `Do that on ${displayBytes(bytesFromText(record.host))}` });
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

/**
 * Asks a supervisor for something.
 *
 * @param verb For messages: what cannot be done then.
 * @returns whether it changed anything.
 * @throws {NonoError} when it refuses, ends before it answers, or does not answer.
 */
export async function ask(
  context: Context,
  session: Session,
  { client, verb, request }: { readonly client: ControlClient; readonly verb: string; readonly request: ControlRequest },
): Promise<boolean> {
  const id = session.record.session_id;
  const answer = await answerOf(client, session, verb, request);
  if (answer === undefined && (await client.ended) === undefined && (await isStillLive(context, session))) {
    throw new NonoError('E_NO_ANSWER', EXIT.failure, `Cannot ${verb} session ${id}: its supervisor gave the connection up`, {
      hint: 'When nono was replaced since the session began: use the version of then',
    });
  }
  if (answer === undefined) throw new NonoError('E_ENDED', EXIT.failure, `Cannot ${verb} session ${id}: it has just ended`);
  if (answer.isDone) return answer.changed;
  if (answer.code === 'no_terminal') throw noTerminal(session);
  throw refusal(id, verb, answer.message);
}

/**
 * Asks a supervisor, and waits a bounded time: one that is stopped by a signal, or was refused by the system what it hears by, never answers.
 *
 * @param verb For messages: what cannot be done then.
 * @returns undefined when the session ended before it answered.
 * @throws {NonoError} when no answer comes.
 */
export async function answerOf(
  client: ControlClient,
  session: Session,
  verb: string,
  request: ControlRequest,
): Promise<Answer | undefined> {
  const { promise: tooLate, resolve: giveUp } = Promise.withResolvers<'late'>();
  const timer = setTimeout(() => giveUp('late'), ANSWER_MS);
  try {
    const answer = await Promise.race([client.request(request), tooLate]);
    if (answer !== 'late') return answer;
  } finally {
    clearTimeout(timer);
  }
  const id = session.record.session_id;
  throw new NonoError('E_NO_ANSWER', EXIT.failure, `Cannot ${verb} session ${id}: its supervisor does not answer`, {
    hint: `When it was stopped by a signal: kill -CONT ${session.record.supervisor_pid}`,
  });
}

/** The failure that a supervisor's refusal is. */
export function refusal(id: string, verb: string, message: string): NonoError {
  return new NonoError('E_REFUSED', EXIT.failure, `Cannot ${verb} session ${id}: ${message}`);
}
