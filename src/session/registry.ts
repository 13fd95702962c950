import { type Bytes, displayBytes } from '../bytes.ts';
import { isErrno, SystemError } from '../errors.ts';
import type { Directory, OpenFile } from '../ports/files.ts';
import { removeSessionFiles } from './leftovers.ts';
import { makeSessionId, type RandomHex } from './names.ts';
import type { Pace } from './pace.ts';
import { makeRecord, type SessionIdentity, type SessionState } from './record.ts';
import { removeUnlessMissing } from './remove-file.ts';

const RECORD_MODE = 0o600;
const EXTENSION = '.json';
const TEMPORARY_EXTENSION = '.json.new';

/** A record that this process owns: it holds the lock for as long as the session lives. */
export interface OwnedRecord extends Disposable {
  /**
   * Replaces the record; a reader sees the old one or the new one. Settles when the new one is there for certain, or is `seen`; of
   * states that come meanwhile only the last is written.
   *
   * @throws {SystemError} by rejecting; the old record stays.
   */
  update(state: SessionState, pace?: Pace): Promise<void>;
  /** Writes over the record in its place: for a disk that has no room for another file. A reader may see half of it. */
  overwrite(state: SessionState): void;
  /** Gives the session another name with the next update. */
  rename(name: string): void;
  /** The heartbeat. */
  touch(epochMs: number): void;
  /** The session never was: nothing of it stays. */
  withdraw(): void;
}

/** An id of which no trace is in `sessions`. */
export function unusedId(sessions: Directory, random: RandomHex): string {
  for (;;) {
    const id = makeSessionId(random);
    if (sessions.stat(`${id}${EXTENSION}` as Bytes) === undefined) return id;
  }
}

/**
 * Publishes a new session.
 *
 * @returns undefined when another session took the id in the meantime.
 */
export function publishRecord(sessions: Directory, identity: SessionIdentity, state: SessionState): OwnedRecord | undefined {
  const name = `${identity.id}${EXTENSION}` as Bytes;
  const first = createTemporary(sessions, identity, state);
  try {
    first.file.sync();
    // A link and not a rename: it fails when the name is taken.
    sessions.link(first.name, sessions, name);
  } catch (error) {
    first.file[Symbol.dispose]();
    if (isErrno(error, 'EEXIST')) return undefined;
    throw error;
  } finally {
    sessions.removeFile(first.name);
  }
  sessions.sync();
  return new LockedRecord(sessions, name, identity, first.file);
}

class LockedRecord implements OwnedRecord {
  readonly #sessions: Directory;
  readonly #name: Bytes;
  #identity: SessionIdentity;
  #file: OpenFile;
  #wanted: SessionState | undefined;
  #writing: Promise<void> = Promise.resolve();
  #isGone = false;

  constructor(sessions: Directory, name: Bytes, identity: SessionIdentity, file: OpenFile) {
    this.#sessions = sessions;
    this.#name = name;
    this.#identity = identity;
    this.#file = file;
  }

  update(state: SessionState, pace: Pace = 'meanwhile'): Promise<void> {
    this.#wanted = state;
    return new Promise((resolve, reject) => {
      // One failure is the failure of that update, not of those after it. What fails when it is seen, the next update does again.
      this.#writing = this.#writing.then(() => this.#replace(pace, resolve)).then(resolve, reject);
    });
  }

  async #replace(pace: Pace, onSeen: () => void): Promise<void> {
    const state = this.#wanted;
    if (state === undefined || this.#isGone) return;
    const next = createTemporary(this.#sessions, this.#identity, state);
    this.#wanted = undefined;
    try {
      if (pace === 'at once') next.file.sync();
      else await next.file.syncLater();
      if (this.#isGone) {
        this.#discard(next);
        return;
      }
      // The new file was locked before it got the name: at no moment does the session look abandoned.
      this.#sessions.rename(next.name, this.#sessions, this.#name);
    } catch (error) {
      this.#discard(next);
      // Whoever waits for a later state finds this one missing too, and tries again.
      this.#wanted ??= state;
      throw error;
    }
    this.#file[Symbol.dispose]();
    this.#file = next.file;
    if (pace === 'seen') onSeen();
    if (pace === 'at once') this.#sessions.sync();
    else await this.#sessions.syncLater();
  }

  #discard({ name, file }: Temporary): void {
    file[Symbol.dispose]();
    removeUnlessMissing(this.#sessions, name);
  }

  overwrite(state: SessionState): void {
    this.#file.overwrite(encodeRecord(this.#identity, state));
  }

  rename(name: string): void {
    this.#identity = { ...this.#identity, name };
  }

  touch(epochMs: number): void {
    this.#file.setModificationTime(Math.floor(epochMs / 1000), (epochMs % 1000) * 1_000_000);
  }

  withdraw(): void {
    // Also what was on its terminal before there was a command, such as the last words of a guardian that was killed.
    removeSessionFiles(this.#sessions, this.#identity.id);
    this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.#isGone = true;
    this.#file[Symbol.dispose]();
  }
}

interface Temporary {
  readonly name: Bytes;
  readonly file: OpenFile;
}

/** The file is locked and written; it is not on the disk for certain, and its name is not the record's yet. */
function createTemporary(sessions: Directory, identity: SessionIdentity, state: SessionState): Temporary {
  const name = `${identity.id}.${identity.supervisor.pid}${TEMPORARY_EXTENSION}` as Bytes;
  const file = createAnew(sessions, name);
  try {
    if (!file.tryLock()) throw new SystemError('flock', 'EAGAIN', displayBytes(name));
    file.write(encodeRecord(identity, state));
  } catch (error) {
    file[Symbol.dispose]();
    sessions.removeFile(name);
    throw error;
  }
  return { name, file };
}

/** The name is this process's own: what has it was left when the system refused to take it away. */
function createAnew(sessions: Directory, name: Bytes): OpenFile {
  try {
    return sessions.createFile(name, RECORD_MODE);
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
    removeUnlessMissing(sessions, name);
    return sessions.createFile(name, RECORD_MODE);
  }
}

function encodeRecord(identity: SessionIdentity, state: SessionState): Uint8Array {
  return Buffer.from(`${JSON.stringify(makeRecord(identity, state), undefined, 2)}\n`);
}
