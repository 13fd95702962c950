import { type Bytes, displayBytes, textFromBytes } from '../../bytes.ts';
import { EXIT, NonoError, NotFoundError, UsageError } from '../../errors.ts';
import { jsonOutput } from '../../json-text.ts';
import { type Change, compareTrees, countChanges, isListed } from '../../rollback/compare.ts';
import { hexHash } from '../../rollback/objects.ts';
import type { Answer, ControlClient } from '../../session/client.ts';
import type { Session } from '../../session/sessions.ts';
import { formatTimestamp } from '../../time.ts';
import { countsText } from '../../ui/change-lines.ts';
import { createPalette } from '../../ui/palette.ts';
import { ProgressLine } from '../../ui/progress.ts';
import type { Context } from '../context.ts';
import { controlSession, openSession } from '../session/open-sessions.ts';
import type { CommandResult, ParsedCall } from '../spec.ts';
import { changeFields } from './documents.ts';
import { openNamedSession } from './open-store.ts';

const DEFAULT_LABEL = 'checkpoint';
/** In bytes; it stands in lists. */
const LABEL_MAXIMUM = 200;
const SOCKET_WAIT_MS = 2000;
const LOOK_AGAIN_MS = 20;

export async function execute({ flags, values, positionals }: ParsedCall, context: Context): Promise<CommandResult> {
  const label = readLabel(values.get('label')?.[0]);
  const { session, id } = await findRunning(context, positionals[0] as Bytes);
  const { record } = session;
  const cannot = `Cannot take a checkpoint of session ${record.session_id}`;
  if (id === null) {
    throw new NotFoundError(`${cannot}: it has no snapshots`, { hint: 'They are taken with `nono run --rollback`' });
  }
  if (!session.isLive) throw ended(cannot);
  using client = await connect(context, session);
  if (client === undefined) {
    throw new NonoError('E_REFUSED', EXIT.failure, `${cannot}: nobody answers on its socket`, {
      hint: `Look at it with \`nono inspect ${record.session_id}\``,
    });
  }
  const answer = await request(client, label, context);
  if (answer === undefined) throw ended(cannot);
  if (!answer.isDone || answer.snapshot === undefined) {
    const reason = answer.isDone ? 'its supervisor is of another version' : answer.message;
    throw new NonoError('E_REFUSED', EXIT.failure, `${cannot}: ${reason}`);
  }
  const output = await describe(context, id, answer.snapshot, flags.has('json'));
  return { output, exitCode: EXIT.ok };
}

/** A session on its caller's streams has a socket only when its command has run for a moment. */
async function connect(context: Context, session: Session): Promise<ControlClient | undefined> {
  const endMs = context.clock.monotonicMs() + SOCKET_WAIT_MS;
  for (;;) {
    const client = await controlSession(context, session);
    if (client !== undefined || session.record.terminal || context.clock.monotonicMs() > endMs) return client;
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
}

async function request(client: ControlClient, label: string, { showProgress, clock }: Context): Promise<Answer | undefined> {
  using _line = new ProgressLine(showProgress, clock, 'Taking a checkpoint …');
  return await client.request({ verb: 'checkpoint', label });
}

function readLabel(given: Bytes | undefined): string {
  if (given === undefined) return DEFAULT_LABEL;
  const text = textFromBytes(given);
  // Control characters would reach terminals, and what is no UTF-8 would not come back as it was.
  if (given.length <= LABEL_MAXIMUM && text.trim() !== '' && !/[\p{Cc}\ufffd]/u.test(text)) return text;
  throw new UsageError(`Cannot use --label "${displayBytes(given)}": expected up to ${LABEL_MAXIMUM} bytes of printable text`);
}

/** By its rollback session, as the other verbs of this group, or by what the session verbs take. */
async function findRunning(context: Context, wanted: Bytes): Promise<{ readonly session: Session; readonly id: Bytes | null }> {
  try {
    const { session } = await openNamedSession(context, wanted);
    using _ = session;
    const { runId, id } = session.manifest;
    if (runId === '') throw new UsageError(`Cannot take a checkpoint of "${id}": it is a restore`);
    return { session: await openRun(context, runId as Bytes, id), id };
  } catch (error) {
    if (!(error instanceof NotFoundError) || wanted === 'latest') throw error;
    const session = await openSession(context, wanted);
    return { session, id: session.record.rollback_session as Bytes | null };
  }
}

/** @throws {NonoError} where its record was pruned: then it has ended. */
async function openRun(context: Context, runId: Bytes, id: Bytes): Promise<Session> {
  try {
    return await openSession(context, runId);
  } catch (error) {
    throw error instanceof NotFoundError ? ended(`Cannot take a checkpoint of ${id}`) : error;
  }
}

function ended(cannot: string): NonoError {
  return new NonoError('E_ENDED', EXIT.failure, `${cannot}: its command has ended`, {
    hint: 'Go back to one of its snapshots with `nono rollback restore ID --snapshot N`',
  });
}

async function describe(context: Context, id: Bytes, number: number, isJson: boolean): Promise<string> {
  const { session } = await openNamedSession(context, id);
  using _ = session;
  const { manifest } = session;
  const snapshot = manifest.snapshots[number];
  if (snapshot === undefined) throw new TypeError(`Expected snapshot ${number} to be listed`);
  const changes = compareTrees(session.tree(manifest, number - 1), session.tree(manifest, number));
  if (isJson) {
    return jsonOutput({
      session_id: manifest.id,
      run_id: manifest.runId,
      snapshot: number,
      label: snapshot.label,
      timestamp: formatTimestamp(snapshot.takenMs, context.clock.utcOffsetMinutes(snapshot.takenMs)),
      file_count: snapshot.fileCount,
      merkle_root: hexHash(snapshot.merkleRoot),
      changes: changes.map(changeFields),
    });
  }
  return `Took snapshot ${number} of ${manifest.id}: ${newsOf(changes, context)} since snapshot ${number - 1}\nGo back to it with: nono rollback restore ${manifest.id} --snapshot ${number}\n`;
}

function newsOf(changes: readonly Change[], { terminal }: Context): string {
  const listed = changes.filter(isListed);
  return listed.length === 0 ? 'nothing changed' : countsText(countChanges(listed), createPalette(terminal.colourStdout));
}
