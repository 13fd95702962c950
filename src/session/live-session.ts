import { SystemError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { ProcessExit } from '../ports/spawn.ts';
import { SIGNAL_EXIT_BASE, signalName } from '../signal-names.ts';
import { formatTimestamp } from '../time.ts';
import type { AuditEvent } from './audit-event.ts';
import type { AuditLog } from './audit-log.ts';
import { LIFECYCLE, type LifecycleEvent } from './lifecycle.ts';
import type { Pace } from './pace.ts';
import type { Attachment, SessionState, SessionStatus } from './record.ts';
import type { OwnedRecord } from './registry.ts';

/** A reader takes a session for lost that has been silent for several of these. */
export const HEARTBEAT_MS = 10_000;
/** To write a record takes a tenth of this; the shortest commands are over before. */
const ANNOUNCED_AFTER_MS = 20;

/** How the command ended, as shells and records count it. */
export interface CommandEnd {
  /** 128 + N when signal N ended it. */
  readonly exitCode: number;
  readonly signal: string | null;
}

export function commandEnd({ code, signal }: ProcessExit): CommandEnd {
  return signal === null
    ? { exitCode: code ?? 0, signal: null }
    : { exitCode: SIGNAL_EXIT_BASE + signal, signal: signalName(signal) };
}

/** A session that has its id and its name for itself. */
export interface ClaimedSession {
  readonly record: OwnedRecord;
  readonly audit: AuditLog;
  readonly name: string;
  readonly nameLock: Disposable;
  /** What the record says already. */
  readonly state: SessionState;
}

/** Keeps a session's record and its audit log true while the session lives. */
export class LiveSession implements Disposable {
  readonly #record: OwnedRecord;
  readonly #audit: AuditLog;
  readonly #clock: Clock;
  readonly #beats: (() => void)[] = [];
  readonly #timer: ReturnType<typeof setInterval>;
  #announcing: ReturnType<typeof setTimeout> | undefined;
  #state: SessionState;
  #name: string;
  #nameLock: Disposable;
  #isOver = false;
  /** The record could not be written: the one on the disk says less than is true. */
  #isBehind = false;

  constructor({ record, audit, name, nameLock, state }: ClaimedSession, clock: Clock) {
    this.#record = record;
    this.#audit = audit;
    this.#state = state;
    this.#name = name;
    this.#nameLock = nameLock;
    this.#clock = clock;
    this.#timer = setInterval(() => this.#beat(), HEARTBEAT_MS);
  }

  /** Called with each heartbeat too. */
  alsoBeat(beat: () => void): void {
    this.#beats.push(beat);
  }

  /** Settles when readers see it; with a rollback session when it is on the disk, too: who comes after a loss of power finds the snapshots by it. */
  isRunning(childPid: number, rollbackSession: string | null): Promise<void> {
    return this.#step('executed', { childPid, rollbackSession }, rollbackSession === null ? 'seen' : 'meanwhile');
  }

  /** The same a moment later: what a command is that is over by then, only its end says. */
  isRunningSoon(childPid: number, rollbackSession: string | null): void {
    this.#state = { ...this.#state, status: LIFECYCLE.starting.executed ?? 'running', childPid, rollbackSession };
    this.#announcing = setTimeout(() => void this.#update({}), ANNOUNCED_AFTER_MS);
  }

  isPaused(isPaused: boolean): void {
    void this.#step(isPaused ? 'stopped' : 'continued', {});
  }

  get status(): SessionStatus {
    return this.#state.status;
  }

  hasAttachment(attachment: Attachment): void {
    if (!this.#isOver && attachment !== this.#state.attachment) void this.#update({ attachment });
  }

  /** Questions that wait for an answer; readers see it soon. */
  hasPending(pendingApprovals: number): void {
    if (!this.#isOver && pendingApprovals !== this.#state.pendingApprovals) void this.#update({ pendingApprovals });
  }

  get name(): string {
    return this.#name;
  }

  /** @param nameLock Of the new name. Settles when readers see it. */
  rename(name: string, nameLock: Disposable): Promise<void> {
    this.#nameLock[Symbol.dispose]();
    this.#nameLock = nameLock;
    this.#name = name;
    this.#record.rename(name);
    return this.#update({});
  }

  /** Writes to the audit log, and returns at once. */
  audit(event: AuditEvent): void {
    if (!this.#isOver) this.#audit.record(event);
  }

  /**
   * The command ended; `failure` is what went wrong after that.
   *
   * @returns what could not be written down, to be said; null when all was.
   */
  async hasEnded({ exitCode, signal }: CommandEnd, failure: string | null, pace: Pace = 'meanwhile'): Promise<string | null> {
    clearTimeout(this.#announcing);
    const nowMs = this.#clock.nowMs();
    const ended = formatTimestamp(nowMs, this.#clock.utcOffsetMinutes(nowMs));
    this.#audit.record({ event: 'end', exit_code: exitCode, signal, failure });
    await this.#audit.sync(pace);
    const { missing } = this.#audit;
    // Before anybody can see that the session has ended, so that whoever does finds the name free.
    this.#nameLock[Symbol.dispose]();
    await this.#step('ended', { exitCode, signal, ended, failure, auditHead: this.#audit.head }, pace);
    this.#isOver = true;
    if (this.#isBehind) this.#overwrite();
    if (this.#isBehind) return 'The record of the session could not be written';
    return missing > 0
      ? `${missing === 1 ? '1 event is' : `${missing} events are`} missing in the audit log: the disk took nothing`
      : null;
  }

  /** A session whose command never ran leaves no record. One whose end nobody could write down is lost, and can be found. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    clearTimeout(this.#announcing);
    this.#audit.close();
    if (this.#state.status === 'starting') this.#record.withdraw();
    else this.#record[Symbol.dispose]();
    if (!this.#isOver) this.#nameLock[Symbol.dispose]();
  }

  #beat(): void {
    if (this.#isBehind) void this.#update({});
    for (const beat of [() => this.#record.touch(this.#clock.nowMs()), () => this.#audit.flush(), ...this.#beats]) {
      try {
        beat();
      } catch (error) {
        // What the system refuses now the next heartbeat does.
        if (!(error instanceof SystemError)) throw error;
      }
    }
  }

  async #step(event: LifecycleEvent, change: Partial<SessionState>, pace: Pace = 'meanwhile'): Promise<void> {
    const status = LIFECYCLE[this.#state.status][event];
    if (status !== undefined) await this.#update({ ...change, status }, pace);
  }

  async #update(change: Partial<SessionState>, pace: Pace = 'meanwhile'): Promise<void> {
    this.#state = { ...this.#state, ...change };
    try {
      await this.#record.update(this.#state, pace);
      this.#isBehind = false;
    } catch (error) {
      // A disk that takes nothing, no descriptor, no memory: the command goes on all the same, and the next heartbeat tries again.
      if (!(error instanceof SystemError)) throw error;
      this.#isBehind = true;
    }
  }

  /** The last resort: how the session ended is worth more than that no reader ever sees half a record. */
  #overwrite(): void {
    try {
      this.#record.overwrite(this.#state);
      this.#isBehind = false;
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
    }
  }
}
