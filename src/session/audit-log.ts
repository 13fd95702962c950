import type { Bytes } from '../bytes.ts';
import { SystemError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Directory, OpenFile } from '../ports/files.ts';
import type { Hash } from '../ports/hash.ts';
import { formatTimestamp } from '../time.ts';
import { AUDIT_FORMAT, type AuditEvent } from './audit-event.ts';
import { type AuditHead, hexDigest, NO_LINE, readAudit, wholeLinesSize } from './audit-read.ts';
import type { Pace } from './pace.ts';
import { readWhole } from './read-whole.ts';
import { removeUnlessMissing } from './remove-file.ts';

const FILE_MODE = 0o600;
export interface AuditDeps {
  readonly clock: Clock;
  readonly hash: Hash;
}

export function auditFileName(id: string): Bytes {
  return `${id}.events.jsonl` as Bytes;
}

interface Waiting {
  readonly event: AuditEvent;
  readonly time: string;
}

/**
 * The audit log of one session, which has one writer. Events are written in a turn of the loop of their own, and a disk
 * that takes nothing loses them without harm to the session: the gap is written down when there is room again.
 */
export class AuditLog {
  readonly #file: OpenFile;
  readonly #deps: AuditDeps;
  #waiting: Waiting[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #head: AuditHead;
  /** Up to here the file holds whole lines. */
  #sizeBytes: number;
  /** Of gaps that are written down. */
  #missing = 0;
  #gap: { lost: number; readonly since: string; readonly reason: string } | undefined;

  /** @param at Where the file stands already: its size, and its head. */
  constructor(file: OpenFile, deps: AuditDeps, at: { readonly sizeBytes: number; readonly head: AuditHead } = EMPTY) {
    this.#file = file;
    this.#deps = deps;
    this.#sizeBytes = at.sizeBytes;
    this.#head = at.head;
  }

  /** Of a new session: what an earlier one of the same id left behind is gone with its record. */
  static create(sessions: Directory, id: string, deps: AuditDeps): AuditLog {
    const name = auditFileName(id);
    removeUnlessMissing(sessions, name);
    return new AuditLog(sessions.openForAppend(name, FILE_MODE), deps);
  }

  /**
   * The log of a session that has ended, to be gone on with. A last line that was never finished is cut off and counted
   * as an event that is missing.
   *
   * @returns undefined where there is none.
   */
  static reopen(sessions: Directory, id: string, deps: AuditDeps): AuditLog | undefined {
    const name = auditFileName(id);
    if (sessions.stat(name)?.kind !== 'file') return undefined;
    const file = sessions.openForAppend(name, FILE_MODE);
    const text = readWhole(file);
    const sizeBytes = wholeLinesSize(text);
    const log = new AuditLog(file, deps, { sizeBytes, head: readAudit(text, deps.hash, undefined).head });
    if (sizeBytes === text.length) return log;
    file.setSize(sizeBytes);
    log.record({ event: 'gap', lost: 1, since: log.#now(), reason: 'torn' });
    return log;
  }

  /** Returns at once. */
  record(event: AuditEvent): void {
    this.#waiting.push({ event, time: this.#now() });
    this.#timer ??= setTimeout(() => this.flush(), 0);
  }

  /** Writes what waits. A disk that was full is tried again: call it with every heartbeat. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const waiting = this.#waiting;
    this.#waiting = [];
    if (this.#gap !== undefined && !this.#closeGap()) {
      this.#gap.lost += waiting.length;
      return;
    }
    for (const [at, { event, time }] of waiting.entries()) {
      const reason = this.#write(event, time);
      if (reason === undefined) continue;
      this.#gap = { lost: waiting.length - at, since: time, reason };
      return;
    }
  }

  /** Until what was recorded is on the disk for certain; a disk that fails is noted in the log alone. */
  async sync(pace: Pace): Promise<void> {
    this.flush();
    try {
      if (pace !== 'at once') await this.#file.syncLater();
      else this.#file.sync();
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      this.record({ event: 'gap', lost: 0, since: this.#now(), reason: error.errno });
    }
  }

  get head(): AuditHead {
    return this.#head;
  }

  /** Events that are missing at this moment because the disk took nothing. */
  get lost(): number {
    return this.#gap?.lost ?? 0;
  }

  /** The same, with those that a `gap` has been written down for. */
  get missing(): number {
    return this.#missing + this.lost;
  }

  close(): void {
    this.flush();
    clearTimeout(this.#timer);
    this.#file[Symbol.dispose]();
  }

  #closeGap(): boolean {
    const gap = this.#gap;
    if (gap === undefined) return true;
    if (this.#write({ event: 'gap', ...gap }, this.#now()) !== undefined) return false;
    this.#missing += gap.lost;
    this.#gap = undefined;
    return true;
  }

  /** @returns why it could not be written; nothing of the line stays then. */
  #write(event: AuditEvent, time: string): string | undefined {
    const number = this.#head.events + 1;
    const line = Buffer.from(JSON.stringify({ format: AUDIT_FORMAT, number, time, ...event, prev: this.#head.digest }), 'utf8');
    try {
      this.#file.write(Buffer.concat([line, NEWLINE]));
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      this.#cutOff();
      return error.errno;
    }
    this.#sizeBytes += line.length + NEWLINE.length;
    this.#head = { events: number, digest: hexDigest(line, this.#deps.hash) };
    return undefined;
  }

  /** Half a line would be taken for a change of the log. */
  #cutOff(): void {
    try {
      this.#file.setSize(this.#sizeBytes);
    } catch (error) {
      // The next line then begins after half of one, and a verification says so.
      if (!(error instanceof SystemError)) throw error;
    }
  }

  #now(): string {
    const { clock } = this.#deps;
    const nowMs = clock.nowMs();
    return formatTimestamp(nowMs, clock.utcOffsetMinutes(nowMs));
  }
}

const NEWLINE = Buffer.from('\n');
const EMPTY = { sizeBytes: 0, head: { events: 0, digest: NO_LINE } };
