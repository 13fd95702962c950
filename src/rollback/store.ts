import { type Bytes, displayBytes } from '../bytes.ts';
import { DamageError, isErrno, NotFoundError, StateError, SystemError, UsageError } from '../errors.ts';
import { nearest } from '../nearest.ts';
import { parentPath } from '../paths.ts';
import type { Directory, OpenFile } from '../ports/files.ts';
import type { Hash } from '../ports/hash.ts';
import { removeTree } from '../remove-tree.ts';
import { groupPieces } from './drafts.ts';
import { decodeManifest, encodeManifest, type Manifest } from './manifest.ts';
import { hexHash } from './objects.ts';
import { isRollbackId } from './session-id.ts';
import { isUnknown, LOCK, lockNewSession, tryLockSession, tryTurn } from './session-lock.ts';
import { readWhole } from './small-file.ts';
import { SnapshotTree } from './snapshot-tree.ts';

/** So many wrong letters still mean the same id: more, and every id of the same day would be meant. */
const TYPOS = 2;
const DIRECTORY_MODE = 0o700;
const FILE_MODE = 0o600;
const MANIFEST = 'manifest.json' as Bytes;
const MANIFEST_TEMPORARY = 'manifest.tmp' as Bytes;
const OBJECTS = 'objects' as Bytes;
const SNAPSHOTS = 'snapshots' as Bytes;
const NODES = 'nodes' as Bytes;
/** What a session is called while it is removed. */
const REMOVING_PREFIX = 'removing-';

/** A session that cannot be read; it is shown beside the healthy ones and never hides them. */
export interface UnreadableSession {
  readonly id: Bytes;
  readonly error: Error;
}

/** The directory `rollbacks/` of a state directory. */
export class RollbackStore implements Disposable {
  readonly #directory: Directory;
  readonly #hash: Hash;

  constructor(directory: Directory, hash: Hash) {
    this.#directory = directory;
    this.#hash = hash;
  }

  /** Ids of all directories that have a manifest, newest first. */
  ids(): Bytes[] {
    const ids = this.#directory.names().filter(isRollbackId);
    return ids
      .filter((id) => this.#hasManifest(id))
      .sort()
      .reverse();
  }

  /** Whether there may be one: a session that another user made, as root by sudo, lets nobody look. */
  #hasManifest(id: Bytes): boolean {
    try {
      return this.#directory.stat(`${id}/${MANIFEST}` as Bytes) !== undefined;
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
        if (this.#hasManifest(id)) onUnreadable({ id, error });
      }
    }
    return manifests;
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
  remove(id: Bytes): void {
    const removing = `${REMOVING_PREFIX}${id}` as Bytes;
    this.#directory.rename(id, this.#directory, removing);
    removeTree(this.#directory, removing);
  }

  /** Ends removals that were killed, of one session or of all. @returns whether there were any. */
  finishRemovals(id?: Bytes): boolean {
    const isMeant = (name: Bytes) => (id === undefined ? name.startsWith(REMOVING_PREFIX) : name === `${REMOVING_PREFIX}${id}`);
    const names = this.#directory.names().filter(isMeant);
    for (const name of names) removeTree(this.#directory, name);
    return names.length > 0;
  }
}

/** What both a new and a listed session can do. */
abstract class SessionDirectory implements Disposable {
  readonly id: Bytes;
  readonly directory: Directory;
  protected readonly hash: Hash;

  constructor(directory: Directory, id: Bytes, hash: Hash) {
    this.directory = directory;
    this.id = id;
    this.hash = hash;
  }

  openObjects(): Directory {
    return openOwn(this.directory, OBJECTS, `${this.id}/${OBJECTS}`);
  }

  /** Stores the nodes file of a snapshot. @returns its SHA-256. */
  writeNodes(snapshot: number, pieces: readonly Buffer[], isSynced = false): Bytes {
    const temporary = `snapshots/tmp-${snapshot}` as Bytes;
    if (this.directory.stat(temporary) !== undefined) removeTree(this.directory, temporary);
    this.directory.createDirectory(temporary, DIRECTORY_MODE);
    const sha256 = this.hash.createSha256();
    {
      using file = this.directory.createFile(`${temporary}/${NODES}` as Bytes, FILE_MODE);
      for (const piece of groupPieces(pieces)) {
        file.write(piece);
        sha256.update(piece);
      }
      if (isSynced) file.sync();
    }
    const path = `snapshots/${snapshot}` as Bytes;
    // Left by a process that was killed before the manifest named it.
    if (this.directory.stat(path) !== undefined) removeTree(this.directory, path);
    this.directory.rename(temporary, this.directory, path);
    return sha256.digest();
  }

  /** @throws {DamageError} among others. */
  readManifest(): Manifest {
    const shown = `${this.id}/${MANIFEST}`;
    const data = readWholeFile(this.directory, MANIFEST);
    if (data === undefined) throw new DamageError(`Cannot read "${shown}": it is not a regular file`);
    const manifest = decodeManifest(data, shown, this.hash);
    if (manifest.id !== this.id) throw new DamageError(`Cannot read "${shown}": it belongs to "${manifest.id}"`);
    return manifest;
  }

  /** Replaces the manifest; a reader sees the old one or the new one, after a loss of power only one that was synced. */
  writeManifest(manifest: Manifest, { isSynced = true } = {}): void {
    if (this.directory.stat(MANIFEST_TEMPORARY) !== undefined) this.directory.removeFile(MANIFEST_TEMPORARY);
    {
      using file = this.directory.createFile(MANIFEST_TEMPORARY, FILE_MODE);
      file.write(encodeManifest(manifest, this.hash));
      if (isSynced) file.sync();
    }
    this.directory.rename(MANIFEST_TEMPORARY, this.directory, MANIFEST);
    if (isSynced) this.directory.sync();
  }

  /** The tree of a snapshot that `manifest` has. */
  tree(manifest: Manifest, number: number): SnapshotTree {
    const record = manifest.snapshots[number];
    if (record === undefined) {
      throw new UsageError(`Cannot use snapshot ${number} of "${this.id}": it has ${manifest.snapshots.length}, from 0`);
    }
    const loaded = new Map<number, Buffer>();
    const load = (snapshot: number) => {
      const known = loaded.get(snapshot);
      if (known !== undefined) return known;
      const nodes = this.#readNodes(manifest, snapshot);
      loaded.set(snapshot, nodes);
      return nodes;
    };
    const rollbacks = parentPath(this.directory.path);
    return new SnapshotTree(load, record.root, { rollbacks, id: this.id, number });
  }

  #readNodes(manifest: Manifest, snapshot: number): Buffer {
    const path = `snapshots/${snapshot}/${NODES}` as Bytes;
    const nodes = readWholeFile(this.directory, path);
    if (nodes === undefined) throw new DamageError(`Cannot read "${this.id}/${path}": it is missing`);
    const expected = manifest.snapshots[snapshot]?.nodesHash;
    const actual = this.hash.sha256(nodes);
    if (actual !== expected) throw new DamageError(`Cannot use "${this.id}/${path}": its SHA-256 is ${hexHash(actual)}`);
    return nodes;
  }

  [Symbol.dispose](): void {
    this.directory[Symbol.dispose]();
  }
}

/** A session before its manifest exists. */
export class NewSession extends SessionDirectory {
  readonly lock: OpenFile;

  constructor(directory: Directory, id: Bytes, hash: Hash) {
    super(directory, id, hash);
    this.lock = lockNewSession(directory);
    try {
      directory.createDirectory(OBJECTS, DIRECTORY_MODE);
      directory.createDirectory(SNAPSHOTS, DIRECTORY_MODE);
    } catch (error) {
      this.lock[Symbol.dispose]();
      throw error;
    }
  }

  override [Symbol.dispose](): void {
    // It has ended: from now on it may be locked on any host.
    try {
      this.lock.setSize(0);
    } catch (error) {
      // A disk that takes nothing any more: only other hosts are kept from it.
      if (!(error instanceof SystemError)) throw error;
    }
    this.lock[Symbol.dispose]();
    super[Symbol.dispose]();
  }
}

/** A session that is listed. */
export class RollbackSession extends SessionDirectory {
  readonly manifest: Manifest;

  constructor(directory: Directory, id: Bytes, hash: Hash) {
    super(directory, id, hash);
    this.manifest = this.readManifest();
  }

  /** The lock when nobody holds it, undefined when the session's supervisor or a restore does. */
  tryLock(): OpenFile | undefined {
    return tryLockSession(this.directory);
  }

  /** The right to take one snapshot in place of the process that holds the lock. */
  tryTurn(): OpenFile | undefined {
    return tryTurn(this.directory);
  }

  /** Whether the process that takes this session's snapshots is alive; one on another host may be. */
  isLive(): boolean {
    using lock = this.tryLock();
    return lock === undefined;
  }

  /** Whether that cannot be told here: see session-lock.ts. */
  isUnknown(): boolean {
    return isUnknown(this.directory);
  }

  /** When the holder of the lock gave its last sign of life: the lock file's mtime. */
  heartbeatMs(): number | undefined {
    const stat = this.directory.stat(LOCK);
    return stat === undefined ? undefined : stat.mtimeSeconds * 1000 + Math.floor(stat.mtimeNanoseconds / 1_000_000);
  }
}

/** Opens a directory that every session has. @throws {DamageError} when it is not there or is no directory. */
function openOwn(directory: Directory, name: Bytes, shown: string): Directory {
  try {
    return directory.openDirectory(name);
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EXDEV', 'EACCES')) throw error;
    throw new DamageError(`Cannot use "${shown}": it is not a directory that can be opened`, { cause: error });
  }
}

function readWholeFile(directory: Directory, path: Bytes): Buffer | undefined {
  try {
    using file = directory.openFile(path);
    const { kind, sizeBytes } = file.stat();
    if (kind !== 'file') return undefined;
    return readWhole(file, sizeBytes);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EISDIR')) return undefined;
    throw error;
  }
}

/** Finds a session by its id, a prefix of one, the six digits of its run, or `latest`. */
export function findSession(manifests: readonly Manifest[], unreadable: readonly UnreadableSession[], wanted: Bytes): Manifest {
  const shown = displayBytes(wanted);
  if (wanted === 'latest') {
    const latest = manifests.find(({ kind }) => kind === 'run') ?? manifests[0];
    if (latest !== undefined) return latest;
    throw new NotFoundError('Cannot find a rollback session: there is none yet', {
      hint: 'Make one with `nono run --rollback --allow-cwd -- COMMAND`',
    });
  }
  const exact = manifests.find(({ id }) => id === wanted);
  if (exact !== undefined) return exact;
  const damaged = unreadable.find(({ id }) => id === wanted);
  if (damaged !== undefined) throw damaged.error;
  const isWord = /^[0-9A-Za-z][0-9A-Za-z-]*$/.test(wanted);
  const found = isWord ? manifests.filter(({ id, runId }) => id.startsWith(wanted) || runId.startsWith(wanted)) : [];
  const damagedFound = isWord ? unreadable.filter(({ id }) => id.startsWith(wanted)) : [];
  const [first] = found;
  const [firstDamaged] = damagedFound;
  if (found.length + damagedFound.length > 1) {
    const candidates = [...found, ...damagedFound].map(({ id }) => displayBytes(id)).join(', ');
    throw new UsageError(`Cannot tell which session "${shown}" is: ${candidates}`, { hint: 'Give more of the id' });
  }
  if (first !== undefined) return first;
  if (firstDamaged !== undefined) throw firstDamaged.error;
  const names = manifests.flatMap(({ id, runId }) => [displayBytes(id), displayBytes(runId as Bytes)]);
  const guess = nearest(shown, ['latest', ...names], TYPOS);
  const hint = `${guess === undefined ? '' : `Did you mean ${guess}? `}List them with \`nono rollback list --all\``;
  throw new NotFoundError(`Cannot find rollback session "${shown}"`, { hint });
}
