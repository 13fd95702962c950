import * as fs from 'node:fs';
import { hostname } from 'node:os';
import { type Bytes, bufferFromBytes, bytesFromBuffer, bytesFromText, displayBytes } from '../../bytes.ts';
import { SystemError } from '../../errors.ts';
import { joinPath } from '../../paths.ts';
import {
  type Directory,
  type Files,
  type Host,
  type OpenFile,
  SMALL_FILE_BYTES,
  type SmallFile,
  type Stat,
} from '../../ports/files.ts';
import { type Listing, packListing } from '../../ports/listing.ts';
import { isInMemory } from './memory-file-systems.ts';
import { entryPath, NodeFile, named, touch, unlessMissing } from './open-file.ts';
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
  const openDirectory = (path: Bytes) => {
    const flags = fs.constants.O_RDONLY | fs.constants.O_DIRECTORY;
    return new NodeDirectory(
      named(path, () => fs.openSync(bufferFromBytes(path), flags)),
      path,
      locks,
    );
  };
  const realPath = (path: Bytes) =>
    unlessMissing(() => named(path, () => bytesFromBuffer(fs.realpathSync.native(bufferFromBytes(path), 'buffer'))));
  return {
    openDirectory,
    openWithoutLinks: (path) => {
      const real = realPath(path);
      if (real !== undefined && real !== path) throw new SystemError('open', 'ELOOP', displayBytes(path));
      return openDirectory(path);
    },
    realPath,
    stat: (path) => unlessMissing(() => named(path, () => convert(fs.statSync(bufferFromBytes(path), { bigint: true })))),
  };
}

const { O_RDONLY, O_RDWR, O_CREAT, O_EXCL, O_APPEND, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY, O_DIRECTORY } = fs.constants;

export class NodeDirectory implements Directory {
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

  host(): Host {
    return { name: bytesFromText(hostname()), bootId: undefined };
  }

  readSmallFiles(names: readonly Bytes[]): readonly (SmallFile | undefined)[] {
    return names.map((name) => this.#readSmallFile(name));
  }

  #readSmallFile(name: Bytes): SmallFile | undefined {
    try {
      using file = this.openFile(name);
      const { kind, sizeBytes, uid, mtimeSeconds } = file.stat();
      if (kind !== 'file' || sizeBytes > SMALL_FILE_BYTES) return undefined;
      const data = new Uint8Array(sizeBytes);
      let length = 0;
      for (let more = 1; more > 0 && length < sizeBytes; length += more) more = file.read(data.subarray(length));
      return { uid, mtimeSeconds, bytes: bytesFromBuffer(data.subarray(0, length)) };
    } catch (error) {
      if (error instanceof SystemError) return undefined;
      throw error;
    }
  }

  list(): Listing {
    return packListing(this.names(), (name) => this.stat(name));
  }

  statSelf(): Stat {
    return this.#call('', () => convert(fs.fstatSync(this.#fd, { bigint: true })));
  }

  datesEachWrite(): boolean {
    return this.#call('', () => !isInMemory(fs.statfsSync(this.#at('.')).type));
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

export function sameAdapter(directory: Directory): NodeDirectory {
  if (directory instanceof NodeDirectory) return directory;
  throw new TypeError('Expected a directory of the same adapter');
}
