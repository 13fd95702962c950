import type { Bytes } from '../bytes.ts';
import { EXIT, NonoError } from '../errors.ts';
import { encodeLine, LineReader } from '../json-lines.ts';
import type { Orphans } from '../ports/orphans.ts';
import type { Pty, StartPty, TerminalSize } from '../ports/pty.ts';
import type { Shortcut } from '../ports/shortcut.ts';
import type { Connection } from '../ports/socket.ts';
import type { ProcessExit } from '../ports/spawn.ts';
import type { Launch } from '../sandbox/launch.ts';
import { launchError } from '../sandbox/sandbox-error.ts';
import { GUARDIAN_ROLE, type GuardianOrder, type GuardianReport } from './guardian-wire.ts';

/** The same file that this process runs, even when another version was installed over it. */
const OWN_EXECUTABLE = '/proc/self/exe';
/** It is small, and stays so: neither compiled code nor memory that is got ready ahead of time pays. Nothing of the caller's is in it. */
const GUARDIAN_ENVIRONMENT = { BUN_JSC_useBaselineJIT: '0', BUN_JSC_useWarmUpMarkedBlocks: '0' };
const SIGKILL = 9;
const SIGCONT = 18;
/** Typed before there is a command. */
const EARLY_BYTES_MAXIMUM = 1024 * 1024;
/** Until the true size is known. */
const EARLY_SIZE: TerminalSize = { columns: 80, rows: 24 };

export interface GuardedOptions {
  readonly size: TerminalSize;
  /** @param isPassed The connection that was joined has got it. */
  readonly onOutput: (data: Uint8Array, isPassed: boolean) => void;
  /** The number of the signal that stopped the command; null when it goes on. */
  readonly onStopped: (signal: number | null) => void;
  /** What the mediator asks, piece by piece. */
  readonly onQuestions: (data: Uint8Array) => void;
}

/** A guardian that was started before anybody knew for what; it waits for a command. */
export class StartedGuardian {
  readonly pty: Pty;
  #onOutput: (data: Uint8Array, isPassed: boolean) => void = () => undefined;
  #onReport: (report: GuardianReport) => void = () => undefined;
  #onNonsense: (error: NonoError) => void = () => undefined;

  constructor(startPty: StartPty) {
    const lines = new LineReader<GuardianReport>('the guardian');
    this.pty = startPty({
      file: OWN_EXECUTABLE,
      arguments: [GUARDIAN_ROLE],
      environment: GUARDIAN_ENVIRONMENT,
      ...EARLY_SIZE,
      onData: (data, isPassed) => this.#onOutput(data, isPassed),
      onMessage: (data) => {
        try {
          for (const report of lines.push(data)) this.#onReport(report);
        } catch (error) {
          if (!(error instanceof NonoError)) throw error;
          this.#onNonsense(error);
        }
      },
    });
  }

  /** Nothing comes before the first order. */
  follow(
    onOutput: GuardedOptions['onOutput'],
    onReport: (report: GuardianReport) => void,
    onNonsense: (error: NonoError) => void,
  ): void {
    this.#onOutput = onOutput;
    this.#onReport = onReport;
    this.#onNonsense = onNonsense;
  }
}

/** A command on a terminal of its own, with a guardian that ends its whole tree. */
export class GuardedCommand {
  readonly #pty: Pty;
  readonly #orphans: Orphans;
  readonly #options: GuardedOptions;
  readonly #started = Promise.withResolvers<Extract<GuardianReport, { kind: 'started' | 'failed' }>>();
  #program = '' as Bytes;
  #exit: ProcessExit | undefined;
  #refused: Uint8Array = new Uint8Array();
  #failure: NonoError | undefined;
  #size: TerminalSize;
  #isStarted = false;
  /** Typed for a command that there is not yet: its terminal would take a key that interrupts for the guardian's. */
  readonly #early: Uint8Array[] = [];
  #earlyBytes = 0;

  constructor(guardian: StartedGuardian, orphans: Orphans, options: GuardedOptions) {
    this.#options = options;
    this.#orphans = orphans;
    this.#size = options.size;
    orphans.adopt();
    this.#pty = guardian.pty;
    guardian.follow(
      options.onOutput,
      (report) => this.#take(report),
      (error) => this.#takeNonsense(error),
    );
    this.#pty.resize(options.size);
    // It may be killed while the baseline is taken: launch() hears of it.
    this.#started.promise.catch(() => undefined);
    void this.#pty.exited.then(() =>
      this.#started.reject(new NonoError('E_SUPERVISOR', EXIT.nonoFailed, 'Cannot run the command: its guardian was killed')),
    );
  }

  get size(): TerminalSize {
    return this.#size;
  }

  /** Once, before launch(): all that it names is there by then. Nothing of the command runs. */
  prepare(launch: Launch): void {
    this.#program = launch.command[0] as Bytes;
    this.#order({ kind: 'prepare', launch });
  }

  /** @returns the pid of the command. @throws {NonoError} when a step failed before it ran. */
  async launch(terminal: Bytes | null): Promise<number> {
    this.#order({ kind: 'launch', terminal });
    const report = await this.#started.promise;
    if (report.kind === 'failed') throw launchError(report.failure, this.#program);
    return report.pid;
  }

  /** Settles when nothing of the tree is left and all of its output was given. */
  async ended(): Promise<ProcessExit> {
    await this.#pty.exited;
    if (this.#exit === undefined) this.#orphans.endAll();
    return this.#exit ?? { code: null, signal: SIGKILL };
  }

  /** Why the guardian could not be understood; what is left of the tree was ended without it. */
  get failure(): NonoError | undefined {
    return this.#failure;
  }

  /** What the mediator had refused when the command ended (sandbox/linux/refusals.ts). */
  get refused(): Uint8Array {
    return this.#refused;
  }

  /** SIGTERM to the whole tree, SIGKILL after that time; again with less time it is sooner over. */
  end(graceMs: number): void {
    this.#order({ kind: 'end', graceMs });
    // One that somebody has stopped would hear it only when it goes on.
    this.#pty.kill(SIGCONT);
  }

  signal(signal: number): void {
    this.#order({ kind: 'signal', signal });
  }

  /** To the mediator. */
  answer(message: Uint8Array): void {
    this.#order({ kind: 'answer', data: Buffer.from(message).toString('base64') });
  }

  type(data: Uint8Array): void {
    if (this.#isStarted) {
      this.#pty.write(data);
      return;
    }
    this.#earlyBytes += data.length;
    if (this.#earlyBytes <= EARLY_BYTES_MAXIMUM) this.#early.push(data.slice());
  }

  /** See Pty. What is typed does not pass before the command is there. */
  join(connection: Connection, onIdle: () => void): Shortcut | undefined {
    const shortcut = this.#pty.join?.(connection, onIdle);
    if (shortcut === undefined) return undefined;
    return {
      ...shortcut,
      open: (directions) => shortcut.open({ ...directions, toTerminal: directions.toTerminal && this.#isStarted }),
      answerFence: (frame) => this.#isStarted && shortcut.answerFence(frame),
    };
  }

  /** Gives what has been written by now. */
  drain(): void {
    this.#pty.drain?.();
  }

  /** See Pty. */
  readAhead(bytes: number): void {
    this.#pty.readAhead?.(bytes);
  }

  resize(size: TerminalSize): void {
    this.#size = size;
    this.#pty.resize(size);
  }

  #order(order: GuardianOrder): void {
    this.#pty.send(encodeLine(order));
  }

  #takeNonsense(error: NonoError): void {
    this.#failure ??= error;
    this.#started.reject(error);
    this.#pty.kill(SIGKILL);
  }

  #hasStarted(): void {
    this.#isStarted = true;
    for (const data of this.#early.splice(0)) this.#pty.write(data);
  }

  #take(report: GuardianReport): void {
    switch (report.kind) {
      case 'started':
        this.#hasStarted();
        this.#started.resolve(report);
        return;
      case 'failed':
        this.#started.resolve(report);
        return;
      case 'stopped':
        this.#options.onStopped(report.signal);
        return;
      case 'asked':
        this.#options.onQuestions(Buffer.from(report.data, 'base64'));
        return;
      case 'ended':
        this.#exit = report.exit;
        this.#refused = Buffer.from(report.refused, 'base64');
    }
  }
}
