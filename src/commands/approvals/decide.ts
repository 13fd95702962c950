import { type Bytes, displayBytes, textFromBytes } from '../../bytes.ts';
import { EXIT, NotFoundError, UsageError } from '../../errors.ts';
import type { Decision } from '../../session/question.ts';
import type { Context } from '../context.ts';
import { answerOf, controlSession } from '../session/open-sessions.ts';
import type { CommandResult } from '../spec.ts';
import { allQuestions, type PendingQuestion, type SessionQuestions } from './pending.ts';

interface Found {
  readonly found: SessionQuestions;
  readonly question: PendingQuestion;
}

/**
 * Answers questions by their ids: all of them are looked up first, so that a wrong one answers none.
 *
 * @throws {NotFoundError} for one that is unknown or was answered already.
 */
export async function decideAll(
  wanted: readonly Bytes[],
  { decision, note }: { readonly decision: Decision; readonly note: string | null },
  context: Context,
): Promise<CommandResult> {
  const all = await allQuestions(context);
  const chosen = new Map(wanted.map((word) => findQuestion(all, word)).map((found) => [found.question.id, found]));
  const late: string[] = [];
  const lines: string[] = [];
  for (const { found, question } of chosen.values()) {
    const isDone = await decideOne(context, found, question, { decision, note });
    if (isDone) lines.push(`${question.id}\n`);
    else late.push(question.id);
  }
  if (late.length > 0) throw answered(late.join(', '));
  return { output: lines.join(''), exitCode: EXIT.ok };
}

/** By the whole id, or by the number alone where one session asks under that number. */
export function findQuestion(all: readonly SessionQuestions[], word: Bytes): Found {
  const found = all.flatMap((one) => one.questions.map((question) => ({ found: one, question })));
  const text = textFromBytes(word);
  const named = found.filter(({ question, found: { session } }) => {
    const { id, number } = question;
    return id === text || `${session.record.name}-${number}` === text || String(number) === text;
  });
  const [first] = named;
  if (first === undefined) throw answered(displayBytes(word));
  if (named.length === 1) return first;
  throw new UsageError(`Cannot answer "${displayBytes(word)}": several sessions ask under that number`, {
    hint: `Name one of them: ${named.map(({ question }) => question.id).join(', ')}`,
  });
}

async function decideOne(
  context: Context,
  { session }: SessionQuestions,
  { number }: PendingQuestion,
  { decision, note }: { readonly decision: Decision; readonly note: string | null },
): Promise<boolean> {
  using client = await controlSession(context, session);
  const answer = client && (await answerOf(client, session, 'answer a question of', { verb: 'decide', number, decision, note }));
  return answer?.isDone === true && answer.changed;
}

function answered(ids: string): NotFoundError {
  return new NotFoundError(`Cannot answer ${ids}: it is unknown, was answered already, or its program is gone`, {
    hint: 'List what waits with `nono approvals`',
  });
}
