import { type Bytes, bytesAt, displayBytes } from '../../bytes.ts';
import { isErrno, SystemError } from '../../errors.ts';
import { joinPath } from '../../paths.ts';
import type { Directory, Files, Host, OpenFile, SmallFile, Stat } from '../../ports/files.ts';
import { type Listing, packListing } from '../../ports/listing.ts';
import { syncInBackground } from '../node/sync-later.ts';
import { BulkLister } from './bulk-lister.ts';
import { readDirectoryNames } from './directory-names.ts';
import {
  datesEachWrite,
  descriptorPath,
  fillTimes,
  openAt,
  openBeneath,
  openWithoutLinks,
  place,
  READ_DIRECTORY,
  READ_FILE,
  realPath,
  Scratch,
  statAt,
} from './file-calls.ts';
import { readHost } from './host-name.ts';
import { loadLookUps } from './look-ups.ts';
import { LinuxFile, named } from './open-file.ts';
import { errnoName, syscall, trySyscall } from './syscalls.ts';
import * as uapi from './uapi.ts';

/** NAME_MAX of include/uapi/linux/limits.h */
const NAME_BYTES_MAXIMUM = 255;
/** include/uapi/linux/fs.h */
const RENAME_NOREPLACE = 1;

/** What a file system answers that belongs to another user (FUSE), or whose server has gone. */
const MOUNT_REFUSES = ['EACCES', 'ENOTCONN', 'ESTALE', 'EIO', 'EHOSTDOWN', 'ETIMEDOUT'] as const;
/** All that can be told of one. */
const UNREACHABLE_MOUNT: Stat = {
  kind: 'directory',
  mode: 0,
  sizeBytes: 0,
  blocks: 0,
  links: 0,
  uid: 0,
  device: 0,
  inode: 0n,
  mtimeSeconds: 0,
  mtimeNanoseconds: 0,
  ctimeSeconds: 0,
  ctimeNanoseconds: 0,
  isMountPoint: true,
};

/**
 * Files by direct system calls: openat2 keeps every path beneath its directory.
 *
 * @param bulkFromEntries The number of listed entries from which on a directory is listed in one call.
 */
export function createLinuxFiles({ bulkFromEntries }: { readonly bulkFromEntries?: number } = {}): Files {
  const scratch = new Scratch();
  const lister = new BulkLister(bulkFromEntries);
  return {
    openDirectory: (path) => {
      const flags = uapi.O_RDONLY | uapi.O_DIRECTORY | uapi.O_CLOEXEC;
      return new LinuxDirectory(
        named(path, () => openAt(scratch, uapi.AT_FDCWD, path, flags)),
        path,
        scratch,
        lister,
      );
    },
    openWithoutLinks: (path) => {
      const opened = named(path, () => openListable(path, scratch));
      return new LinuxDirectory(opened.fd, path, scratch, lister, opened.isListable);
    },
    realPath: (path) => realPath(path, scratch),
    stat: (path) => named(path, () => statAt(scratch, uapi.AT_FDCWD, path, 0)),
  };
}

function openListable(path: Bytes, scratch: Scratch): { readonly fd: number; readonly isListable: boolean } {
  try {
    return { fd: openWithoutLinks(scratch, path, READ_DIRECTORY), isListable: true };
  } catch (error) {
    if (!isErrno(error, 'EACCES')) throw error;
    const flags = uapi.O_PATH | uapi.O_DIRECTORY | uapi.O_CLOEXEC;
    return { fd: openWithoutLinks(scratch, path, flags), isListable: false };
  }
}

class LinuxDirectory implements Directory {
  readonly path: Bytes;
  readonly #scratch: Scratch;
  readonly #lister: BulkLister;
  readonly #isListable: boolean;
  #fd: number;

  constructor(fd: number, path: Bytes, scratch: Scratch, lister: BulkLister, isListable = true) {
    this.#isListable = isListable;
    this.#fd = fd;
    this.path = path;
    this.#scratch = scratch;
    this.#lister = lister;
  }

  host(): Host {
    return readHost();
  }

  names(): Bytes[] {
    if (!this.#isListable) throw new SystemError('getdents64', 'EACCES', displayBytes(this.path));
    return this.#call('', () => readDirectoryNames(this.#fd, this.#scratch));
  }

  list(): Listing {
    const listing = this.#call('', () => this.#lister.list(this.#fd));
    if (listing !== undefined) return listing;
    const names = this.names();
    this.#lister.hasListed(names.length);
    return packListing(names, (name) => this.stat(name));
  }

  readSmallFiles(names: readonly Bytes[]): readonly (SmallFile | undefined)[] {
    const isPlain = names.every((name) => name.length <= NAME_BYTES_MAXIMUM && !name.includes('/'));
    return (isPlain ? loadLookUps()?.readFiles(this.#fd, names) : undefined) ?? names.map(() => undefined);
  }

  statSelf(): Stat {
    return this.#call('', () => statAt(this.#scratch, this.#fd, '' as Bytes, uapi.AT_EMPTY_PATH)) as Stat;
  }

  datesEachWrite(): boolean {
    return this.#call('', () => datesEachWrite(this.#scratch, this.#fd));
  }

  stat(name: Bytes): Stat | undefined {
    return this.#call(name, () => {
      try {
        return statAt(this.#scratch, this.#fd, name, uapi.AT_SYMLINK_NOFOLLOW | uapi.AT_NO_AUTOMOUNT);
      } catch (error) {
        if (isErrno(error, ...MOUNT_REFUSES) && this.#isMountPoint(name)) return UNREACHABLE_MOUNT;
        throw error;
      }
    });
  }

  /** By what the kernel says before it asks the file system. */
  #isMountPoint(name: Bytes): boolean {
    try {
      syscall('close', openBeneath(this.#scratch, this.#fd, name, uapi.O_PATH | uapi.O_NOFOLLOW | uapi.O_CLOEXEC));
      return false;
    } catch (error) {
      if (isErrno(error, 'EXDEV')) return true;
      if (isErrno(error, ...MOUNT_REFUSES, 'ENOENT')) return false;
      throw error;
    }
  }

  readLink(name: Bytes): Bytes {
    const { link } = this.#scratch;
    const path = place(this.#scratch.name, name);
    const length = this.#call(name, () => syscall('readlinkat', this.#fd, path, link.address, link.bytes.length));
    return bytesAt(link.bytes, 0, length);
  }

  openDirectory(relativePath: Bytes): Directory {
    const path = relativePath === '' ? ('.' as Bytes) : relativePath;
    const fd = this.#call(relativePath, () => openBeneath(this.#scratch, this.#fd, path, READ_DIRECTORY));
    return new LinuxDirectory(fd, joinPath(this.path, relativePath), this.#scratch, this.#lister);
  }

  openFile(relativePath: Bytes): OpenFile {
    const fd = this.#call(relativePath, () => openBeneath(this.#scratch, this.#fd, relativePath, READ_FILE));
    return new LinuxFile(fd, joinPath(this.path, relativePath), this.#scratch);
  }

  createFile(name: Bytes, mode: number): OpenFile {
    return this.#create(name, uapi.O_RDWR | uapi.O_CREAT | uapi.O_EXCL, mode);
  }

  openForAppend(name: Bytes, mode: number): OpenFile {
    return this.#create(name, uapi.O_RDWR | uapi.O_CREAT | uapi.O_APPEND | uapi.O_NONBLOCK, mode);
  }

  #create(name: Bytes, flags: number, mode: number): OpenFile {
    const all = flags | uapi.O_CLOEXEC | uapi.O_NOFOLLOW | uapi.O_NOCTTY;
    const fd = this.#call(name, () => openAt(this.#scratch, this.#fd, name, all, mode & 0o777));
    const file = new LinuxFile(fd, joinPath(this.path, name), this.#scratch);
    if ((flags & uapi.O_EXCL) !== 0 && !isModeSafeFromUmask(mode)) file.setMode(mode);
    return file;
  }

  createDirectory(name: Bytes, mode: number): void {
    this.#call(name, () => syscall('mkdirat', this.#fd, place(this.#scratch.name, name), mode & 0o777));
    if (!isModeSafeFromUmask(mode)) this.setMode(name, mode);
  }

  createSymlink(name: Bytes, target: Bytes): void {
    const to = place(this.#scratch.newName, target);
    this.#call(name, () => syscall('symlinkat', to, this.#fd, place(this.#scratch.name, name)));
  }

  link(name: Bytes, directory: Directory, newName: Bytes): void {
    const to = place(this.#scratch.newName, newName);
    const target = descriptorOf(directory);
    this.#call(name, () => syscall('linkat', this.#fd, place(this.#scratch.name, name), target, to, 0));
  }

  rename(name: Bytes, directory: Directory, newName: Bytes): void {
    const to = place(this.#scratch.newName, newName);
    const target = descriptorOf(directory);
    this.#call(name, () => syscall('renameat2', this.#fd, place(this.#scratch.name, name), target, to, 0));
  }

  renameNew(name: Bytes, directory: Directory, newName: Bytes): void {
    const to = place(this.#scratch.newName, newName);
    const from = place(this.#scratch.name, name);
    const result = trySyscall('renameat2', this.#fd, from, descriptorOf(directory), to, RENAME_NOREPLACE);
    if (result >= 0) return;
    const errno = errnoName(-result);
    // File systems without the flag: link(2) does not replace either.
    if (errno !== 'EINVAL') throw new SystemError('renameat2', errno, displayBytes(joinPath(this.path, name)));
    try {
      this.link(name, directory, newName);
    } catch (error) {
      // Nor with links (EROFS is what much that is made with FUSE says then): nobody can do better there than to look first.
      if (!isErrno(error, 'EPERM', 'EOPNOTSUPP', 'ENOSYS', 'EROFS')) throw error;
      if (directory.stat(newName) !== undefined) throw new SystemError('renameat2', 'EEXIST', displayBytes(newName));
      this.rename(name, directory, newName);
      return;
    }
    this.removeFile(name);
  }

  removeFile(name: Bytes): void {
    this.#call(name, () => syscall('unlinkat', this.#fd, place(this.#scratch.name, name), 0));
  }

  removeDirectory(name: Bytes): void {
    this.#call(name, () => syscall('unlinkat', this.#fd, place(this.#scratch.name, name), uapi.AT_REMOVEDIR));
  }

  setMode(name: Bytes, mode: number): void {
    this.#call(name, () => {
      // O_PATH needs no permission on the file itself; /proc/self/fd then names exactly what was opened,
      // so a name swapped for a link meanwhile is not followed (fchmodat has no such flag before 6.6).
      const fd = openAt(this.#scratch, this.#fd, name, uapi.O_PATH | uapi.O_NOFOLLOW | uapi.O_CLOEXEC);
      try {
        const opened = statAt(this.#scratch, fd, '' as Bytes, uapi.AT_EMPTY_PATH);
        if (opened?.kind === 'symlink') throw new SystemError('fchmodat', 'ELOOP');
        syscall('fchmodat', uapi.AT_FDCWD, place(this.#scratch.name, descriptorPath(fd)), mode);
      } finally {
        syscall('close', fd);
      }
    });
  }

  setModificationTime(name: Bytes, seconds: number, nanoseconds: number): void {
    const times = fillTimes(this.#scratch, seconds, nanoseconds);
    const path = place(this.#scratch.name, name);
    this.#call(name, () => syscall('utimensat', this.#fd, path, times, uapi.AT_SYMLINK_NOFOLLOW));
  }

  sync(): void {
    this.#call('', () => syscall('fsync', this.#fd));
  }

  syncLater(): Promise<void> {
    return syncInBackground(this.#fd, this.path);
  }

  syncFileSystem(): void {
    this.#call('', () => syscall('syncfs', this.#fd));
  }

  /** @internal The descriptor, for calls that take two directories. */
  descriptor(): number {
    return this.#fd;
  }

  #call<T>(name: string, run: () => T): T {
    return named(joinPath(this.path, name as Bytes), run);
  }

  [Symbol.dispose](): void {
    if (this.#fd >= 0) syscall('close', this.#fd);
    this.#fd = -1;
  }
}

/** A umask takes bits away from group and others only in practice, and never adds any. */
function isModeSafeFromUmask(mode: number): boolean {
  return (mode & 0o7077) === 0;
}

/** The descriptor of a directory of this adapter. */
export function descriptorOf(directory: Directory): number {
  if (directory instanceof LinuxDirectory) return directory.descriptor();
  throw new TypeError('Expected a directory of the same adapter');
}
