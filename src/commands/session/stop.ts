import { EXIT, NonoError, SystemError, UsageError } from '../../errors.ts';
import { jsonOutput } from '../../json-text.ts';
import { parseCount } from '../../parse.ts';
import type { ControlClient } from '../../session/client.ts';
import { DEFAULT_GRACE_MS } from '../../session/default-grace.ts';
import { hasItsSupervisor, hasOwnPids, type Session } from '../../session/sessions.ts';
import { signalNumber } from '../../signal-names.ts';
import type { Context } from '../context.ts';
import type { CommandResult, ParsedCall } from '../spec.ts';
import { forEach, openEach } from './each-session.ts';
import { supervisorGone } from './follow-end.ts';
import { controlSession, needThisHost } from './open-sessions.ts';

const SIGKILL = signalNumber('SIGKILL');
const SIGTERM = signalNumber('SIGTERM');
/** A supervisor answers in milliseconds; one that has not after this time, and after the grace of the tree, never will. */
const ANSWER_MS = 2000;
/** A snapshot takes seconds; whoever waits longer is told what can be done. */
const SAID_AFTER_MS = 10_000;

type Stopped = 'stopped' | 'killed' | 'already ended';

export async function execute({ positionals, flags, values }: ParsedCall, context: Context): Promise<CommandResult> {
  const graceMs = readGrace(flags, values.get('timeout')?.[0]);
  const sessions = [...new Set(await openEach(context, positionals))];
  const { all, exitCode } = await forEach(context, sessions, (session) => stop(context, session, graceMs));
  const results = all.map(({ session, result, error }) => ({
    session_id: session.record.session_id,
    result: result ?? 'failed',
    ...(error === undefined ? {} : { error: error.message }),
  }));
  if (flags.has('json')) return { output: jsonOutput({ sessions: results }), exitCode };
  for (const { session_id: id, result } of results.filter(({ result: how }) => how === 'already ended'))
    context.notify(`Nothing to do: session ${id} has ${result}`);
  const lines = results
    .filter(({ result }) => result === 'stopped' || result === 'killed')
    .map(({ session_id: id }) => `${id}\n`);
  return { output: lines.join(''), exitCode };
}

function readGrace(flags: ReadonlySet<string>, timeout: Parameters<typeof parseCount>[1] | undefined): number {
  if (flags.has('force') && timeout !== undefined) {
    throw new UsageError('Cannot use --force with --timeout: it means --timeout 0', { hint: 'Leave one of them out' });
  }
  if (flags.has('force')) return 0;
  const seconds = timeout === undefined ? undefined : parseCount('timeout', timeout);
  return seconds === undefined ? DEFAULT_GRACE_MS : Math.min(seconds, 86_400) * 1000;
}

async function stop(context: Context, session: Session, graceMs: number): Promise<Stopped> {
  needThisHost(session, 'stop');
  if (!session.isLive) return 'already ended';
  using client = await controlSession(context, session, (line) => context.notify(line));
  if (client === undefined) return stopWithoutSocket(context, session, graceMs);
  const heard = await tell(context, session, { client, graceMs });
  if (heard === 'nothing') return kill(context, session);
  if (heard === 'a refusal') return stopRefusing(context, session, graceMs);
  // The tree has its time; what then takes long is the final snapshot, which is waited for.
  await waitForEnd(context, session, { graceMs, ended: client.ended });
  return 'stopped';
}

async function waitForEnd(
  context: Context,
  session: Session,
  { graceMs, ended }: { readonly graceMs: number; readonly ended?: Promise<unknown> },
): Promise<void> {
  const { session_id: id } = session.record;
  const timer = setTimeout(
    () =>
      context.notify(
        `Session ${id} has not ended yet; \`nono stop --force ${id}\`, twice at most, ends it without a final snapshot`,
      ),
    graceMs + SAID_AFTER_MS,
  );
  await ended;
  await supervisorGone(context, session);
  clearTimeout(timer);
}

/**
 * A supervisor that takes no more clients, having no descriptor for them, or that speaks another version of the protocol: it hears a signal, and gives
 * its tree the usual time then. What takes longer when the command is gone is the final snapshot.
 */
async function stopRefusing(context: Context, session: Session, graceMs: number): Promise<Stopped> {
  await signalSupervisor(context, session, SIGTERM);
  if (await supervisorGone(context, session, ANSWER_MS + (graceMs === 0 ? 0 : DEFAULT_GRACE_MS))) return 'stopped';
  const { processes } = await context.loadSandbox();
  const { child_pid: child } = session.record;
  if (graceMs === 0 || (child !== null && processes.startTicks(child) !== undefined)) return kill(context, session);
  await waitForEnd(context, session, { graceMs: 0 });
  return 'stopped';
}

/** A session on the streams of its caller: its supervisor passes the signal on and ends with the command. */
async function stopWithoutSocket(context: Context, session: Session, graceMs: number): Promise<Stopped> {
  await signalSupervisor(context, session, SIGTERM);
  return (await supervisorGone(context, session, graceMs)) ? 'stopped' : kill(context, session);
}

/** The guardian, or the kernel, ends the tree of a supervisor that is killed. */
async function kill(context: Context, session: Session): Promise<Stopped> {
  await signalSupervisor(context, session, SIGKILL);
  await supervisorGone(context, session);
  return 'killed';
}

/** @throws {NonoError} where its pid is another process's. */
async function signalSupervisor(context: Context, { record }: Session, signal: number): Promise<void> {
  const { processes } = await context.loadSandbox();
  const self = processes.self();
  if (!hasOwnPids(record, self)) {
    const what = `Cannot stop session ${record.session_id}: its supervisor does not answer, and runs in another pid namespace`;
    throw new NonoError('E_NO_ANSWER', EXIT.failure, what, { hint: 'Stop it in the container that it runs in, or end that' });
  }
  if (hasItsSupervisor(record, self, processes)) (await context.loadSignals()).send(record.supervisor_pid, signal);
}

type Heard = 'an answer' | 'a refusal' | 'nothing';

/** @returns 'nothing' when no answer came in time. One that ended before it could answer is no such case. */
async function tell(
  context: Context,
  session: Session,
  { client, graceMs }: { readonly client: ControlClient; readonly graceMs: number },
): Promise<Heard> {
  const { promise, resolve } = Promise.withResolvers<'late'>();
  const timer = setTimeout(() => resolve('late'), graceMs + ANSWER_MS);
  const answered = client.request({ verb: 'stop', timeoutMs: graceMs }).catch((error: unknown) => {
    if (!(error instanceof SystemError)) throw error;
    return undefined;
  });
  const answer = await Promise.race([answered, promise]);
  clearTimeout(timer);
  if (answer === 'late') return 'nothing';
  if (answer !== undefined) return answer.isDone ? 'an answer' : 'a refusal';
  const isOver = (await client.ended) !== undefined || (await supervisorGone(context, session, ANSWER_MS));
  return isOver ? 'an answer' : 'a refusal';
}
