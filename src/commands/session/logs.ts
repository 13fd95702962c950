import { type Bytes, displayBytes } from '../../bytes.ts';
import { EXIT, NonoError, SystemError, UsageError } from '../../errors.ts';
import { parseCount } from '../../parse.ts';
import { baseName, parentPath, resolvePath } from '../../paths.ts';
import { castLines, type KeptOutput, lastSize, readKeptOutput } from '../../session/read-log.ts';
import type { Session } from '../../session/sessions.ts';
import { LogRenderer } from '../../terminal/log-renderer.ts';
import { ansiText, plainText, type StyledRun } from '../../terminal/styled-lines.ts';
import type { Context } from '../context.ts';
import type { CommandResult, ParsedCall } from '../spec.ts';
import { answerOf, controlSession, noTerminal, openSession, openSessionsDirectory, refusal } from './open-sessions.ts';
import { PieceQueue } from './piece-queue.ts';

const STDOUT = '-';
const CAST_MODE = 0o644;
const NEWLINE = 0x0a;
const LINES_AT_ONCE = 1000;
const FORMS = ['ansi', 'raw', 'cast'] as const;

export async function execute({ flags, values, positionals: [wanted] }: ParsedCall, context: Context): Promise<CommandResult> {
  if (wanted === undefined) throw new TypeError('Expected the parser to ask for an ID');
  const cast = values.get('cast')?.[0];
  const forms = FORMS.filter((form) => flags.has(form) || values.has(form));
  if (forms.length > 1) throw contradiction(`--${forms[0] ?? ''}`, `--${forms[1] ?? ''}`);
  if (cast !== undefined && (flags.has('follow') || values.has('tail'))) {
    throw contradiction('--cast', flags.has('follow') ? '--follow' : '--tail');
  }
  const tail = values.get('tail')?.[0];
  const lines = tail === undefined ? Number.POSITIVE_INFINITY : parseCount('tail', tail);
  const session = await openSession(context, wanted);
  if (!session.record.terminal) throw noTerminal(session);
  const { kept, more } = await readOutput(context, session, flags.has('follow'));
  if (cast !== undefined) return writeCast(context, cast, castLines(kept, session.record.name));
  if (flags.has('raw'))
    return { output: [lastLines(kept.data, lines)], ...(more === undefined ? {} : { stream: more }), exitCode: EXIT.ok };
  const show = flags.has('ansi') ? ansiText : plainText;
  const renderer = new LogRenderer(lastSize(kept.times));
  const now = more === undefined ? allLines(renderer, kept.data) : renderer.pushNow(kept.data);
  const output = inBatches(lines === Number.POSITIVE_INFINITY ? now : lastOf(now, lines), show);
  return { output, ...(more === undefined ? {} : { stream: rendered(renderer, more, show) }), exitCode: EXIT.ok };
}

function* allLines(renderer: LogRenderer, data: Uint8Array): Generator<readonly StyledRun[], void, undefined> {
  yield* renderer.push(data);
  yield* renderer.finish();
}

/** No more of them are kept meanwhile than are wanted: a log may have millions. */
function* lastOf<Item>(items: Iterable<Item>, count: number): Generator<Item, void, undefined> {
  let kept: Item[] = [];
  for (const item of items) {
    kept.push(item);
    if (kept.length >= 2 * count + LINES_AT_ONCE) kept = kept.slice(kept.length - count);
  }
  yield* kept.slice(Math.max(0, kept.length - count));
}

/** To be written when they are rendered, many at a time. */
function* inBatches(
  lines: Iterable<readonly StyledRun[]>,
  show: (runs: readonly StyledRun[]) => string,
): Generator<string, void, undefined> {
  let batch: string[] = [];
  for (const runs of lines) {
    batch.push(`${show(runs)}\n`);
    if (batch.length < LINES_AT_ONCE) continue;
    yield batch.join('');
    batch = [];
  }
  yield batch.join('');
}

interface Output {
  readonly kept: KeptOutput;
  /** What comes from now on, until the session ends. */
  readonly more: AsyncIterable<Uint8Array> | undefined;
}

/** From the supervisor, who knows what is not on the disk yet; of a session that has ended from the disk. */
async function readOutput(context: Context, session: Session, follows: boolean): Promise<Output> {
  const id = session.record.session_id;
  const queue = new PieceQueue();
  const client = session.isLive ? await controlSession(context, session, undefined, (data) => queue.push(data)) : undefined;
  const answer = client && (await answerOf(client, session, 'read the log of', { verb: 'log', follow: follows }));
  if (answer?.isDone === false) throw refusal(id, 'read the log of', answer.message);
  using directory = openSessionsDirectory(context);
  if (directory === undefined) throw new TypeError('Expected the directory of a session that was found');
  const stored = readKeptOutput(directory, id);
  if (client === undefined || answer === undefined) return { kept: stored, more: undefined };
  const kept = { data: answer.content, times: stored.times };
  if (!follows) {
    client[Symbol.dispose]();
    return { kept, more: undefined };
  }
  void client.ended.then(() => {
    if (client.failure !== undefined) context.notify(`What comes next cannot be followed: ${client.failure.message}`);
    queue.end();
    return undefined;
  });
  return { kept, more: queue };
}

async function* rendered(
  renderer: LogRenderer,
  more: AsyncIterable<Uint8Array>,
  show: (runs: readonly StyledRun[]) => string,
): AsyncGenerator<string, void, undefined> {
  for await (const data of more) {
    const text = Array.from(renderer.pushNow(data), (runs) => `${show(runs)}\n`).join('');
    if (text !== '') yield text;
  }
  const rest = Array.from(renderer.finish(), (runs) => `${show(runs)}\n`).join('');
  if (rest !== '') yield rest;
}

function lastLines(data: Uint8Array, count: number): Uint8Array {
  if (count === Number.POSITIVE_INFINITY) return data;
  if (count === 0) return new Uint8Array();
  let at = data.at(-1) === NEWLINE ? data.length - 1 : data.length;
  for (let found = 0; found < count && at >= 0; found++) at = at === 0 ? -1 : data.lastIndexOf(NEWLINE, at - 1);
  return data.subarray(at + 1);
}

function writeCast(context: Context, file: Bytes, lines: Iterable<string>): CommandResult {
  if (file === STDOUT) return { output: lines, exitCode: EXIT.ok };
  const { files, workingDirectory } = context;
  const path = resolvePath(workingDirectory ?? ('/' as Bytes), file);
  try {
    using directory = files.openDirectory(parentPath(path));
    using opened = directory.createFile(baseName(path), CAST_MODE);
    for (const line of lines) opened.write(Buffer.from(line, 'utf8'));
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    const reason = error.errno === 'EEXIST' ? 'there is a file of that name' : error.errno;
    throw new NonoError('E_OUTPUT', EXIT.failure, `Cannot write the recording to ${displayBytes(file)}: ${reason}`, {
      hint: 'Give another FILE, or - for standard output',
    });
  }
  return { output: `Play it with: asciinema play ${displayBytes(file)}\n`, exitCode: EXIT.ok };
}

function contradiction(first: string, second: string): UsageError {
  return new UsageError(`Cannot use ${first} with ${second}`, { hint: 'Leave one of them out' });
}
