import { bytesFromText, displayBytes, jsonPath } from '../../bytes.ts';
import { EXIT } from '../../errors.ts';
import { jsonOutput, jsonText } from '../../json-text.ts';
import { formatDuration } from '../../time.ts';
import { renderTable } from '../../ui/table.ts';
import type { Context } from '../context.ts';
import { controlSession, openSessions } from '../session/open-sessions.ts';
import type { CommandResult, ParsedCall } from '../spec.ts';
import { allQuestions, type PendingQuestion, readQuestions, type SessionQuestions } from './pending.ts';

const HEADING = ['ID', 'SESSION', 'WAITS', 'LEFT', 'PROGRAM', 'ACCESS', 'PATH'];
/** New sessions are looked for so often while the list is followed. */
const LOOK_AGAIN_MS = 1000;

export async function execute({ flags }: ParsedCall, context: Context): Promise<CommandResult> {
  if (flags.has('follow')) return { stream: follow(context, flags.has('json')), exitCode: EXIT.ok };
  const found = await allQuestions(context);
  if (flags.has('json')) return { output: jsonOutput({ approvals: found.flatMap(documentsOf) }), exitCode: EXIT.ok };
  const rows = found.flatMap(({ session, questions }) =>
    questions.map((question) => row(session.record.name, question, context)),
  );
  if (rows.length === 0) context.notify('Nothing waits for an answer');
  return { output: rows.length === 0 ? '' : renderTable([HEADING, ...rows]), exitCode: EXIT.ok };
}

function row(
  name: string,
  { id, access, path, paths, asked, secondsLeft, program, requests }: PendingQuestion,
  { clock }: Context,
) {
  const more = paths.length > 1 ? ` and ${paths.length - 1} more` : requests > 1 ? ` (${requests} times)` : '';
  return [
    id,
    displayBytes(bytesFromText(name)),
    formatDuration(Math.max(0, clock.nowMs() - Date.parse(asked))),
    formatDuration(secondsLeft * 1000),
    program === null ? '-' : displayBytes(bytesFromText(program)),
    access,
    displayBytes(path) + more,
  ];
}

function documentsOf({ session, questions }: SessionQuestions): readonly Readonly<Record<string, unknown>>[] {
  return questions.map(({ id, access, path, paths, requests, pid, program, asked, expires, secondsLeft }) => ({
    id,
    session_id: session.record.session_id,
    name: session.record.name,
    access,
    ...jsonPath(path),
    // A question is about what the path of the program leads to.
    resolved: jsonPath(path).path,
    paths: paths.map((one) => jsonPath(one)),
    requests,
    pid,
    program,
    asked,
    expires,
    seconds_left: secondsLeft,
  }));
}

/** A line for each question as it comes, and one when it is closed, until nobody reads any more. */
async function* follow(context: Context, isJson: boolean): AsyncGenerator<string> {
  const lines: string[] = [];
  const followed = new Set<string>();
  let tell: () => void = () => undefined;
  const say = (line: string): void => {
    lines.push(line);
    tell();
  };
  for (;;) {
    const { sessions } = await openSessions(context, { isQuiet: true });
    for (const session of sessions) {
      const id = session.record.session_id;
      if (!session.isLive || followed.has(id)) continue;
      followed.add(id);
      void followOne(context, session, (found, closed) => {
        for (const line of linesOf(found, closed, isJson)) say(line);
      }).finally(() => followed.delete(id));
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, LOOK_AGAIN_MS);
      tell = () => {
        clearTimeout(timer);
        resolve();
      };
      if (lines.length > 0) tell();
    });
    yield* lines.splice(0);
  }
}

/** What one answer ends comes before what the program asks next. */
function linesOf(found: SessionQuestions, closed: readonly string[], isJson: boolean): readonly string[] {
  if (isJson) {
    return [
      ...closed.map((id) => `${jsonText({ id, closed: true })}\n`),
      ...documentsOf(found).map((document) => `${jsonText(document)}\n`),
    ];
  }
  return [
    ...closed.map((id) => `${id} closed\n`),
    ...found.questions.map(({ id, access, path, paths }) => {
      const more = paths.length > 1 ? ` and ${paths.length - 1} more` : '';
      return `${id} ${access} ${displayBytes(path)}${more}\n`;
    }),
  ];
}

async function followOne(
  context: Context,
  session: SessionQuestions['session'],
  onChange: (news: SessionQuestions, closed: readonly string[]) => void,
): Promise<void> {
  using client = await controlSession(context, session);
  if (client === undefined) return;
  const known = new Set<string>();
  for (let since: number | undefined; ; ) {
    const found = await readQuestions(client, session, since);
    const now = new Set(found?.questions.map(({ id }) => id));
    const closed = [...known].filter((id) => !now.has(id));
    const questions = found?.questions.filter(({ id }) => !known.has(id)) ?? [];
    if (closed.length > 0 || questions.length > 0) onChange({ session, version: 0, questions }, closed);
    if (found === undefined) return;
    for (const id of closed) known.delete(id);
    for (const id of now) known.add(id);
    since = found.version;
  }
}
