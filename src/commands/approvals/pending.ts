import { type Bytes, bytesFromText } from '../../bytes.ts';
import type { ControlClient } from '../../session/client.ts';
import type { Session } from '../../session/sessions.ts';
import type { Context } from '../context.ts';
import { controlSession, openSessions } from '../session/open-sessions.ts';

/** A question of a session, as its supervisor tells it (PROTOCOL.md). */
export interface PendingQuestion {
  readonly id: string;
  readonly number: number;
  readonly access: string;
  readonly path: Bytes;
  readonly paths: readonly Bytes[];
  readonly requests: number;
  readonly pid: number;
  readonly program: string | null;
  readonly asked: string;
  readonly expires: string;
  readonly secondsLeft: number;
}

export interface SessionQuestions {
  readonly session: Session;
  readonly version: number;
  readonly questions: readonly PendingQuestion[];
}

/** A supervisor answers in milliseconds; one that is stopped never does, and hides no other. */
const ANSWER_MS = 3000;

/** The questions of all live sessions, the oldest session first. One that does not answer is named and passed over. */
export async function allQuestions(context: Context): Promise<readonly SessionQuestions[]> {
  const { sessions } = await openSessions(context);
  const found = await Promise.all(sessions.filter(({ isLive }) => isLive).map((session) => questionsOf(context, session)));
  return found.flatMap((one) => (one === undefined ? [] : [one]));
}

export async function questionsOf(context: Context, session: Session): Promise<SessionQuestions | undefined> {
  using client = await controlSession(context, session);
  if (client === undefined) return undefined;
  const late = setTimeout(() => client[Symbol.dispose](), ANSWER_MS);
  const answer = await readQuestions(client, session, undefined);
  clearTimeout(late);
  if (answer === undefined) context.notify(`Session ${session.record.session_id} does not answer`);
  return answer;
}

/** @param since Waits until the list is another one. @returns undefined when the session is over. */
export async function readQuestions(
  client: ControlClient,
  session: Session,
  since: number | undefined,
): Promise<SessionQuestions | undefined> {
  const answer = await client.request({ verb: 'approvals', since });
  if (answer === undefined || !answer.isDone) return undefined;
  return { session, ...readDocument(answer.content) };
}

function readDocument(content: Uint8Array): Pick<SessionQuestions, 'version' | 'questions'> {
  const document = fieldsOf(JSON.parse(Buffer.from(content).toString('utf8')));
  const questions = document['questions'];
  return { version: numberOf(document['version']), questions: Array.isArray(questions) ? questions.map(readQuestion) : [] };
}

function readQuestion(value: unknown): PendingQuestion {
  const document = fieldsOf(value);
  const paths = document['paths'];
  return {
    id: textOf(document['id']),
    number: numberOf(document['number']),
    access: textOf(document['access']),
    path: pathOf(document),
    paths: Array.isArray(paths) ? paths.map((path) => pathOf(fieldsOf(path))) : [],
    requests: numberOf(document['requests']),
    pid: numberOf(document['pid']),
    program: document['program'] === null ? null : textOf(document['program']),
    asked: textOf(document['asked']),
    expires: textOf(document['expires']),
    secondsLeft: numberOf(document['seconds_left']),
  };
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function pathOf(document: Readonly<Record<string, unknown>>): Bytes {
  const bytes = document['path_bytes'];
  return typeof bytes === 'string'
    ? (Buffer.from(bytes, 'base64').toString('latin1') as Bytes)
    : bytesFromText(textOf(document['path']));
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
