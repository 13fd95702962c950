import type { Bytes } from '../bytes.ts';
import type { Listing } from './listing.ts';

/**
 * The file system, one directory at a time.
 *
 * Everything below a directory that the sandboxed command may write is reached through a `Directory`
 * handle and never through a path that is resolved again: no call here follows a symbolic link in what
 * it is given, and no relative path leaves the directory. All calls block; they are short. Failures
 * are SystemError with the symbolic errno, except where a call says otherwise.
 */
export interface Files {
  /**
   * Opens an absolute path as the kernel resolves it, links included: only for paths that the user
   * named or that are nono's own, never for what the command may have written.
   */
  openDirectory(path: Bytes): Directory;
  /**
   * The same, and fails with ELOOP where any part of the path is a link. One that its user may enter and not list is opened too, and
   * fails with EACCES when it is listed.
   */
  openWithoutLinks(path: Bytes): Directory;
  /** The path with every link resolved, undefined when it does not exist. */
  realPath(path: Bytes): Bytes | undefined;
  /** stat(2) of an absolute path, following links; undefined when it does not exist. */
  stat(path: Bytes): Stat | undefined;
}

/** By S_IFMT of the mode (inode(7)). */
export type FileKind = 'file' | 'directory' | 'symlink' | 'fifo' | 'socket' | 'characterDevice' | 'blockDevice';

/** What a small file has at most. */
export const SMALL_FILE_BYTES = 64 * 1024;

/** A regular file of at most SMALL_FILE_BYTES, as it was read. */
export interface SmallFile {
  readonly uid: number;
  readonly mtimeSeconds: number;
  readonly bytes: Bytes;
}

/** What lstat(2) tells. Times are split because nanoseconds since 1970 do not fit a number. */
export interface Stat {
  readonly kind: FileKind;
  /**
   * Permission bits with setuid, setgid and sticky: 0 to 0o7777. Of a regular file of another user without setuid, and of another group than ours
   * without setgid: made again by us it would be ours, and run with our rights whatever they had put into it.
   */
  readonly mode: number;
  readonly sizeBytes: number;
  /** Space really used, in units of 512 bytes; less than the size for a sparse file. */
  readonly blocks: number;
  readonly links: number;
  readonly uid: number;
  readonly device: number;
  readonly inode: bigint;
  readonly mtimeSeconds: number;
  readonly mtimeNanoseconds: number;
  readonly ctimeSeconds: number;
  readonly ctimeNanoseconds: number;
  /** When it was made, in milliseconds since 1970; undefined where the file system does not tell. Nobody can set it, and a rename leaves it. */
  readonly bornMs?: number | undefined;
  /** True where another file system or a bind mount begins. */
  readonly isMountPoint: boolean;
}

/** The machine that a process is on, or the container: its paths are other files than those of the next. */
export interface Host {
  readonly name: Bytes;
  /** Of the kernel that runs, another one with each boot: the machine by whatever name it goes. undefined in a container with a name of its own. */
  readonly bootId: string | undefined;
}

/**
 * An open directory. `name` is one component, or a path below a directory of nono's own, which nobody
 * else writes; a relative path may have several components anywhere.
 */
export interface Directory extends Disposable {
  /** The path that it was opened by: for messages, and for other threads where the path is nono's own. */
  readonly path: Bytes;
  /** This machine: what is locked on another one, which shares the file system, cannot be judged here. */
  host(): Host;
  /**
   * The names in it without `.` and `..`, each once and in no order. Of what is there all the time none is missing, be it
   * replaced meanwhile; the adapter for the tests promises that only of what nobody replaces.
   */
  names(): Bytes[];
  /** Small regular files by their names, many at a time: undefined for what is not read at once, for whatever reason. */
  readSmallFiles(names: readonly Bytes[]): readonly (SmallFile | undefined)[];
  /** The names with what lstat tells of each; what vanishes meanwhile is not in it. */
  list(): Listing;
  statSelf(): Stat;
  /**
   * False on file systems in memory: what is written to a file there through its mapping into memory, by who has read it before, gives it no other
   * time. Where one lies over another (overlay) that is not known.
   */
  datesEachWrite(): boolean;
  /** @returns undefined when there is nothing of that name. */
  stat(name: Bytes): Stat | undefined;
  readLink(name: Bytes): Bytes;
  /** Fails with ELOOP or ENOTDIR at a link, EXDEV at another mount; '' opens the directory again. */
  openDirectory(relativePath: Bytes): Directory;
  /** For reading only; never blocks on a FIFO, never takes a controlling terminal. */
  openFile(relativePath: Bytes): OpenFile;
  /** For reading and writing; fails with EEXIST when the name is taken. The mode is exact, whatever the umask. */
  createFile(name: Bytes, mode: number): OpenFile;
  /** For appending and locking; creates it when missing. */
  openForAppend(name: Bytes, mode: number): OpenFile;
  /** The mode is exact, whatever the umask. */
  createDirectory(name: Bytes, mode: number): void;
  createSymlink(name: Bytes, target: Bytes): void;
  /** A second name, in `directory`, for the file `name` here. Fails with EEXIST. */
  link(name: Bytes, directory: Directory, newName: Bytes): void;
  /** Replaces what is at the new name, as rename(2) does. */
  rename(name: Bytes, directory: Directory, newName: Bytes): void;
  /** As rename(), but fails with EEXIST when the new name is taken. */
  renameNew(name: Bytes, directory: Directory, newName: Bytes): void;
  removeFile(name: Bytes): void;
  removeDirectory(name: Bytes): void;
  /** Never for a link. */
  setMode(name: Bytes, mode: number): void;
  /** Also of a link itself; the access time stays. */
  setModificationTime(name: Bytes, seconds: number, nanoseconds: number): void;
  /** Makes the names durable. */
  sync(): void;
  /** As sync(), while the caller's loop goes on. @throws {SystemError} by rejecting. */
  syncLater(): Promise<void>;
  /** Makes everything on this file system durable; may take seconds. */
  syncFileSystem(): void;
  [Symbol.dispose](): void;
}

/** A file that is open, with a position of its own. Every call throws SystemError. */
export interface OpenFile extends Disposable {
  stat(): Stat;
  /** @returns the number of bytes read, 0 at the end. Reads at the file's own position. */
  read(into: Uint8Array): number;
  /** The next read is from the start again. */
  rewind(): void;
  /** Writes all of it at the file's own position. */
  write(data: Uint8Array): void;
  /** Writes over the file from its start, in its place, and ends it there. */
  overwrite(data: Uint8Array): void;
  /** Leaves a hole of so many bytes where the next write would have been; setSize() ends a file that ends in one. */
  skip(bytes: number): void;
  setSize(bytes: number): void;
  setMode(mode: number): void;
  setModificationTime(seconds: number, nanoseconds: number): void;
  sync(): void;
  /** As sync(), while the caller's loop goes on: a disk may take seconds. The file must stay open until then. */
  syncLater(): Promise<void>;
  /**
   * An exclusive flock(2) that ends with the handle.
   *
   * @returns false when another one holds it, or shares it just now; lockSoon() waits for who only shares it.
   */
  tryLock(): boolean;
  /** A shared flock(2) that ends with the handle: until then nobody takes the exclusive one. @returns false when somebody holds that. */
  tryLockShared(): boolean;
  /** Whether another handle holds the lock; for one that does not hold it itself. Many may ask at once without seeing each other. */
  isLocked(): boolean;
  /** Makes this empty file share the blocks of `source`. @returns false where the file system cannot. */
  cloneFrom(source: OpenFile): boolean;
  [Symbol.dispose](): void;
}
