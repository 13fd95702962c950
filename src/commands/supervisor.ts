import type { Bytes } from '../bytes.ts';
import { EXIT, NonoError } from '../errors.ts';
import { joinPath } from '../paths.ts';
import type { Directory, Files } from '../ports/files.ts';
import { PATIENCE_MS } from '../rollback/durability.ts';
import type { RollbackRun } from '../rollback/run.ts';
import { executedEvent, policyDigest, startEvent } from '../session/audit-start.ts';
import { claimSession } from '../session/claim.ts';
import { DEFAULT_GRACE_MS } from '../session/default-grace.ts';
import type { RequestOutcome } from '../session/hub-host.ts';
import { type CommandEnd, LiveSession } from '../session/live-session.ts';
import { OutputLog } from '../session/output-log.ts';
import { STARTING } from '../session/record.ts';
import { renameSession } from '../session/rename-session.ts';
import { Runtime } from '../session/runtime.ts';
import { saveScreen } from '../session/saved-screen.ts';
import { SessionSocket } from '../session/session-socket.ts';
import { type Progress, SnapshotHelpers } from '../session/snapshot-helpers.ts';
import { describeStartFailure, type SessionStart } from '../session/start-wire.ts';
import { openStateDirectory } from '../session/state-directory.ts';
import {
  createTemporaryDirectory,
  leaveTemporaryDirectory,
  sweepTemporaryDirectories,
  touchTemporaryDirectory,
} from '../session/temporary-directory.ts';
import { signalNumber } from '../signal-names.ts';
import { doAll, reportDenials } from './after-command.ts';
import type { Checkpoints } from './checkpoints.ts';
import type { SeenDenials } from './denials.ts';
import { NAMES, SESSIONS } from './new-session.ts';
import { supervisorAsking } from './supervisor-asking.ts';
import type { SupervisorDeps } from './supervisor-deps.ts';

const ENDING_SIGNALS: readonly number[] = ['SIGTERM', 'SIGINT'].map(signalNumber);

/**
 * Owns a session from its start to its end. What fails before the command runs is reported to the starter and
 * leaves nothing behind; what fails later is in the record.
 */
export async function superviseSession(start: SessionStart, deps: SupervisorDeps): Promise<void> {
  const session = new SupervisedSession(start, deps);
  try {
    await session.run();
  } catch (error) {
    deps.report({ kind: 'failed', error: describeStartFailure(session.isEndedEarly ? endedEarly() : error) });
  }
}

/** Where sessions are written down. */
interface Registry {
  readonly sessions: Directory;
  readonly names: Directory;
}

class SupervisedSession {
  readonly #start: SessionStart;
  readonly #deps: SupervisorDeps;
  readonly #runtime: Runtime;
  #checkpoints: Checkpoints | undefined;
  /** The starter has heard that the session runs. */
  #isReady = false;
  #isFinalTold = false;
  readonly #helpers = new SnapshotHelpers();
  #progress: Progress = 'not begun';
  #rename: ((name: string) => Promise<RequestOutcome>) | undefined;
  #isEndedEarly = false;

  constructor(start: SessionStart, deps: SupervisorDeps) {
    this.#start = start;
    this.#deps = deps;
    const { guardian, orphans } = deps;
    this.#runtime = new Runtime({
      guardian,
      orphans,
      sessionId: start.identity.id,
      size: start.size,
      scrollbackLines: start.scrollbackLines,
      clock: deps.clock,
      memory: deps.memory,
      checkpoint: async (label) => (await this.#checkpoints?.take(label)) ?? this.#noCheckpoint(),
      endWanted: (isForced) => this.#endWanted(isForced),
      asking: start.asking === null ? undefined : supervisorAsking(start.asking, start, deps),
      rename: (name) => this.#rename?.(name) ?? { isDone: false, code: 'failed', message: 'the session is only starting' },
    });
  }

  /** Somebody wanted the session to end before there was a command. */
  get isEndedEarly(): boolean {
    return this.#isEndedEarly;
  }

  #endWanted(isForced: boolean): void {
    this.#isEndedEarly ||= this.#progress === 'not begun';
    this.#helpers.endWanted(isForced, this.#progress);
  }

  async run(): Promise<void> {
    const { files, processes, signals, starterGone } = this.#deps;
    const { temporaryDirectory, stateDirectory, uid, launch } = this.#start;
    using cleanUp = new DisposableStack();
    cleanUp.use(
      signals.watch({
        onSignal: ({ signal, sender }) => {
          const actor = { pid: sender?.pid ?? null, uid: sender?.uid ?? null };
          if (ENDING_SIGNALS.includes(signal)) this.#runtime.stopBySignal(signal, DEFAULT_GRACE_MS, actor);
        },
        onChild: () => undefined,
      }),
    );
    cleanUp.defer(() => this.#runtime.stop(0));
    // Of a session that runs nobody needs the starter.
    starterGone.addEventListener('abort', () => this.#progress === 'not begun' && this.#endWanted(false));
    const state = cleanUp.use(openState(files, stateDirectory, uid));
    const sessions = cleanUp.use(openState(files, joinPath(stateDirectory, SESSIONS), uid));
    const names = cleanUp.use(openState(files, joinPath(stateDirectory, NAMES), uid));
    createTemporaryDirectory(files, temporaryDirectory);
    const sweep = () => sweepTemporaryDirectories(files, processes, uid);
    cleanUp.defer(() => leaveTemporaryDirectory(files, temporaryDirectory, sweep));
    // The rules name that directory. The guardian makes them while this process writes down what the session is.
    this.#runtime.prepare(launch);
    await this.#runWith(state, { sessions, names });
  }

  async #runWith(state: Directory, { sessions, names }: Registry): Promise<void> {
    using cleanUp = new DisposableStack();
    const live = cleanUp.use(await this.#claim({ sessions, names }));
    const socket = cleanUp.use(
      new SessionSocket({
        sockets: this.#deps.sockets,
        sessions,
        id: this.#start.identity.id,
        accept: (connection) => this.#runtime.accept(connection),
      }),
    );
    this.#runtime.keepOutput(cleanUp.use(new OutputLog(sessions, this.#start.identity.id, () => this.#deps.clock.monotonicMs())));
    live.alsoBeat(() => socket.ensure());
    const { files, clock } = this.#deps;
    live.alsoBeat(() => touchTemporaryDirectory(files, this.#start.temporaryDirectory, clock.nowMs()));
    cleanUp.use(this.#deps.onSocketWanted(() => socket.ensure()));
    if (this.#hasEarlyEvents) this.#recordStart(live);
    const snapshots = await this.#startSnapshots(state, live);
    const pid = await this.#launch(snapshots, live);
    this.#progress = 'running';
    const over = new AbortController();
    await live.isRunning(pid, snapshots === undefined ? null : snapshots.id);
    if (snapshots !== undefined) this.#checkpoints = cleanUp.use(await this.#startCheckpoints(state, snapshots, live));
    this.#isReady = true;
    this.#deps.report({ kind: 'ready', id: this.#start.identity.id, name: live.name });
    // Nobody waits for what the file of the command is.
    const executed = this.#recordExecuted(pid, live, over.signal);
    const end = await this.#runtime.ended();
    this.#progress = 'ended';
    over.abort();
    const failure = await doAll(
      async () => this.#runtime.failure?.message,
      () => this.#saveScreen(sessions),
      () => executed,
      () => this.#finishSnapshots(state, snapshots, live, end),
      () => reportDenials(this.#seenDenials(), end, { live, notify: (line) => this.#runtime.progress(line) }),
    );
    const loss = await live.hasEnded(end, failure);
    if (loss !== null) this.#runtime.progress(loss);
    await this.#runtime.close({ reason: 'ended', ...end });
  }

  async #claim(registry: Registry): Promise<LiveSession> {
    const { clock, hash, randomHex } = this.#deps;
    const { identity, chosenName } = this.#start;
    const state = { ...STARTING, attachment: 'detached' } as const;
    const claimed = await claimSession({
      ...registry,
      identity,
      chosenName: chosenName ?? undefined,
      state,
      clock,
      hash,
      randomHex,
    });
    const live = new LiveSession(claimed, clock);
    this.#rename = (wanted) => renameSession(live, registry.names, wanted);
    this.#runtime.belongsTo(live);
    return live;
  }

  /** Of a snapshot, or of a client. Without them the log begins while the guardian starts the command: it is written in a later turn anyway. */
  get #hasEarlyEvents(): boolean {
    return this.#start.rollback !== null || this.#start.waitsForClient;
  }

  /** Before any other event. */
  #recordStart(live: LiveSession): void {
    const { identity, launch, temporaryDirectory } = this.#start;
    const policy = policyDigest(launch, identity, { temporaryDirectory, hash: this.#deps.hash });
    live.audit(startEvent(identity, { name: live.name, policy }));
  }

  async #recordExecuted(pid: number, live: LiveSession, over: AbortSignal): Promise<undefined> {
    live.audit(await executedEvent(this.#deps, this.#start.launch, pid, over));
  }

  async #saveScreen(sessions: Directory): Promise<undefined> {
    const shown = await this.#runtime.lastScreen();
    if (shown !== undefined) saveScreen(sessions, this.#start.identity.id, shown);
  }

  async #startSnapshots(stateDirectory: Directory, live: LiveSession): Promise<RollbackRun | undefined> {
    const { rollback, identity, homeDirectory, launch } = this.#start;
    if (rollback === null) return undefined;
    const { snapshotEvent, startRun } = await import('./run-snapshots.ts');
    const wish = {
      stateDirectory,
      plan: { writableGrants: rollback.writableGrants, command: launch.command, workingDirectory: launch.workingDirectory },
      runId: identity.id,
      supervisorPid: identity.supervisor.pid,
      profile: identity.profile,
      limits: rollback.limits,
      exclusions: rollback.exclusions,
      prompts: rollback.prompts,
      patienceMs: rollback.isDurable ? Number.POSITIVE_INFINITY : PATIENCE_MS,
    };
    const loadTakeElsewhere = this.#helpers.following(this.#deps.loadTakeElsewhere);
    const snapshots = await startRun({ ...this.#deps, loadTakeElsewhere }, wish, {
      notify: (line) => this.#say(line),
      showProgress: (text) => this.#deps.report({ kind: 'status', text: text ?? null }),
      homeDirectory,
    });
    live.alsoBeat(() => snapshots.beat());
    live.audit(snapshotEvent(stateDirectory, this.#deps.hash, snapshots.id, 'baseline'));
    return snapshots;
  }

  /** To the starter until it has ended, to whoever is connected afterwards. */
  #say(line: string): void {
    if (this.#isReady) this.#runtime.progress(line);
    else this.#deps.report({ kind: 'progress', line });
  }

  /** Clients print each line below the one before: the first says enough. */
  #sayOnce(text: string | undefined, notify: (line: string) => void): void {
    if (text !== undefined && !this.#isFinalTold) notify('Taking the final snapshot …');
    this.#isFinalTold = true;
  }

  async #startCheckpoints(stateDirectory: Directory, snapshots: RollbackRun, live: LiveSession): Promise<Checkpoints> {
    const { rollback, identity, stateDirectory: path } = this.#start;
    if (rollback === null) throw new TypeError('Expected a wish where there are snapshots');
    const [{ Checkpoints: Taker }, { snapshotEvent }] = await Promise.all([
      import('./checkpoints.ts'),
      import('./run-snapshots.ts'),
    ]);
    const { hash, loadBackground } = this.#deps;
    const deps = {
      loadBackground,
      helpers: this.#helpers,
      stateDirectory: path,
      limits: rollback.limits,
      pid: identity.supervisor.pid,
      snapshots,
      onTaken: ({ label }: { readonly label: string }) => live.audit(snapshotEvent(stateDirectory, hash, snapshots.id, label)),
      notify: (line: string) => this.#runtime.progress(line),
    };
    const checkpoints = new Taker(deps, rollback.checkpointEveryMs ?? undefined);
    checkpoints.begin();
    return checkpoints;
  }

  #seenDenials(): SeenDenials {
    const { asking, homeDirectory, stateDirectory, uid, loneFiles } = this.#start;
    const { denials, refused } = this.#runtime;
    return { denials: asking === null ? undefined : denials, refused, loneFiles, homeDirectory, stateDirectory, uid };
  }

  #noCheckpoint(): RequestOutcome {
    const message = this.#start.rollback === null ? 'it takes no snapshots' : 'the session is only starting';
    return { isDone: false, code: 'refused', message };
  }

  async #launch(snapshots: RollbackRun | undefined, live: LiveSession): Promise<number> {
    const { terminal, waitsForClient, identity } = this.#start;
    try {
      if (this.#deps.starterGone.aborted) throw starterDied();
      if (waitsForClient) {
        this.#deps.report({ kind: 'listening', id: identity.id, name: live.name });
        await Promise.race([this.#runtime.attached, untilAborted(this.#deps.starterGone)]);
      }
      const launched = this.#runtime.launch(terminal);
      // There is nothing to do until the guardian answers, and then somebody waits for the record.
      this.#deps.beginSyncing();
      if (!this.#hasEarlyEvents) this.#recordStart(live);
      return await launched;
    } catch (error) {
      await snapshots?.abandon();
      throw error;
    }
  }

  async #finishSnapshots(
    state: Directory,
    snapshots: RollbackRun | undefined,
    live: LiveSession,
    end: CommandEnd,
  ): Promise<string | null> {
    const { rollback } = this.#start;
    this.#checkpoints?.[Symbol.dispose]();
    if (snapshots === undefined || rollback === null) return null;
    const { finishRun, keepWithinLimits, snapshotEvent } = await import('./run-snapshots.ts');
    const notify = (line: string) => this.#runtime.progress(line);
    const showProgress = (text: string | undefined) => this.#sayOnce(text, notify);
    const failure = await finishRun(snapshots, end, { notify, showProgress, clock: this.#deps.clock });
    if (failure === null) live.audit(snapshotEvent(state, this.#deps.hash, snapshots.id, 'final'));
    if (failure === null) await keepWithinLimits({ ...this.#deps, notify }, state, snapshots.id, rollback.retention);
    return failure;
  }
}

async function untilAborted(signal: AbortSignal): Promise<never> {
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  throw starterDied();
}

function endedEarly(): NonoError {
  return new NonoError('E_STOPPED', EXIT.nonoFailed, 'Cannot start the session: it was stopped before there was a command');
}

/** Nobody hears of it; it ends the start like any other failure. */
function starterDied(): NonoError {
  return new NonoError('E_SUPERVISOR', EXIT.nonoFailed, 'Cannot start the session: whoever wanted it is gone');
}

function openState(files: Files, path: Bytes, uid: number): Directory {
  const directory = openStateDirectory(files, path, uid, { create: true });
  if (directory === undefined) throw new TypeError('Expected a state directory that is created to be there');
  return directory;
}
