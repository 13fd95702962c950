import type { Bytes } from '../../bytes.ts';
import { parseKeySequence } from '../../config/key-sequence.ts';
import { EXIT, NonoError, type SystemError } from '../../errors.ts';
import { AttachClient, type AttachEnd } from '../../session/attach-client.ts';
import { connectClient, socketName } from '../../session/client.ts';
import type { ClientMode, ServerMessage, StatusPlace } from '../../session/messages.ts';
import type { Session } from '../../session/sessions.ts';
import { SIGNAL_EXIT_BASE } from '../../signal-names.ts';
import { awaitTurn, isInForeground } from '../await-turn.ts';
import type { Context } from '../context.ts';
import { loadUserConfig } from '../user-config.ts';
import { supervisorGone } from './follow-end.ts';
import { ANSWER_MS, openById, sessionsPath, withSocket } from './open-sessions.ts';

const DEFAULT_DETACH_SEQUENCE = 'ctrl-] d';
/** The first screen is there by then, mostly. */
const FOLLOW_AFTER_MS = 20;
const NO_ANSWER = 'its supervisor does not answer';
/** A process that is killed closes its connections before it is gone. */
const DYING_MS = 2000;

export interface AttachResult {
  readonly exitCode: number;
  /** Whether the command ended while this terminal was attached. */
  readonly hasEnded: boolean;
}

export interface AttachWish {
  readonly mode: Exclude<ClientMode, 'control'>;
  /** Lines of the history that are wanted; undefined for those that this terminal has not had. */
  readonly historyLines: number | undefined;
  /** The command has not written anything yet: there is nothing to be drawn. */
  readonly isNew?: boolean;
  /** Where a viewer wants a line about the session. */
  readonly status?: StatusPlace | undefined;
}

/** Joins this terminal and the session until one of them leaves. @throws {NonoError} with 254 or 255. */
export async function attachTerminal(
  context: Context,
  session: Session,
  { mode, historyLines, isNew = false, status }: AttachWish,
): Promise<AttachResult> {
  const id = session.record.session_id;
  const { clock, environment, terminal: facts } = context;
  if (!facts.isStdinTerminal || !facts.isStdoutTerminal) {
    throw cannotAttach(id, 'standard input and output are no terminal', 'Run it on a terminal');
  }
  const detachKeys = await readDetachKeys(context);
  const [sockets, signals, openTerminal] = await Promise.all([
    context.loadSockets(),
    context.loadSignals(),
    context.loadUserTerminal(),
  ]);
  const early = await awaitTurn(context);
  if (early !== undefined) return { exitCode: early, hasEnded: false };
  using terminal = openTerminal();
  const client = new AttachClient(terminal, {
    mode,
    status,
    farewell: `[nono] The client was killed. Attach again with: nono attach ${id}`,
    detachKeys,
    followAfterMs: isNew ? 0 : FOLLOW_AFTER_MS,
    historyLines,
    terminalName: environment.get('TERM' as Bytes) ?? '',
    clock,
    stopGroup: (why) => signals.stopGroup(why),
    isInForeground: () => isInForeground(signals),
  });
  let signalled: number | undefined;
  using _watching = signals.watch({
    onSignal({ signal }) {
      signalled = signal;
      client.leave();
    },
    onChild: () => undefined,
    isReader: true,
  });
  using welcome = awaitWelcome(client);
  const end = await client.run(await connect());
  for (const notice of client.notices) context.notify(notice);
  if (signalled !== undefined) return { exitCode: SIGNAL_EXIT_BASE + signalled, hasEnded: false };
  if (end.kind === 'gone') return await connectionLost(context, session, end.failure);
  if (welcome.isMissing()) throw noAnswer(session);
  return { exitCode: await exitCodeOf(end, id, context), hasEnded: end.kind === 'exit' && end.end.reason === 'ended' };

  async function connect() {
    const address = { directory: sessionsPath(context), name: socketName(id) };
    const link = await withSocket(context, session, () => connectClient(sockets, address, welcome.handlers));
    if (link === undefined) throw cannotAttach(id, NO_ANSWER, `Look at it with \`nono inspect ${id}\``);
    return link;
  }
}

/** A supervisor that was stopped by a signal never says anything, and Ctrl-C is for the command: the terminal is not left like that. */
function awaitWelcome(client: AttachClient) {
  let isMissing = true;
  const timer = setTimeout(() => {
    if (isMissing) client.leave();
  }, ANSWER_MS);
  return {
    handlers: {
      ...client.handlers,
      onMessage(message: ServerMessage) {
        isMissing = false;
        client.handlers.onMessage(message);
      },
    },
    isMissing: () => isMissing,
    [Symbol.dispose]: () => clearTimeout(timer),
  };
}

function noAnswer({ record }: Session): NonoError {
  return cannotAttach(record.session_id, NO_ANSWER, `When it was stopped by a signal: kill -CONT ${record.supervisor_pid}`);
}

/** Whether the session is over or lost too, its supervisor's process tells, and its record. @throws {NonoError} unless it has ended. */
async function connectionLost(context: Context, session: Session, failure: SystemError | undefined): Promise<AttachResult> {
  const id = session.record.session_id;
  if (failure === undefined && (await supervisorGone(context, session, DYING_MS))) {
    // Null for a session whose end nobody wrote down.
    const exitCode = (await openById(context, id as Bytes))?.record.exit_code ?? null;
    if (exitCode === null) throw cannotAttach(id, 'its supervisor was killed', 'See what is left with `nono ps --all`');
    // Nobody waits for long for a client that was stopped, or a terminal that was not read.
    context.notify(`Session ${id} has ended; what it wrote last did not come to this terminal: nono logs ${id}`);
    return { exitCode, hasEnded: true };
  }
  const reason =
    failure === undefined ? 'its supervisor gave the connection up' : `the connection failed here, ${failure.message}`;
  throw cannotAttach(id, reason, `The session goes on; attach again with \`nono attach ${id}\``);
}

async function exitCodeOf(end: Exclude<AttachEnd, { kind: 'gone' }>, id: string, context: Context): Promise<number> {
  if (end.kind === 'refused') {
    if (end.code === 'no_terminal') throw noOwnTerminal(id);
    const hint = end.code === 'busy' ? 'Take it over with --steal, or look in with --view' : undefined;
    throw cannotAttach(id, end.message, hint);
  }
  switch (end.end.reason) {
    case 'ended':
      return end.end.exitCode;
    case 'detached':
    case 'slow':
      context.notify(`Detached from session ${id}. Attach with: nono attach ${id}`);
      await explainSilence(context, id);
      return EXIT.ok;
    case 'stolen':
      throw new NonoError('E_TAKEN_OVER', EXIT.takenOver, `Cannot stay attached to session ${id}: another terminal took over`, {
        hint: `Take it back with \`nono attach ${id} --steal\``,
      });
  }
}

/** A command that a signal has stopped shows nothing and takes no keys, and nothing on its screen says why. */
async function explainSilence(context: Context, id: string): Promise<void> {
  const session = await openById(context, id as Bytes);
  const pid = session?.status === 'paused' ? session.record.child_pid : null;
  if (pid !== null) context.notify(`Its command was stopped by a signal; \`kill -CONT ${pid}\` lets it go on`);
}

export function noOwnTerminal(id: string): NonoError {
  return cannotAttach(id, 'it runs on the streams of its caller', 'Start it with --detached, or on a terminal, to attach to it');
}

export function cannotAttach(id: string, reason: string, hint: string | undefined): NonoError {
  return new NonoError('E_CANNOT_ATTACH', EXIT.cannotAttach, `Cannot attach to session ${id}: ${reason}`, { hint });
}

async function readDetachKeys(context: Context): Promise<readonly string[]> {
  const config = await loadUserConfig(context);
  return config?.ui.detach_sequence ?? parseKeySequence(DEFAULT_DETACH_SEQUENCE) ?? [];
}
