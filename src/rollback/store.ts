import { type Bytes } from '../bytes.ts';
import { DamageError, isErrno, StateError } from '../errors.ts';
import type { Directory } from '../ports/files.ts';
import type { Hash } from '../ports/hash.ts';
import { removeTree, removeTreeInTurns } from '../remove-tree.ts';
import { type Manifest, newestFirst } from './manifest.ts';
import { DIRECTORY_MODE, JOURNAL, MANIFEST, NewSession, openOwn, RollbackSession } from './session-directory.ts';
import { isRollbackId } from './session-id.ts';

/** What a session is called while it is removed. */
const REMOVING_PREFIX = 'removing-';

/** A session that cannot be read; it is shown beside the healthy ones and never hides them. */
export interface UnreadableSession {
  readonly id: Bytes;
  readonly error: Error;
  /** It is the session of a restore, which has a journal. */
  readonly isRestore: boolean;
}

/** The directory `rollbacks/` of a state directory. */
export class RollbackStore implements Disposable {
  readonly #directory: Directory;
  readonly #hash: Hash;

  constructor(directory: Directory, hash: Hash) {
    this.#directory = directory;
    this.#hash = hash;
  }

  /** Ids of all directories that have a manifest, by the local time in them newest first. */
  ids(): Bytes[] {
    const ids = this.#directory.names().filter(isRollbackId);
    return ids
      .filter((id) => this.#hasManifest(id))
      .sort()
      .reverse();
  }

  /** Whether there may be one: a session that another user made, as root by sudo, lets nobody look. */
  #hasManifest(id: Bytes): boolean {
    return this.#has(id, MANIFEST);
  }

  #has(id: Bytes, name: Bytes): boolean {
    try {
      return this.#directory.stat(`${id}/${name}` as Bytes) !== undefined;
    } catch (error) {
      if (isErrno(error, 'EACCES')) return true;
      throw error;
    }
  }

  /** All names in the directory, sessions or not. */
  names(): Bytes[] {
    return this.#directory.names();
  }

  /** The directory of a session, readable or not; undefined when there is none, or when it lets nobody in. */
  openDirectory(id: Bytes): Directory | undefined {
    try {
      return this.#directory.stat(id)?.kind === 'directory' ? this.#directory.openDirectory(id) : undefined;
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'EACCES')) return undefined;
      throw error;
    }
  }

  /** The same, and opens one of ours that somebody has closed. */
  openDirectoryToRemove(id: Bytes): Directory | undefined {
    const stat = this.#directory.stat(id);
    const isOurs = stat?.kind === 'directory' && stat.uid === this.#directory.statSelf().uid;
    if (isOurs && (stat.mode & DIRECTORY_MODE) !== DIRECTORY_MODE) this.#directory.setMode(id, DIRECTORY_MODE);
    return this.openDirectory(id);
  }

  /** @throws {DamageError} */
  open(id: Bytes): RollbackSession {
    const directory = openOwn(this.#directory, id, id);
    try {
      return new RollbackSession(directory, id, this.#hash);
    } catch (error) {
      directory[Symbol.dispose]();
      throw error;
    }
  }

  /** Manifests of all sessions, newest first; what cannot be read is handed to `onUnreadable`. */
  manifests(onUnreadable: (session: UnreadableSession) => void): Manifest[] {
    const manifests: Manifest[] = [];
    for (const id of this.ids()) {
      try {
        using session = this.open(id);
        manifests.push(session.manifest);
      } catch (error) {
        if (!(error instanceof DamageError) && !(error instanceof StateError)) throw error;
        // Another process may have removed it since the names were read.
        if (this.#hasManifest(id)) onUnreadable({ id, error, isRestore: this.#has(id, JOURNAL) });
      }
    }
    return manifests.sort(newestFirst);
  }

  /**
   * Makes an empty session that nobody can see until its manifest is written, locked by this process.
   *
   * @param makeId Gives the id for the nth attempt: one that is taken is not used again.
   */
  create(makeId: (attempt: number) => Bytes): NewSession {
    for (let attempt = 0; ; attempt++) {
      const id = makeId(attempt);
      try {
        this.#directory.createDirectory(id, DIRECTORY_MODE);
      } catch (error) {
        if (isErrno(error, 'EEXIST')) continue;
        throw error;
      }
      return this.#openNew(id);
    }
  }

  /** What was made of a session that cannot be made as a whole goes again. */
  #openNew(id: Bytes): NewSession {
    let directory: Directory | undefined;
    try {
      directory = this.#directory.openDirectory(id);
      return new NewSession(directory, id, this.#hash);
    } catch (error) {
      directory?.[Symbol.dispose]();
      removeTree(this.#directory, id);
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#directory[Symbol.dispose]();
  }

  /** Removes everything of a session: first its name, so that a reader never meets half of it. */
  async remove(id: Bytes): Promise<void> {
    const removing = `${REMOVING_PREFIX}${id}` as Bytes;
    this.#directory.rename(id, this.#directory, removing);
    await removeTreeInTurns(this.#directory, removing);
  }

  /** Ends removals that were killed, of one session or of all. @returns whether there were any. */
  async finishRemovals(id?: Bytes): Promise<boolean> {
    const isMeant = (name: Bytes) => (id === undefined ? name.startsWith(REMOVING_PREFIX) : name === `${REMOVING_PREFIX}${id}`);
    const names = this.#directory.names().filter(isMeant);
    for (const name of names) await removeTreeInTurns(this.#directory, name);
    return names.length > 0;
  }
}
