import type { Clock } from '../ports/clock.ts';
import type { ProcessExit } from '../ports/spawn.ts';
import { signalName } from '../signal-names.ts';
import { formatTimestamp } from '../time.ts';
import { type Attachment, type SessionState, type SessionStatus, STARTING } from './record.ts';
import type { OwnedRecord } from './registry.ts';

/** A reader takes a session for lost that has been silent for several of these. */
export const HEARTBEAT_MS = 10_000;
const SIGNAL_EXIT_BASE = 128;

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

export interface Published {
  readonly name: string;
  readonly state: SessionState;
}

/** Keeps a session's record true while the session lives. */
export class LiveSession implements Disposable {
  readonly #record: OwnedRecord;
  readonly #clock: Clock;
  readonly #beats: (() => void)[] = [];
  readonly #timer: ReturnType<typeof setInterval>;
  #state: SessionState;
  #name: string;
  #isOver = false;

  /** @param published What the record says already. */
  constructor(record: OwnedRecord, clock: Clock, published: Published = { name: '', state: STARTING }) {
    this.#record = record;
    this.#state = published.state;
    this.#name = published.name;
    this.#clock = clock;
    this.#beats.push(() => record.touch(clock.nowMs()));
    this.#timer = setInterval(() => this.#beat(), HEARTBEAT_MS);
  }

  /** Called with each heartbeat too. */
  alsoBeat(beat: () => void): void {
    this.#beats.push(beat);
  }

  isRunning(childPid: number, rollbackSession: string | null): void {
    this.#update({ status: 'running', childPid, rollbackSession });
  }

  isPaused(isPaused: boolean): void {
    if (this.#state.childPid !== null && !this.#isOver) this.#update({ status: isPaused ? 'paused' : 'running' });
  }

  get status(): SessionStatus {
    return this.#state.status;
  }

  hasAttachment(attachment: Attachment): void {
    if (!this.#isOver && attachment !== this.#state.attachment) this.#update({ attachment });
  }

  get name(): string {
    return this.#name;
  }

  rename(name: string): void {
    this.#name = name;
    this.#record.rename(name);
    this.#update({});
  }

  /** The command ended; `failure` is what went wrong after that. */
  hasEnded({ exitCode, signal }: CommandEnd, failure: string | null): void {
    const nowMs = this.#clock.nowMs();
    const ended = formatTimestamp(nowMs, this.#clock.utcOffsetMinutes(nowMs));
    this.#update({ status: 'exited', exitCode, signal, ended, failure });
    this.#isOver = true;
  }

  /** A session whose command never ran leaves no record. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    if (this.#isOver) this.#record[Symbol.dispose]();
    else this.#record.withdraw();
  }

  #beat(): void {
    for (const beat of this.#beats) beat();
  }

  #update(change: Partial<SessionState>): void {
    this.#state = { ...this.#state, ...change };
    this.#record.update(this.#state);
  }
}
