import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { hostname } from 'node:os';
import { type Bytes, bufferFromBytes, bytesFromBuffer, bytesFromText, displayBytes } from '../../bytes.ts';
import { SystemError } from '../../errors.ts';
import { joinPath } from '../../paths.ts';
import type { Directory, Files, OpenFile, Stat } from '../../ports/files.ts';
import { type Listing, packListing } from '../../ports/listing.ts';
import { convert } from './stat.ts';
import { syncInBackground } from './sync-later.ts';

/**
 * Files by node:fs, so that the engine's tests run under Node.
 *
 * A directory is an open descriptor and its entries are named through /proc/self/fd, which gives what
 * the *at calls give. Node has no openat2: a relative path is opened one component at a time. It has no
 * flock either: locks hold within this process only.
 */
export function createNodeFiles(): Files {
  const locks = new Set<string>();
  return {
    openDirectory: (path) => {
      const flags = fs.constants.O_RDONLY | fs.constants.O_DIRECTORY;
      return new NodeDirectory(
        named(path, () => fs.openSync(bufferFromBytes(path), flags)),
        path,
        locks,
      );
    },
    realPath: (path) =>
      unlessMissing(() => named(path, () => bytesFromBuffer(fs.realpathSync.native(bufferFromBytes(path), 'buffer')))),
    stat: (path) => unlessMissing(() => named(path, () => convert(fs.statSync(bufferFromBytes(path), { bigint: true })))),
  };
}

const { O_RDONLY, O_RDWR, O_CREAT, O_EXCL, O_APPEND, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY, O_DIRECTORY } = fs.constants;

class NodeDirectory implements Directory {
  readonly path: Bytes;
  readonly #locks: Set<string>;
  #fd: number;

  constructor(fd: number, path: Bytes, locks: Set<string>) {
    this.#fd = fd;
    this.path = path;
    this.#locks = locks;
  }

  names(): Bytes[] {
    return this.#call('', () => fs.readdirSync(this.#at('.'), { encoding: 'buffer' }).map((name) => bytesFromBuffer(name)));
  }

  hostName(): Bytes {
    return bytesFromText(hostname());
  }

  list(): Listing {
    return packListing(this.names(), (name) => this.stat(name));
  }

  statSelf(): Stat {
    return this.#call('', () => convert(fs.fstatSync(this.#fd, { bigint: true })));
  }

  stat(name: Bytes): Stat | undefined {
    return unlessMissing(() =>
      this.#call(name, () => {
        const stat = convert(fs.lstatSync(this.#at(name), { bigint: true }));
        return stat.device === this.statSelf().device || stat.kind !== 'directory' ? stat : { ...stat, isMountPoint: true };
      }),
    );
  }

  readLink(name: Bytes): Bytes {
    return this.#call(name, () => bytesFromBuffer(fs.readlinkSync(this.#at(name), { encoding: 'buffer' })));
  }

  openDirectory(relativePath: Bytes): Directory {
    const fd = this.#openBeneath(relativePath === '' ? ('.' as Bytes) : relativePath, O_RDONLY | O_DIRECTORY);
    return new NodeDirectory(fd, joinPath(this.path, relativePath), this.#locks);
  }

  openFile(relativePath: Bytes): OpenFile {
    const fd = this.#openBeneath(relativePath, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    return new NodeFile(fd, joinPath(this.path, relativePath), this.#locks);
  }

  #openBeneath(relativePath: Bytes, flags: number): number {
    const components = relativePath.split('/') as Bytes[];
    if (components.some((name) => name === '..' || name === '')) {
      throw new SystemError('open', 'EXDEV', displayBytes(joinPath(this.path, relativePath)));
    }
    const device = this.statSelf().device;
    let fd = this.#fd;
    for (const [index, name] of components.entries()) {
      const isLast = index === components.length - 1;
      const parent = fd;
      const how = (isLast ? flags : O_RDONLY | O_DIRECTORY) | O_NOFOLLOW;
      try {
        fd = this.#call(relativePath, () => fs.openSync(entryPath(parent, name), how));
      } finally {
        if (parent !== this.#fd) fs.closeSync(parent);
      }
      if (fs.fstatSync(fd).dev !== device) {
        fs.closeSync(fd);
        throw new SystemError('open', 'EXDEV', displayBytes(joinPath(this.path, relativePath)));
      }
    }
    return fd;
  }

  createFile(name: Bytes, mode: number): OpenFile {
    const file = this.#create(name, O_RDWR | O_CREAT | O_EXCL, mode);
    file.setMode(mode);
    return file;
  }

  openForAppend(name: Bytes, mode: number): OpenFile {
    return this.#create(name, O_RDWR | O_CREAT | O_APPEND | O_NONBLOCK, mode);
  }

  #create(name: Bytes, flags: number, mode: number): NodeFile {
    const fd = this.#call(name, () => fs.openSync(this.#at(name), flags | O_NOFOLLOW | O_NOCTTY, mode & 0o777));
    return new NodeFile(fd, joinPath(this.path, name), this.#locks, (flags & O_APPEND) !== 0);
  }

  createDirectory(name: Bytes, mode: number): void {
    this.#call(name, () => {
      fs.mkdirSync(this.#at(name), mode & 0o777);
      fs.chmodSync(this.#at(name), mode);
    });
  }

  createSymlink(name: Bytes, target: Bytes): void {
    this.#call(name, () => fs.symlinkSync(bufferFromBytes(target), this.#at(name)));
  }

  link(name: Bytes, directory: Directory, newName: Bytes): void {
    this.#call(name, () => fs.linkSync(this.#at(name), sameAdapter(directory).#at(newName)));
  }

  rename(name: Bytes, directory: Directory, newName: Bytes): void {
    this.#call(name, () => fs.renameSync(this.#at(name), sameAdapter(directory).#at(newName)));
  }

  renameNew(name: Bytes, directory: Directory, newName: Bytes): void {
    this.link(name, directory, newName);
    this.removeFile(name);
  }

  removeFile(name: Bytes): void {
    this.#call(name, () => fs.unlinkSync(this.#at(name)));
  }

  removeDirectory(name: Bytes): void {
    this.#call(name, () => fs.rmdirSync(this.#at(name)));
  }

  setMode(name: Bytes, mode: number): void {
    this.#call(name, () => {
      if (fs.lstatSync(this.#at(name)).isSymbolicLink()) throw new SystemError('chmod', 'ELOOP');
      fs.chmodSync(this.#at(name), mode);
    });
  }

  setModificationTime(name: Bytes, seconds: number, nanoseconds: number): void {
    this.#call(name, () => {
      // touch(1) says nothing of what is not there.
      fs.lstatSync(this.#at(name));
      touch(this.#fd, name, seconds, nanoseconds);
    });
  }

  sync(): void {
    this.#call('', () => fs.fsyncSync(this.#fd));
  }

  syncLater(): Promise<void> {
    return syncInBackground(this.#fd, this.path);
  }

  syncFileSystem(): void {
    this.sync();
  }

  #at(name: string): Buffer {
    return entryPath(this.#fd, name);
  }

  #call<T>(name: string, run: () => T): T {
    return named(joinPath(this.path, name as Bytes), run);
  }

  [Symbol.dispose](): void {
    if (this.#fd >= 0) fs.closeSync(this.#fd);
    this.#fd = -1;
  }
}

class NodeFile implements OpenFile {
  readonly #path: Bytes;
  readonly #locks: Set<string>;
  #held: string | undefined;
  #fd: number;
  /** Node has no lseek: reading and writing keep their own positions. */
  #readPosition = 0;
  #writePosition = 0;
  readonly #isAppending: boolean;

  constructor(fd: number, path: Bytes, locks: Set<string>, isAppending = false) {
    this.#fd = fd;
    this.#path = path;
    this.#locks = locks;
    this.#isAppending = isAppending;
  }

  stat(): Stat {
    return named(this.#path, () => convert(fs.fstatSync(this.#fd, { bigint: true })));
  }

  read(into: Uint8Array): number {
    const length = named(this.#path, () => fs.readSync(this.#fd, into, 0, into.length, this.#readPosition));
    this.#readPosition += length;
    return length;
  }

  rewind(): void {
    this.#readPosition = 0;
  }

  write(data: Uint8Array): void {
    for (let done = 0; done < data.length; ) {
      const at = this.#isAppending ? null : this.#writePosition;
      const length = named(this.#path, () => fs.writeSync(this.#fd, data, done, data.length - done, at));
      done += length;
      this.#writePosition += length;
    }
  }

  overwrite(data: Uint8Array): void {
    this.#writePosition = 0;
    this.write(data);
    this.setSize(data.length);
  }

  skip(bytes: number): void {
    this.#writePosition += bytes;
  }

  setSize(bytes: number): void {
    named(this.#path, () => fs.ftruncateSync(this.#fd, bytes));
  }

  setMode(mode: number): void {
    named(this.#path, () => fs.fchmodSync(this.#fd, mode));
  }

  setModificationTime(seconds: number, nanoseconds: number): void {
    named(this.#path, () => touch(this.#fd, undefined, seconds, nanoseconds));
  }

  sync(): void {
    named(this.#path, () => fs.fsyncSync(this.#fd));
  }

  syncLater(): Promise<void> {
    return syncInBackground(this.#fd, this.#path);
  }

  tryLock(): boolean {
    if (this.#held !== undefined) return true;
    const { dev, ino } = fs.fstatSync(this.#fd, { bigint: true });
    const identity = `${dev}:${ino}`;
    if (this.#locks.has(identity)) return false;
    this.#locks.add(identity);
    this.#held = identity;
    return true;
  }

  isLocked(): boolean {
    const { dev, ino } = fs.fstatSync(this.#fd, { bigint: true });
    return this.#held === undefined && this.#locks.has(`${dev}:${ino}`);
  }

  cloneFrom(): boolean {
    return false;
  }

  [Symbol.dispose](): void {
    if (this.#held !== undefined) this.#locks.delete(this.#held);
    if (this.#fd >= 0) fs.closeSync(this.#fd);
    this.#fd = -1;
  }
}

function entryPath(fd: number, name: string): Buffer {
  return Buffer.from(`/proc/self/fd/${fd}/${name}`, 'latin1');
}

function sameAdapter(directory: Directory): NodeDirectory {
  if (directory instanceof NodeDirectory) return directory;
  throw new TypeError('Expected a directory of the same adapter');
}

/**
 * Node takes times as a double, which has no room for nanoseconds: touch(1) sets the exact ones. The
 * descriptor is handed over as number 3, and bash keeps the bytes of a name that is not UTF-8.
 */
function touch(fd: number, name: Bytes | undefined, seconds: number, nanoseconds: number): void {
  const time = `@${decimalSeconds(seconds, nanoseconds)}`;
  const path = Buffer.from(name === undefined ? '/proc/self/fd/3' : `/proc/self/fd/3/${name}`, 'latin1');
  const octal = Array.from(path, (byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
  const noFollow = name === undefined ? '' : '-h';
  const script = `exec touch -c -m ${noFollow} -d ${time} -- $'${octal}'`;
  const result = spawnSync('bash', ['-c', script], { stdio: ['ignore', 'ignore', 'pipe', fd] });
  if (result.status !== 0) throw new SystemError('utimensat', 'EIO', result.stderr.toString());
}

/** One number: the minus of a time before 1970 stands for its fraction too. */
function decimalSeconds(seconds: number, nanoseconds: number): string {
  const fraction = (value: number) => String(value).padStart(9, '0');
  if (seconds >= 0 || nanoseconds === 0) return `${seconds}.${fraction(nanoseconds)}`;
  return `-${-seconds - 1}.${fraction(NANOSECONDS - nanoseconds)}`;
}

const NANOSECONDS = 1_000_000_000;

const ERRNO_REGEXP = /^E[A-Z0-9]+$/;

function named<T>(path: Bytes, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof SystemError) throw new SystemError(error.call, error.errno, displayBytes(path));
    if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') throw error;
    if (!ERRNO_REGEXP.test(error.code)) throw error;
    const call = 'syscall' in error && typeof error.syscall === 'string' ? error.syscall : 'call';
    throw new SystemError(call, error.code, displayBytes(path));
  }
}

function unlessMissing<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof SystemError && (error.errno === 'ENOENT' || error.errno === 'ENOTDIR')) return undefined;
    throw error;
  }
}
