import { type Bytes, displayBytes, textFromBytes } from '../../bytes.ts';
import { EXIT, NonoError, NotFoundError, UsageError } from '../../errors.ts';
import { ENDINGS } from '../../session/approval-states.ts';
import type { Decision } from '../../session/question.ts';
import type { Context } from '../context.ts';
import { answerOf, controlSession, refusal } from '../session/open-sessions.ts';
import type { CommandResult } from '../spec.ts';
import { allQuestions, type PendingQuestion, type SessionQuestions } from './pending.ts';

/** What people type, and how many more paths than the first it is about: see questionId(). */
const WORD_REGEXP = /^(?<named>.*?)(?:\+(?<more>[1-9]\d{0,8}))?$/s;

interface Found {
  readonly found: SessionQuestions;
  readonly question: PendingQuestion;
  /** What was typed for it, to be shown. */
  readonly word: string;
  /** How many paths it had when the word for it was shown. */
  readonly shownPaths: number;
}

/**
 * Answers questions by their ids: all of them are looked up first, so that a wrong one answers none.
 *
 * @throws {NotFoundError} for one that is unknown or was answered already.
 * @throws {NonoError} for a yes to one that has become more since it was shown.
 */
export async function decideAll(
  wanted: readonly Bytes[],
  { decision, note }: { readonly decision: Decision; readonly note: string | null },
  context: Context,
): Promise<CommandResult> {
  const all = await allQuestions(context);
  const chosen = new Map(wanted.map((word) => findQuestion(all, word)).map((found) => [found.question.id, found]));
  if (ENDINGS[decision].isAllowed) for (const found of chosen.values()) refuseGrown(found);
  const late: string[] = [];
  const lines: string[] = [];
  for (const found of chosen.values()) {
    const { id } = found.question;
    const isDone = await decideOne(context, found, { decision, note });
    if (isDone) lines.push(`${id}\n`);
    else late.push(id);
  }
  if (late.length > 0) throw answered(late.join(', '));
  return { output: lines.join(''), exitCode: EXIT.ok };
}

/** By the whole id, or by the number alone where one session asks under that number. */
export function findQuestion(all: readonly SessionQuestions[], word: Bytes): Found {
  const found = all.flatMap((one) => one.questions.map((question) => ({ found: one, question })));
  const { named: text = '', more } = WORD_REGEXP.exec(textFromBytes(word))?.groups ?? {};
  const named = found.filter(({ question: { number }, found: { session } }) => {
    const { session_id: id, name } = session.record;
    return [`${id}-${number}`, `${name}-${number}`, String(number)].includes(text);
  });
  const [first] = named;
  if (first === undefined) throw answered(displayBytes(word));
  if (named.length === 1) return { ...first, word: displayBytes(word), shownPaths: 1 + Number(more ?? 0) };
  throw new UsageError(`Cannot answer "${displayBytes(word)}": several sessions ask under that number`, {
    hint: `Name one of them: ${named.map(({ question }) => question.id).join(', ')}`,
  });
}

/** Whoever says yes has seen what was there then, and not what the program has asked for since. */
export function refuseGrown({ question: { id, paths }, word, shownPaths }: Found): void {
  const count = paths.length;
  if (count === shownPaths) return;
  throw new NonoError(
    'E_REFUSED',
    EXIT.failure,
    `Cannot allow "${word}": it is about ${count} ${count === 1 ? 'path' : 'paths'} by now`,
    {
      hint: `See them with \`nono approvals --json\`; \`nono allow ${id}\` allows all of them`,
    },
  );
}

/** @throws {NonoError} for what the supervisor would not do. */
async function decideOne(
  context: Context,
  { found: { session }, question: { number }, shownPaths: paths }: Found,
  { decision, note }: { readonly decision: Decision; readonly note: string | null },
): Promise<boolean> {
  const verb = 'answer a question of';
  using client = await controlSession(context, session);
  const answer = client && (await answerOf(client, session, verb, { verb: 'decide', number, decision, note, paths }));
  if (answer?.isDone === false) throw refusal(session.record.session_id, verb, answer.message);
  return answer?.changed === true;
}

function answered(ids: string): NotFoundError {
  return new NotFoundError(`Cannot answer ${ids}: it is unknown, was answered already, or its program is gone`, {
    hint: 'List what waits with `nono approvals`',
  });
}
