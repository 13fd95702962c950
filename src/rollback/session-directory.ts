import { type Bytes } from '../bytes.ts';
import { DamageError, isErrno, NotFoundError, SystemError, UsageError } from '../errors.ts';
import { parentPath } from '../paths.ts';
import type { Directory, OpenFile } from '../ports/files.ts';
import type { Hash } from '../ports/hash.ts';
import { removeTree } from '../remove-tree.ts';
import type { EncodedNodes } from './encode-nodes.ts';
import { decodeManifest, encodeManifest, type Manifest } from './manifest.ts';
import { hexHash } from './objects.ts';
import { isSessionLive, isUnknown, LOCK, lockForRestore, lockNewSession, lockSession, takeTurn } from './session-lock.ts';
import { readUpTo } from './small-file.ts';
import { SnapshotTree } from './snapshot-tree.ts';

export const DIRECTORY_MODE = 0o700;
const FILE_MODE = 0o600;
export const MANIFEST = 'manifest.json' as Bytes;
/** Only in the session of a restore. */
export const JOURNAL = 'journal' as Bytes;
const MANIFEST_TEMPORARY = 'manifest.tmp' as Bytes;
const OBJECTS = 'objects' as Bytes;
const SNAPSHOTS = 'snapshots' as Bytes;
const NODES = 'nodes' as Bytes;

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
  writeNodes(snapshot: number, { pieces }: Pick<EncodedNodes, 'pieces'>): void {
    const temporary = `snapshots/tmp-${snapshot}` as Bytes;
    if (this.directory.stat(temporary) !== undefined) removeTree(this.directory, temporary);
    this.directory.createDirectory(temporary, DIRECTORY_MODE);
    {
      using file = this.directory.createFile(`${temporary}/${NODES}` as Bytes, FILE_MODE);
      for (const piece of pieces) file.write(piece);
    }
    const path = `snapshots/${snapshot}` as Bytes;
    // Left by a process that was killed before the manifest named it.
    if (this.directory.stat(path) !== undefined) removeTree(this.directory, path);
    this.directory.rename(temporary, this.directory, path);
  }

  /** False when somebody has removed it; one that cannot be looked at is there. */
  isListed(): boolean {
    try {
      return this.directory.stat(MANIFEST) !== undefined;
    } catch (error) {
      if (error instanceof SystemError) return true;
      throw error;
    }
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
  lockIfEnded(): Promise<OpenFile | undefined> {
    return this.#unlessRemoved(lockSession(this.directory));
  }

  /** The right to restore it while it still runs. */
  lockForRestore(): Promise<OpenFile | undefined> {
    return this.#unlessRemoved(lockForRestore(this.directory));
  }

  /** A clean-up may have come first. */
  async #unlessRemoved<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error;
      throw new NotFoundError(`Cannot use "${this.id}": it was removed meanwhile`, { cause: error });
    }
  }

  /** The right to take one snapshot in place of the process that holds the lock. */
  takeTurn(): Promise<OpenFile | undefined> {
    return takeTurn(this.directory);
  }

  /** Whether the process that takes this session's snapshots is alive; one on another host may be. */
  isLive(): boolean {
    return isSessionLive(this.directory);
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
export function openOwn(directory: Directory, name: Bytes, shown: string): Directory {
  try {
    return directory.openDirectory(name);
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EXDEV', 'EACCES')) throw error;
    // Nothing need be damaged then, and to verify it would meet the same.
    const hint = 'Let yourself in: see owner and mode of it, and of all directories above it (namei -l PATH)';
    throw new DamageError(`Cannot use "${shown}": it is not a directory that can be opened`, {
      cause: error,
      ...(isErrno(error, 'EACCES') ? { hint } : {}),
    });
  }
}

function readWholeFile(directory: Directory, path: Bytes): Buffer | undefined {
  try {
    using file = directory.openFile(path);
    const { kind, sizeBytes } = file.stat();
    if (kind !== 'file') return undefined;
    return readUpTo(file, sizeBytes);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EISDIR')) return undefined;
    throw error;
  }
}
