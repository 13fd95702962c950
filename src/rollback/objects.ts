import { type Bytes, bufferFromBytes } from '../bytes.ts';
import { DamageError, isErrno } from '../errors.ts';
import type { Directory, OpenFile } from '../ports/files.ts';
import type { Hash } from '../ports/hash.ts';

/**
 * The contents of one rollback session, each under the hex SHA-256 of its bytes: `ab/cd12…`, mode 0400.
 * What stands under such a name is always complete, since it gets there by rename or link.
 */
const OBJECT_MODE = 0o400;
const FAN_OUT_MODE = 0o700;

/** Bytes that are read, hashed and written at once; also the size up to which a file is read whole. */
export const CHUNK_BYTES = 1024 * 1024;

/** `hash` (32 bytes) in hex. */
export function hexHash(hash: Bytes): string {
  return bufferFromBytes(hash).toString('hex');
}

/** The path of an object below `objects/`. */
export function objectPath(hash: Bytes): Bytes {
  const hex = hexHash(hash);
  return `${hex.slice(0, 2)}/${hex.slice(2)}` as Bytes;
}

/** The contents of a session by their SHA-256, in `objects/`. An object is there whole or not at all. */
export class ObjectStore {
  readonly #directory: Directory;
  /** False while nobody can see the session: then an object that is half written is found by nobody. */
  readonly #isListed: boolean;
  /** Makes temporary names unique among the threads and processes that write here. */
  readonly #writer: string;
  #temporaryCount = 0;
  #storedBytes = 0;

  constructor(directory: Directory, { writer, isListed }: { readonly writer: string; readonly isListed: boolean }) {
    this.#directory = directory;
    this.#isListed = isListed;
    this.#writer = writer;
  }

  /** Bytes written here; what was linked from another session takes no space. */
  get storedBytes(): number {
    return this.#storedBytes;
  }

  has(hash: Bytes): boolean {
    return this.#directory.stat(objectPath(hash)) !== undefined;
  }

  /** Stores `data` under its hash, unless it is there. */
  store(hash: Bytes, data: Uint8Array): void {
    if (!this.#isListed) {
      this.#storeInPlace(objectPath(hash), data);
      return;
    }
    if (this.has(hash)) return;
    using temporary = this.createTemporary();
    temporary.file.write(data);
    this.keep(temporary, hash, data.length);
  }

  #storeInPlace(path: Bytes, data: Uint8Array): void {
    try {
      using file = this.#directory.createFile(path, OBJECT_MODE);
      file.write(data);
      this.#storedBytes += data.length;
    } catch (error) {
      if (isErrno(error, 'EEXIST')) return;
      if (!isErrno(error, 'ENOENT')) throw error;
      this.#makeRoom(path);
      this.#storeInPlace(path, data);
    }
  }

  /** Makes a temporary of `sizeBytes` the object `hash`. */
  keep(temporary: TemporaryObject, hash: Bytes, sizeBytes: number): void {
    temporary.keepAs(hash);
    this.#storedBytes += sizeBytes;
  }

  /** A file that becomes an object once its hash is known, and goes away otherwise. */
  createTemporary(): TemporaryObject {
    for (;;) {
      const name = `tmp-${this.#writer}-${this.#temporaryCount++}` as Bytes;
      try {
        return new TemporaryObject(this.#directory, name, (path) => this.#makeRoom(path));
      } catch (error) {
        // Left by a process that was killed: whoever completes its work writes under the same names.
        if (!isErrno(error, 'EEXIST')) throw error;
      }
    }
  }

  /** Links the object from another session. @returns false where it is not there or links cannot be made. */
  linkFrom(source: Directory, hash: Bytes): boolean {
    const path = objectPath(hash);
    for (;;) {
      try {
        source.link(path, this.#directory, path);
        return true;
      } catch (error) {
        if (isErrno(error, 'EEXIST')) return true;
        // ENOENT is either the object there or the fan-out directory here.
        if (isErrno(error, 'ENOENT') && this.#makeRoom(path)) continue;
        if (isErrno(error, 'ENOENT', 'EXDEV', 'EMLINK', 'EPERM', 'EOPNOTSUPP')) return false;
        throw error;
      }
    }
  }

  /** Creates the fan-out directory of `path`. @returns false when it was there. */
  #makeRoom(path: Bytes): boolean {
    try {
      this.#directory.createDirectory(path.slice(0, 2) as Bytes, FAN_OUT_MODE);
      return true;
    } catch (error) {
      if (isErrno(error, 'EEXIST')) return false;
      throw error;
    }
  }
}

/** A content that is being written and has no hash yet; gone unless it is stored. */
export class TemporaryObject implements Disposable {
  readonly file: OpenFile;
  readonly #directory: Directory;
  readonly #name: Bytes;
  readonly #makeRoom: (path: Bytes) => boolean;
  #isKept = false;

  constructor(directory: Directory, name: Bytes, makeRoom: (path: Bytes) => boolean) {
    this.#directory = directory;
    this.#name = name;
    this.#makeRoom = makeRoom;
    this.file = directory.createFile(name, OBJECT_MODE);
  }

  keepAs(hash: Bytes): void {
    const path = objectPath(hash);
    try {
      this.#directory.rename(this.#name, this.#directory, path);
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error;
      this.#makeRoom(path);
      this.#directory.rename(this.#name, this.#directory, path);
    }
    this.#isKept = true;
  }

  [Symbol.dispose](): void {
    this.file[Symbol.dispose]();
    if (!this.#isKept) this.#directory.removeFile(this.#name);
  }
}

/**
 * Reads an object in pieces and checks it against its name; the last piece comes only when all bytes
 * were right, so a reader that stops before the end has not been told that the content is whole.
 *
 * @param into Memory for the pieces: what is yielded is a view of it.
 * @throws {DamageError} when the object is missing or is not what its name says.
 */
export function* readObject(objects: Directory, hash: Bytes, hasher: Hash, into: Uint8Array): Generator<Uint8Array> {
  const path = objectPath(hash);
  using file = openObject(objects, path);
  const stream = hasher.createSha256();
  for (;;) {
    const length = file.read(into);
    stream.update(into.subarray(0, length));
    // A regular file gives less than was asked for only at its end.
    if (length < into.length) {
      const actual = stream.digest();
      if (actual !== hash) throw new DamageError(`Cannot use object "${path}": its SHA-256 is ${hexHash(actual)}`);
      if (length > 0) yield into.subarray(0, length);
      return;
    }
    yield into.subarray(0, length);
  }
}

/** Smaller ones are copied sooner than the file system shares them. */
const CLONED_BYTES_MINIMUM = CHUNK_BYTES;

/**
 * Makes an empty file share the object's blocks, and checks what is in it then: the copy can no longer change.
 *
 * @returns false where that is not worth it or the file system cannot; nothing was written then.
 * @throws {DamageError} when the object is missing or is not what its name says.
 */
export function cloneObject(objects: Directory, hash: Bytes, into: OpenFile, hasher: Hash, chunk: Uint8Array): boolean {
  const path = objectPath(hash);
  using file = openObject(objects, path);
  if (file.stat().sizeBytes < CLONED_BYTES_MINIMUM || !into.cloneFrom(file)) return false;
  into.rewind();
  const actual = hashRest(into, hasher, chunk);
  if (actual !== hash) throw new DamageError(`Cannot use object "${path}": its SHA-256 is ${hexHash(actual)}`);
  return true;
}

/**
 * The SHA-256 of what a file holds from where it is read next.
 *
 * @param mostBytes No more is read, so that one which grows meanwhile has an end.
 */
export function hashRest(file: OpenFile, hasher: Hash, chunk: Uint8Array, mostBytes = Number.POSITIVE_INFINITY): Bytes {
  const stream = hasher.createSha256();
  for (let left = mostBytes; left > 0; ) {
    const length = Math.min(file.read(chunk), left);
    if (length === 0) break;
    stream.update(chunk.subarray(0, length));
    left -= length;
  }
  return stream.digest();
}

function openObject(objects: Directory, path: Bytes): OpenFile {
  let file: OpenFile;
  try {
    file = objects.openFile(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) throw new DamageError(`Cannot use object "${path}": it is missing`, { cause: error });
    if (isErrno(error, 'ELOOP', 'ENOTDIR', 'ENXIO')) throw notRegular(path);
    throw error;
  }
  if (file.stat().kind === 'file') return file;
  file[Symbol.dispose]();
  throw notRegular(path);
}

function notRegular(path: Bytes): DamageError {
  return new DamageError(`Cannot use object "${path}": it is not a regular file`);
}
