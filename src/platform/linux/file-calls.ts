import { type Bytes, bytesAt, displayBytes, putBytes } from '../../bytes.ts';
import { SystemError } from '../../errors.ts';
import type { Stat } from '../../ports/files.ts';
import { isInMemory } from '../node/memory-file-systems.ts';
import { ownMode } from '../node/own-mode.ts';
import { addressOf, errnoName, fixedBuffer, syscall, trySyscall } from './syscalls.ts';
import * as uapi from './uapi.ts';

/** PATH_MAX of include/uapi/linux/limits.h counts the NUL; longer paths are opened step by step. */
const PATH_BYTES_MAXIMUM = 4095;

/** Nothing on the way may be a link or another file system. */
export const BENEATH = uapi.RESOLVE_BENEATH | uapi.RESOLVE_NO_SYMLINKS | uapi.RESOLVE_NO_MAGICLINKS | uapi.RESOLVE_NO_XDEV;
export const READ_DIRECTORY = uapi.O_RDONLY | uapi.O_DIRECTORY | uapi.O_CLOEXEC | uapi.O_NOFOLLOW;
export const READ_FILE = uapi.O_RDONLY | uapi.O_CLOEXEC | uapi.O_NOFOLLOW | uapi.O_NONBLOCK | uapi.O_NOCTTY;

/** Offsets in struct statx, include/uapi/linux/stat.h. */
const STATX = {
  mask: 0,
  attributes: 8,
  links: 16,
  uid: 20,
  gid: 24,
  mode: 28,
  inode: 32,
  size: 40,
  blocks: 48,
  birth: 80,
  ctime: 96,
  mtime: 112,
  deviceMajor: 136,
  deviceMinor: 140,
} as const;
const STATX_BYTES = 256;
/** struct statfs of include/uapi/asm-generic/statfs.h, which begins with the type. */
const STATFS_BYTES = 120;
/** struct open_how, and two of struct timespec. */
const HOW_BYTES = 24;
const TIMES_BYTES = 32;

/**
 * A file on which another program holds a lease (fcntl(2)) answers EAGAIN until that program lets go of it, as the first try has asked it to: one that is
 * well-behaved does so within this time, and the kernel makes the others after 45 s (fs.lease-break-time), or never.
 */
const LEASE_TRIES = 100;
const A_MOMENT = new Uint8Array(BigInt64Array.of(0n, 1_000_000n).buffer);

/** What most directories need for their names. */
export const DIRENTS_BYTES = 64 * 1024;

/** Memory at a fixed address, as bytes and as fields. */
export interface Block {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly address: number;
}

export function createBlock(sizeBytes: number): Block {
  const memory = fixedBuffer(sizeBytes);
  return { bytes: memory, view: new DataView(memory.buffer), address: addressOf(memory) };
}

/** Memory that is used within one call and never kept: one set for each thread. Each piece is made when it is first wanted: a start wants few. */
export class Scratch {
  #statx: Block | undefined;
  #statfs: Block | undefined;
  #how: Block | undefined;
  #dirents: Block | undefined;
  #times: Block | undefined;
  #link: Block | undefined;
  #name: Block | undefined;
  #newName: Block | undefined;

  get statx(): Block {
    return (this.#statx ??= createBlock(STATX_BYTES));
  }

  get statfs(): Block {
    return (this.#statfs ??= createBlock(STATFS_BYTES));
  }

  get how(): Block {
    return (this.#how ??= createBlock(HOW_BYTES));
  }

  get dirents(): Block {
    return (this.#dirents ??= createBlock(DIRENTS_BYTES));
  }

  get times(): Block {
    return (this.#times ??= createBlock(TIMES_BYTES));
  }

  get link(): Block {
    return (this.#link ??= createBlock(PATH_BYTES_MAXIMUM + 1));
  }

  get name(): Block {
    return (this.#name ??= createBlock(PATH_BYTES_MAXIMUM + 1));
  }

  get newName(): Block {
    return (this.#newName ??= createBlock(PATH_BYTES_MAXIMUM + 1));
  }
}

/** Writes a NUL-ended name where system calls find it. @returns its address. */
export function place({ bytes, address }: Block, name: Bytes): number {
  if (name.length >= bytes.length) throw new SystemError('path', 'ENAMETOOLONG');
  bytes[putBytes(bytes, name)] = 0;
  return address;
}

export function descriptorPath(fd: number): Bytes {
  return `/proc/self/fd/${fd}` as Bytes;
}

export function openAt(scratch: Scratch, directory: number, name: Bytes, flags: number, mode = 0): number {
  return syscall('openat', directory, place(scratch.name, name), flags, mode);
}

/** From the root of the file system, and through no link. */
export function openWithoutLinks(scratch: Scratch, path: Bytes, flags: number): number {
  return openat2(scratch, uapi.AT_FDCWD, path, flags, uapi.RESOLVE_NO_SYMLINKS | uapi.RESOLVE_NO_MAGICLINKS);
}

export function openBeneath(scratch: Scratch, directory: number, path: Bytes, flags: number): number {
  if (path.length <= PATH_BYTES_MAXIMUM) return openat2(scratch, directory, path, flags);
  const cut = path.lastIndexOf('/', PATH_BYTES_MAXIMUM);
  const step = openat2(scratch, directory, path.slice(0, cut) as Bytes, uapi.O_PATH | uapi.O_DIRECTORY | uapi.O_CLOEXEC);
  try {
    return openBeneath(scratch, step, path.slice(cut + 1) as Bytes, flags);
  } finally {
    syscall('close', step);
  }
}

function openat2(scratch: Scratch, directory: number, name: Bytes, flags: number, resolve = BENEATH): number {
  const path = place(scratch.name, name);
  const { view, address } = scratch.how;
  view.setUint32(0, flags, true);
  view.setUint32(16, resolve, true);
  for (let tries = 1; ; ) {
    const result = trySyscall('openat2', directory, path, address, HOW_BYTES);
    if (result >= 0) return result;
    const errno = errnoName(-result);
    if (errno === 'EINTR') continue;
    if (errno !== 'EAGAIN' || tries === LEASE_TRIES) throw new SystemError('openat2', errno);
    trySyscall('nanosleep', addressOf(A_MOMENT), 0);
    tries += 1;
  }
}

/**
 * A file that has more names is looked at again, with AT_STATX_FORCE_SYNC: file systems of FUSE that know no hard links have the kernel hold a state for
 * each name, and what is written by one is not seen by the other for a second or as long as they say (fuse_update_get_attr() of fs/fuse/dir.c).
 */
export function statAt(scratch: Scratch, directory: number, name: Bytes, flags: number): Stat | undefined {
  const stat = statOnce(scratch, directory, name, flags);
  return stat?.kind === 'file' && stat.links > 1 ? statOnce(scratch, directory, name, flags | uapi.AT_STATX_FORCE_SYNC) : stat;
}

function statOnce(scratch: Scratch, directory: number, name: Bytes, flags: number): Stat | undefined {
  const { view, address } = scratch.statx;
  const wanted = uapi.STATX_BASIC_STATS | uapi.STATX_BTIME;
  const result = trySyscall('statx', directory, place(scratch.name, name), flags, wanted, address);
  if (result < 0) {
    const errno = errnoName(-result);
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return undefined;
    throw new SystemError('statx', errno);
  }
  const mode = view.getUint16(STATX.mode, true);
  const kind = uapi.fileKind(mode);
  const uid = view.getUint32(STATX.uid, true);
  return {
    kind,
    mode: kind === 'file' ? ownMode(mode & 0o7777, uid, view.getUint32(STATX.gid, true)) : mode & 0o7777,
    sizeBytes: readNumber(view, STATX.size),
    blocks: readNumber(view, STATX.blocks),
    links: view.getUint32(STATX.links, true),
    uid,
    device: view.getUint32(STATX.deviceMajor, true) * 2 ** 20 + view.getUint32(STATX.deviceMinor, true),
    inode: view.getBigUint64(STATX.inode, true),
    mtimeSeconds: readSignedNumber(view, STATX.mtime),
    mtimeNanoseconds: view.getUint32(STATX.mtime + 8, true),
    ctimeSeconds: readSignedNumber(view, STATX.ctime),
    ctimeNanoseconds: view.getUint32(STATX.ctime + 8, true),
    bornMs: (view.getUint32(STATX.mask, true) & uapi.STATX_BTIME) === 0 ? undefined : readMs(view, STATX.birth),
    isMountPoint: (view.getUint32(STATX.attributes, true) & uapi.STATX_ATTR_MOUNT_ROOT) !== 0,
  };
}

/** An unsigned 64-bit value below 2^53: sizes and block counts. */
function readNumber(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;
}

function readSignedNumber(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getInt32(at + 4, true) * 2 ** 32;
}

function readMs(view: DataView, at: number): number {
  return readSignedNumber(view, at) * 1000 + view.getUint32(at + 8, true) / 1_000_000;
}

export function datesEachWrite({ statfs: { view, address } }: Scratch, fd: number): boolean {
  syscall('fstatfs', fd, address);
  return !isInMemory(view.getUint32(0, true));
}

/** Two timespecs: the access time is left as it is. @returns their address. */
export function fillTimes({ times }: Scratch, seconds: number, nanoseconds: number): number {
  times.view.setBigInt64(8, BigInt(uapi.UTIME_OMIT), true);
  times.view.setBigInt64(16, BigInt(seconds), true);
  times.view.setBigInt64(24, BigInt(nanoseconds), true);
  return times.address;
}

export function realPath(path: Bytes, scratch: Scratch): Bytes | undefined {
  const fd = trySyscall('openat', uapi.AT_FDCWD, place(scratch.name, path), uapi.O_PATH | uapi.O_CLOEXEC);
  if (fd < 0) {
    const errno = errnoName(-fd);
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return undefined;
    throw new SystemError('open', errno, displayBytes(path));
  }
  try {
    const { bytes, address } = scratch.link;
    const length = syscall('readlinkat', uapi.AT_FDCWD, place(scratch.name, descriptorPath(fd)), address, bytes.length);
    return bytesAt(bytes, 0, length);
  } finally {
    syscall('close', fd);
  }
}
