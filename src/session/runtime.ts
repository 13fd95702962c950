import type { Bytes } from '../bytes.ts';
import type { NonoError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Memory } from '../ports/memory.ts';
import type { Orphans } from '../ports/orphans.ts';
import type { TerminalSize } from '../ports/pty.ts';
import type { Connection, ConnectionHandlers } from '../ports/socket.ts';
import type { Launch } from '../sandbox/launch.ts';
import { signalName, signalNumber } from '../signal-names.ts';
import { withinTime } from '../within-time.ts';
import { answerAbout } from './approval-requests.ts';
import { Approvals, type Denial } from './approvals.ts';
import type { Actor } from './audit-event.ts';
import type { ControlRequest } from './control-requests.ts';
import { GuardedCommand, type StartedGuardian } from './guarded-command.ts';
import { Hub } from './hub.ts';
import type { HubHost, RequestOutcome } from './hub-host.ts';
import { type CommandEnd, commandEnd, type LiveSession } from './live-session.ts';
import type { SessionEnd } from './messages.ts';
import type { OutputLog } from './output-log.ts';
import type { AskingDeps, Question } from './question.ts';
import { SessionScreen } from './screen.ts';

const SIGCONT = signalNumber('SIGCONT');
const TERMINAL_STOPS: readonly number[] = ['SIGTSTP', 'SIGTTIN', 'SIGTTOU'].map(signalNumber);

export interface RuntimeDeps {
  readonly guardian: StartedGuardian;
  readonly orphans: Orphans;
  readonly sessionId: string;
  readonly size: TerminalSize;
  /** Lines above the screen that are kept. */
  readonly scrollbackLines: number;
  readonly clock: Clock;
  readonly memory: Memory;
  /** Takes a snapshot of the session as it is now. */
  readonly checkpoint: (label: string) => Promise<RequestOutcome>;
  /** Somebody wants the session to end, at once when forced. */
  readonly endWanted: (isForced: boolean) => void;
  /** Undefined where nobody is asked. */
  readonly asking: AskingDeps | undefined;
  /** Gives the session another name, when it can be had. */
  readonly rename: (name: string) => RequestOutcome | Promise<RequestOutcome>;
}

/**
 * What a program writes before it stops, to leave the screen as it was, is on its way by the terminal when the guardian's
 * word comes by another: so long that the loop has read it, and too short for a person.
 */
const STOP_SETTLE_MS = 20;
const LAST_SCREEN_MS = 5000;

/** One session while it lives: the command on its terminal, the clients, the record. */
export class Runtime {
  readonly #command: GuardedCommand;
  readonly #screen: SessionScreen;
  readonly #hub: Hub;
  readonly #deps: RuntimeDeps;
  readonly #approvals: Approvals | undefined;
  #live: LiveSession | undefined;
  #stopSignal: number | null = null;
  #stopTimer: ReturnType<typeof setTimeout> | undefined;
  #isLaunched = false;
  #log: OutputLog | undefined;
  readonly #attached = Promise.withResolvers<void>();

  constructor(deps: RuntimeDeps) {
    this.#deps = deps;
    this.#command = new GuardedCommand(deps.guardian, deps.orphans, {
      size: deps.size,
      onOutput: (data, isPassed) => this.#output(data, isPassed),
      onStopped: (signal) => this.#stopped(signal),
      onQuestions: (data) => this.#approvals?.take(data),
    });
    this.#approvals = deps.asking === undefined ? undefined : this.#makeApprovals(deps.asking);
    this.#screen = new SessionScreen({
      size: deps.size,
      scrollbackLines: deps.scrollbackLines,
      load: () => import('../terminal/drawing.ts'),
      memory: deps.memory,
      answer: (data) => this.#command.type(data),
      readAhead: (bytes) => this.#command.readAhead(bytes),
      nowMs: () => deps.clock.monotonicMs(),
    });
    this.#hub = new Hub(this.#hubHost(), this.#screen);
  }

  #makeApprovals({ timeoutMs, programOf, onAsked }: AskingDeps): Approvals {
    const { sessionId, clock } = this.#deps;
    return new Approvals({
      sessionId,
      clock,
      timeoutMs,
      programOf,
      answer: (message) => this.#command.answer(message),
      audit: (event) => this.#live?.audit(event),
      onAsked: (question) => onAsked(question, this.#live?.name ?? ''),
      onChanged: () => {
        this.#live?.hasPending(this.#approvals?.pending.length ?? 0);
        this.#hub.questionsChanged();
      },
    });
  }

  /** What kept the command from being ended as it should. */
  get failure(): NonoError | undefined {
    return this.#command.failure;
  }

  /** What the command was refused, as far as somebody saw it. */
  get denials(): readonly Denial[] {
    return this.#approvals?.denials ?? [];
  }

  /** What the mediator refused without a question (sandbox/linux/refusals.ts). */
  get refused(): Uint8Array {
    return this.#command.refused;
  }

  #hubHost(): HubHost {
    const { sessionId } = this.#deps;
    return {
      sessionId,
      hasTerminal: true,
      name: () => this.#live?.name ?? '',
      status: () => this.#live?.status ?? 'starting',
      type: (data) => this.#command.type(data),
      resize: (size) => this.#resize(size),
      hasBegun: () => this.#isLaunched,
      join: (connection, onIdle) => this.#command.join(connection, onIdle),
      drain: () => this.#command.drain(),
      request: (request, actor) => this.#request(request, actor),
      audit: (event) => this.#live?.audit(event),
      questions: () => this.#approvals?.pending ?? [],
      decide: (number, decision, actor) => void this.#approvals?.decide(number, decision, { actor, note: null }),
      propose: (number) => this.#withQuestion(number, ({ propose }, question) => propose(question)),
      decideForGood: (number, shownFile, actor) => this.#decideForGood(number, shownFile, actor),
      nowMs: () => this.#deps.clock.monotonicMs(),
      attachmentChanged: (isAttached) => this.#attachmentChanged(isAttached),
    };
  }

  async #withQuestion<Result>(
    number: number,
    use: (asking: AskingDeps, question: Question) => Promise<Result>,
  ): Promise<Result | undefined> {
    const question = this.#approvals?.pending.find((one) => one.number === number);
    const { asking } = this.#deps;
    return question === undefined || asking === undefined ? undefined : await use(asking, question);
  }

  /** First the profile, then the answer: what was not written is not said. */
  async #decideForGood(number: number, shownFile: string, actor: Actor): Promise<void> {
    const note = await this.#withQuestion(number, ({ write }, question) => write(question, shownFile));
    const question = this.#approvals?.pending.find((one) => one.number === number);
    // What joined it while it was written nobody has seen.
    if (note !== undefined && question?.paths.length === 1) this.#approvals?.decide(number, 'session', { actor, note });
  }

  /** The record that follows what happens from now on. */
  belongsTo(live: LiveSession): void {
    this.#live = live;
  }

  accept(connection: Connection): ConnectionHandlers {
    return this.#hub.accept(connection);
  }

  /** @see GuardedCommand.prepare() */
  prepare(launch: Launch): void {
    this.#command.prepare(launch);
  }

  launch(terminal: Bytes | null): Promise<number> {
    this.#isLaunched = true;
    return this.#command.launch(terminal);
  }

  /** Settles when a terminal is attached for the first time. */
  get attached(): Promise<void> {
    return this.#attached.promise;
  }

  async ended(): Promise<CommandEnd> {
    const end = commandEnd(await this.#command.ended());
    this.#approvals?.end();
    // Whoever hears that it has ended finds all of it there.
    this.#log?.flush();
    return end;
  }

  progress(line: string): void {
    this.#hub.progress(line);
  }

  /** Ends the whole tree. */
  stop(graceMs: number): void {
    this.#command.end(graceMs);
  }

  /** A signal asks for it. */
  stopBySignal(signal: number, graceMs: number, sender: Actor): void {
    this.#live?.audit({ event: 'stop', timeout_ms: graceMs, signal: signalName(signal), ...sender });
    this.stop(graceMs);
    this.#deps.endWanted(false);
  }

  /** What is kept of the output, once there is a place for it. */
  keepOutput(log: OutputLog): void {
    this.#log = log;
    log.resized(this.#command.size);
  }

  /** The screen as it is now. */
  screen(): Promise<Uint8Array> {
    return new Promise((resolve) => {
      this.#screen.whenReached((model, { screenDocument }) => {
        resolve(Buffer.from(`${JSON.stringify(screenDocument(model))}\n`, 'utf8'));
      });
    });
  }

  /** The same at the end; undefined for a command that ended before the model was loaded, or wrote what that takes minutes for: its log tells what it showed. */
  async lastScreen(): Promise<Uint8Array | undefined> {
    return this.#screen.isLoaded ? await withinTime(this.screen(), LAST_SCREEN_MS) : undefined;
  }

  /** The last word to every client. */
  close(end: SessionEnd): Promise<void> {
    return this.#hub.end(end);
  }

  #output(data: Uint8Array, isPassed: boolean): void {
    this.#hub.output(data, isPassed);
    this.#log?.output(data);
  }

  #stopped(signal: number | null): void {
    this.#stopSignal = signal;
    this.#live?.audit(signal === null ? { event: 'continued' } : { event: 'paused', signal: signalName(signal) });
    this.#live?.isPaused(signal !== null);
    this.#hub.displays.statusChanged();
    clearTimeout(this.#stopTimer);
    if (this.#isStoppedByTerminal()) this.#stopTimer = setTimeout(() => this.#hub.stopped(), STOP_SETTLE_MS);
  }

  #isStoppedByTerminal(): boolean {
    return this.#stopSignal !== null && TERMINAL_STOPS.includes(this.#stopSignal);
  }

  /** A client that sends a size has the terminal again: what the keyboard stopped goes on. */
  #resize(size: TerminalSize): void {
    this.#command.resize(size);
    this.#screen.resize(size);
    this.#log?.resized(size);
    if (this.#isStoppedByTerminal()) this.#command.signal(SIGCONT);
  }

  #attachmentChanged(isAttached: boolean): void {
    this.#live?.hasAttachment(isAttached ? 'attached' : 'detached');
    if (isAttached) this.#attached.resolve();
  }

  #request(request: ControlRequest, actor: Actor): RequestOutcome | Promise<RequestOutcome> {
    switch (request.verb) {
      case 'status':
        return { isDone: true, changed: false };
      case 'stop':
        this.#live?.audit({ event: 'stop', timeout_ms: request.timeoutMs, signal: null, ...actor });
        this.stop(request.timeoutMs);
        this.#deps.endWanted(request.timeoutMs === 0);
        return { isDone: true, changed: true };
      case 'detach':
        return { isDone: true, changed: this.#hub.detach() };
      case 'send':
        this.#live?.audit({ event: 'send', bytes: request.data.length, ...actor });
        this.#command.type(request.data);
        return { isDone: true, changed: true };
      case 'checkpoint':
        return this.#deps.checkpoint(request.label);
      case 'rename':
        return this.#rename(request.name, actor);
      case 'screen':
        return this.screen().then((content) => ({ isDone: true, changed: false, content }));
      case 'log':
        return { isDone: true, changed: false, content: this.#log?.read() ?? new Uint8Array(), follows: request.follow };
      case 'approvals':
      case 'decide':
        return answerAbout(this.#approvals, request, { actor, clock: this.#deps.clock });
    }
  }

  async #rename(name: string, actor: Actor): Promise<RequestOutcome> {
    const outcome = await this.#deps.rename(name);
    if (outcome.isDone && outcome.changed) this.#live?.audit({ event: 'rename', name, ...actor });
    return outcome;
  }
}
