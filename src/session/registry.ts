import { type Bytes, bytesFromBuffer } from '../bytes.ts';
import { isErrno } from '../errors.ts';
import type { Directory, OpenFile } from '../ports/files.ts';
import { isSessionId, makeSessionId, type RandomHex } from './names.ts';
import { makeRecord, type SessionIdentity, type SessionState } from './record.ts';

const RECORD_MODE = 0o600;
const EXTENSION = '.json';
const TEMPORARY_EXTENSION = '.json.new';
const READ_BYTES = 64 * 1024;

/** A record that this process owns: it holds the lock for as long as the session lives. */
export interface OwnedRecord extends Disposable {
  /** Replaces the record; a reader sees the old one or the new one. */
  update(state: SessionState): void;
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
  const first = writeTemporary(sessions, identity, state);
  try {
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

  constructor(sessions: Directory, name: Bytes, identity: SessionIdentity, file: OpenFile) {
    this.#sessions = sessions;
    this.#name = name;
    this.#identity = identity;
    this.#file = file;
  }

  update(state: SessionState): void {
    const next = writeTemporary(this.#sessions, this.#identity, state);
    this.#sessions.rename(next.name, this.#sessions, this.#name);
    this.#sessions.sync();
    // The new file was locked before it got the name: at no moment does the session look abandoned.
    this.#file[Symbol.dispose]();
    this.#file = next.file;
  }

  rename(name: string): void {
    this.#identity = { ...this.#identity, name };
  }

  touch(epochMs: number): void {
    this.#file.setModificationTime(Math.floor(epochMs / 1000), (epochMs % 1000) * 1_000_000);
  }

  withdraw(): void {
    this.#sessions.removeFile(this.#name);
    this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }
}

/** The file is locked and on the disk; its name is not the record's yet. */
function writeTemporary(
  sessions: Directory,
  identity: SessionIdentity,
  state: SessionState,
): { readonly name: Bytes; readonly file: OpenFile } {
  const name = `${identity.id}.${identity.supervisor.pid}${TEMPORARY_EXTENSION}` as Bytes;
  const file = sessions.createFile(name, RECORD_MODE);
  try {
    file.tryLock();
    file.write(Buffer.from(`${JSON.stringify(makeRecord(identity, state), undefined, 2)}\n`));
    file.sync();
  } catch (error) {
    file[Symbol.dispose]();
    sessions.removeFile(name);
    throw error;
  }
  return { name, file };
}

/**
 * Whether a live session other than `id` has the name.
 *
 * @param sinceMs Looks only at records that were written or touched since then (epoch). A live supervisor
 *   touches its record with every heartbeat, so that only a suspended one is missed.
 */
export function isNameTaken(sessions: Directory, name: string, id: string, sinceMs = 0): boolean {
  const needle = `"name": ${JSON.stringify(name)}`;
  return sessions.names().some((file) => {
    const other = file.endsWith(EXTENSION) ? file.slice(0, -EXTENSION.length) : '';
    if (!isSessionId(other) || other === id) return false;
    const stat = sessions.stat(file);
    return stat?.kind === 'file' && stat.mtimeSeconds * 1000 >= sinceMs && isLiveWith(sessions, file, needle);
  });
}

function isLiveWith(sessions: Directory, file: Bytes, needle: string): boolean {
  try {
    using record = sessions.openFile(file);
    return readAll(record).includes(needle) && !record.tryLock();
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ELOOP', 'ENXIO')) return false; // Pruned meanwhile, or nothing of ours.
    throw error;
  }
}

function readAll(file: OpenFile): string {
  const piece = new Uint8Array(READ_BYTES);
  let text = '';
  for (let length = file.read(piece); length > 0; length = file.read(piece)) text += bytesFromBuffer(piece.subarray(0, length));
  return text;
}
