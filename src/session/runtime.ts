import type { Bytes } from '../bytes.ts';
import type { Orphans } from '../ports/orphans.ts';
import type { TerminalSize } from '../ports/pty.ts';
import type { Connection, ConnectionHandlers } from '../ports/socket.ts';
import type { Launch } from '../sandbox/launch.ts';
import { signalName, signalNumber } from '../signal-names.ts';
import type { Actor } from './audit-event.ts';
import { GuardedCommand, type StartedGuardian } from './guarded-command.ts';
import { Hub, type RequestOutcome } from './hub.ts';
import { type CommandEnd, commandEnd, type LiveSession } from './live-session.ts';
import type { ControlRequest, SessionEnd } from './messages.ts';

const SIGCONT = signalNumber('SIGCONT');
const SIGWINCH = signalNumber('SIGWINCH');
const TERMINAL_STOPS: readonly number[] = ['SIGTSTP', 'SIGTTIN', 'SIGTTOU'].map(signalNumber);

/**
 * A program that is asked to draw itself by a change of size needs time to see the first of two changes: signals
 * that wait are one signal, and most programs do nothing when the size is the same again.
 */
const NUDGE_MS = 40;

export interface RuntimeDeps {
  readonly guardian: StartedGuardian;
  readonly orphans: Orphans;
  readonly sessionId: string;
  readonly size: TerminalSize;
  /** Gives the session another name, when it can be had. */
  readonly rename: (name: string) => RequestOutcome | Promise<RequestOutcome>;
}

/**
 * What a program writes before it stops, to leave the screen as it was, is on its way by the terminal when the guardian's
 * word comes by another: so long that the loop has read it, and too short for a person.
 */
const STOP_SETTLE_MS = 20;

/** One session while it lives: the command on its terminal, the clients, the record. */
export class Runtime {
  readonly #command: GuardedCommand;
  readonly #hub: Hub;
  readonly #deps: RuntimeDeps;
  #live: LiveSession | undefined;
  #stopSignal: number | null = null;
  #stopTimer: ReturnType<typeof setTimeout> | undefined;
  #isLaunched = false;
  readonly #attached = Promise.withResolvers<void>();

  constructor(deps: RuntimeDeps) {
    this.#deps = deps;
    this.#command = new GuardedCommand(deps.guardian, deps.orphans, {
      size: deps.size,
      onOutput: (data) => this.#hub.output(data),
      onStopped: (signal) => this.#stopped(signal),
    });
    this.#hub = new Hub({
      sessionId: deps.sessionId,
      name: () => this.#live?.name ?? '',
      status: () => this.#live?.status ?? 'starting',
      type: (data) => this.#command.type(data),
      resize: (size) => this.#resize(size),
      redraw: (client) => this.#redraw(client),
      request: (request, actor) => this.#request(request, actor),
      audit: (event) => this.#live?.audit(event),
      attachmentChanged: (isAttached) => this.#attachmentChanged(isAttached),
    });
  }

  /** The record that follows what happens from now on. */
  belongsTo(live: LiveSession): void {
    this.#live = live;
  }

  accept(connection: Connection): ConnectionHandlers {
    return this.#hub.accept(connection);
  }

  launch(launch: Launch, terminal: Bytes | null): Promise<number> {
    this.#isLaunched = true;
    return this.#command.launch(launch, terminal);
  }

  /** Settles when a terminal is attached for the first time. */
  get attached(): Promise<void> {
    return this.#attached.promise;
  }

  async ended(): Promise<CommandEnd> {
    return commandEnd(await this.#command.ended());
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
  }

  /** The last word to every client. */
  close(end: SessionEnd): Promise<void> {
    return this.#hub.end(end);
  }

  #stopped(signal: number | null): void {
    this.#stopSignal = signal;
    this.#live?.audit(signal === null ? { event: 'continued' } : { event: 'paused', signal: signalName(signal) });
    this.#live?.isPaused(signal !== null);
    clearTimeout(this.#stopTimer);
    if (this.#isStoppedByTerminal()) this.#stopTimer = setTimeout(() => this.#hub.stopped(), STOP_SETTLE_MS);
  }

  #isStoppedByTerminal(): boolean {
    return this.#stopSignal !== null && TERMINAL_STOPS.includes(this.#stopSignal);
  }

  /** A client that sends a size has the terminal again: what the keyboard stopped goes on. */
  #resize(size: TerminalSize): void {
    this.#command.resize(size);
    if (this.#isStoppedByTerminal()) this.#command.signal(SIGCONT);
  }

  #attachmentChanged(isAttached: boolean): void {
    this.#live?.hasAttachment(isAttached ? 'attached' : 'detached');
    if (isAttached) this.#attached.resolve();
  }

  #redraw(client: 'interactive' | 'viewer'): void {
    // A command that is not started has nothing to draw, and is to find the terminal at its true size.
    if (!this.#isLaunched) return;
    if (client === 'viewer') {
      this.#command.signal(SIGWINCH);
      return;
    }
    const { columns, rows } = this.#command.size;
    this.#command.resize({ columns, rows: rows + 1 });
    setTimeout(() => {
      const now = this.#command.size;
      if (now.columns === columns && now.rows === rows + 1) this.#command.resize({ columns, rows });
    }, NUDGE_MS);
  }

  #request(request: ControlRequest, actor: Actor): RequestOutcome | Promise<RequestOutcome> {
    switch (request.verb) {
      case 'status':
        return { isDone: true, changed: false };
      case 'stop':
        this.#live?.audit({ event: 'stop', timeout_ms: request.timeoutMs, signal: null, ...actor });
        this.#command.end(request.timeoutMs);
        return { isDone: true, changed: true };
      case 'detach':
        return { isDone: true, changed: this.#hub.detach() };
      case 'send':
        this.#live?.audit({ event: 'send', bytes: request.data.length, ...actor });
        this.#command.type(request.data);
        return { isDone: true, changed: true };
      case 'rename':
        return this.#rename(request.name, actor);
    }
  }

  async #rename(name: string, actor: Actor): Promise<RequestOutcome> {
    const outcome = await this.#deps.rename(name);
    if (outcome.isDone && outcome.changed) this.#live?.audit({ event: 'rename', name, ...actor });
    return outcome;
  }
}
