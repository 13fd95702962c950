import { EXIT, UsageError } from '../../errors.ts';
import { jsonOutput } from '../../json-text.ts';
import { readKept } from '../../session/output-log.ts';
import { lastSize, readKeptOutput } from '../../session/read-log.ts';
import { parseScreen } from '../../session/read-screen.ts';
import { screenName } from '../../session/saved-screen.ts';
import type { Session } from '../../session/sessions.ts';
import { TerminalModel } from '../../terminal/model.ts';
import { type ScreenDocument, screenDocument } from '../../terminal/screen-document.ts';
import { ansiText, plainText } from '../../terminal/styled-lines.ts';
import { screenHtml, screenSvg } from '../../ui/screen-pictures.ts';
import type { Context } from '../context.ts';
import type { CommandResult, ParsedCall } from '../spec.ts';
import { answerOf, controlSession, noTerminal, openSession, openSessionsDirectory, refusal } from './open-sessions.ts';

const FORMS = ['ansi', 'html', 'svg', 'json'] as const;

export async function execute({ flags, positionals: [wanted] }: ParsedCall, context: Context): Promise<CommandResult> {
  if (wanted === undefined) throw new TypeError('Expected the parser to ask for an ID');
  const [form, second] = FORMS.filter((name) => flags.has(name));
  if (second !== undefined) {
    throw new UsageError(`Cannot use --${form ?? ''} with --${second}`, { hint: 'Leave one of them out' });
  }
  const session = await openSession(context, wanted);
  return { output: show(await readScreen(context, session), form), exitCode: EXIT.ok };
}

/** As it is now; of a session that has ended as it was last. @throws {NonoError} */
export async function readScreen(context: Context, session: Session): Promise<ScreenDocument> {
  const id = session.record.session_id;
  if (!session.record.terminal) throw noTerminal(session);
  using client = session.isLive ? await controlSession(context, session) : undefined;
  const answer = client && (await answerOf(client, session, 'read the screen of', { verb: 'screen' }));
  if (answer?.isDone === false) throw refusal(id, 'read the screen of', answer.message);
  if (answer !== undefined) return parseScreen(id, answer.content);
  using directory = openSessionsDirectory(context);
  if (directory === undefined) throw new TypeError('Expected the directory of a session that was found');
  const kept = readKept(directory, screenName(id));
  if (kept.length > 0) return parseScreen(id, kept);
  // The supervisor was killed, or the disk was full: what it wrote last tells what it showed.
  const { data, times } = readKeptOutput(directory, id);
  const model = new TerminalModel({ size: lastSize(times), scrollbackLines: 0, onQuery: () => undefined });
  model.write(data);
  return screenDocument(model);
}

export function show(screen: ScreenDocument, form: (typeof FORMS)[number] | undefined): string {
  switch (form) {
    case 'json':
      return jsonOutput(screen);
    case 'html':
      return screenHtml(screen);
    case 'svg':
      return screenSvg(screen);
    default:
      return textScreen(screen, form === 'ansi');
  }
}

/** Without the empty rows at the bottom. */
function textScreen({ lines }: ScreenDocument, isAnsi: boolean): string {
  const texts = lines.map(({ runs }) => (isAnsi ? ansiText(runs) : plainText(runs)));
  while (texts.at(-1) === '') texts.pop();
  return texts.map((text) => `${text}\n`).join('');
}
