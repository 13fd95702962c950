import { type Bytes, bytesAt, displayBytes, putBytes } from '../../bytes.ts';
import { collect } from '../../collect.ts';
import { SystemError } from '../../errors.ts';
import type { FoundEntry, FoundPath, OpenStream, PathFacts } from '../../ports/path-facts.ts';
import { loadLookUps, type Resolution } from './look-ups.ts';
import { kernelMounts, sharedMounts } from './shared-mounts.ts';
import { readIfThere } from './small-files.ts';
import { addressOf, errnoName, fixedBuffer, trySyscall } from './syscalls.ts';
import * as uapi from './uapi.ts';

/** PATH_MAX of include/uapi/linux/limits.h, the NUL included. */
const PATH_BYTES = 4096;
const ENTRIES_BYTES = 64 * 1024;
/** include/uapi/linux/stat.h: STATX_TYPE | STATX_MODE, and where stx_mode is. */
const STATX_TYPE_AND_MODE = 3;
const MODE_AT = 28;
const PERMISSIONS = 0o7777;
/** linux_dirent64: d_reclen at 16, d_name at 19. */
const LENGTH_AT = 16;
const NAME_AT = 19;
/** include/uapi/asm-generic/fcntl.h, O_ACCMODE */
const ACCESS_MODE = 3;
const STREAMS: readonly number[] = [0, 1, 2];

/** Memory that is used within one call and never kept. */
interface Scratch {
  readonly name: Uint8Array;
  readonly nameAddress: number;
  readonly result: Uint8Array;
  readonly resultAddress: number;
}

/** Facts by the fewest system calls: a plan asks for hundreds of them while the user waits. */
export function createLinuxPathFacts(): PathFacts {
  const name = fixedBuffer(PATH_BYTES);
  const result = fixedBuffer(ENTRIES_BYTES);
  const scratch: Scratch = { name, nameAddress: addressOf(name), result, resultAddress: addressOf(result) };
  const prepared = new Map<Bytes, Resolution>();
  let mountinfo: string | undefined;
  return {
    prepare(paths) {
      const wanted = [...new Set(paths)].filter((path) => path.length < PATH_BYTES);
      loadLookUps()
        ?.resolve(wanted)
        ?.forEach((found, at) => prepared.set(wanted[at] as Bytes, found));
    },
    resolve(path) {
      if (!prepared.has(path)) return resolve(scratch, path);
      const found = prepared.get(path);
      prepared.delete(path);
      if (found instanceof SystemError) throw found;
      return found;
    },
    readLink: (path) => readLink(scratch, path),
    entries: (path) => loadLookUps()?.list(path) ?? entries(scratch, path),
    names: (path) => withOpen(scratch, path, uapi.O_RDONLY | uapi.O_DIRECTORY, (directory) => names(scratch, directory)),
    readStart: (path, sizeBytes) => readStart(scratch, path, sizeBytes),
    streams: () => collect(STREAMS, (descriptor) => openStream(scratch, descriptor)),
    mounts: () => sharedMounts((mountinfo = readMounts())),
    kernelMounts: () => kernelMounts(mountinfo ?? readMounts()),
  };
}

function readMounts(): string {
  return readIfThere('/proc/self/mountinfo') ?? '';
}

function resolve(scratch: Scratch, path: Bytes): FoundPath | undefined {
  const opened = trySyscall('openat', uapi.AT_FDCWD, place(scratch, path), uapi.O_PATH | uapi.O_CLOEXEC);
  if (opened < 0) {
    const errno = errnoName(-opened);
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return undefined;
    throw new SystemError('open', errno, displayBytes(path));
  }
  try {
    const mode = modeAt(scratch, opened, '' as Bytes, uapi.AT_EMPTY_PATH);
    const resolved = readDescriptorLink(scratch, opened);
    if (mode === undefined || resolved === undefined) return undefined;
    return { path: resolved, kind: uapi.fileKind(mode), mode: mode & PERMISSIONS };
  } finally {
    trySyscall('close', opened);
  }
}

/** @returns undefined for what is not there (any more). */
function modeAt(scratch: Scratch, directory: number, name: Bytes, flags: number): number | undefined {
  const { result, resultAddress } = scratch;
  const done = trySyscall(
    'statx',
    directory,
    place(scratch, name),
    flags | uapi.AT_NO_AUTOMOUNT,
    STATX_TYPE_AND_MODE,
    resultAddress,
  );
  return done < 0 ? undefined : halfWord(result, MODE_AT);
}

function readDescriptorLink(scratch: Scratch, descriptor: number): Bytes | undefined {
  const { result, resultAddress } = scratch;
  const link = `/proc/self/fd/${descriptor}` as Bytes;
  const length = trySyscall('readlinkat', uapi.AT_FDCWD, place(scratch, link), resultAddress, PATH_BYTES);
  return length < 0 ? undefined : bytesAt(result, 0, length);
}

function readLink(scratch: Scratch, path: Bytes): Bytes | undefined {
  const { result, resultAddress } = scratch;
  const length = trySyscall('readlinkat', uapi.AT_FDCWD, place(scratch, path), resultAddress, PATH_BYTES);
  if (length >= 0) return bytesAt(result, 0, length);
  const errno = errnoName(-length);
  if (errno === 'EINVAL' || errno === 'ENOENT' || errno === 'ENOTDIR') return undefined;
  throw new SystemError('readlink', errno, displayBytes(path));
}

function entries(scratch: Scratch, path: Bytes): readonly FoundEntry[] {
  return withOpen(scratch, path, uapi.O_RDONLY | uapi.O_DIRECTORY, (directory) =>
    names(scratch, directory).flatMap((name) => {
      const mode = modeAt(scratch, directory, name, uapi.AT_SYMLINK_NOFOLLOW);
      return mode === undefined ? [] : [{ name, kind: uapi.fileKind(mode), mode: mode & PERMISSIONS }];
    }),
  );
}

function names({ result, resultAddress }: Scratch, directory: number): Bytes[] {
  const found: Bytes[] = [];
  for (;;) {
    const filled = trySyscall('getdents64', directory, resultAddress, ENTRIES_BYTES);
    if (filled <= 0) return found;
    for (let at = 0; at < filled; at += halfWord(result, at + LENGTH_AT)) {
      const start = at + NAME_AT;
      const name = bytesAt(result, start, result.indexOf(0, start));
      if (name !== '.' && name !== '..') found.push(name);
    }
  }
}

function readStart(scratch: Scratch, path: Bytes, sizeBytes: number): Bytes {
  const flags = uapi.O_RDONLY | uapi.O_NONBLOCK | uapi.O_NOCTTY;
  return withOpen(scratch, path, flags, (file) => {
    const length = trySyscall('read', file, scratch.resultAddress, Math.min(sizeBytes, ENTRIES_BYTES));
    return bytesAt(scratch.result, 0, Math.max(0, length));
  });
}

function openStream(scratch: Scratch, descriptor: number): readonly OpenStream[] {
  const flags = trySyscall('fcntl', descriptor, uapi.F_GETFL);
  const path = flags < 0 ? undefined : readDescriptorLink(scratch, descriptor);
  if (path === undefined || !path.startsWith('/')) return [];
  const mode = flags & ACCESS_MODE;
  return [{ path, canRead: mode !== 1, canWrite: mode !== 0 }];
}

function withOpen<T>(scratch: Scratch, path: Bytes, flags: number, use: (descriptor: number) => T): T {
  const opened = trySyscall('openat', uapi.AT_FDCWD, place(scratch, path), flags | uapi.O_CLOEXEC);
  if (opened < 0) throw new SystemError('open', errnoName(-opened), displayBytes(path));
  try {
    return use(opened);
  } finally {
    trySyscall('close', opened);
  }
}

function halfWord(memory: Uint8Array, at: number): number {
  return (memory[at] ?? 0) | ((memory[at + 1] ?? 0) << 8);
}

/** Writes a NUL-ended path where system calls find it. @returns its address. */
function place({ name, nameAddress }: Scratch, path: Bytes): number {
  if (path.length >= PATH_BYTES) throw new SystemError('open', 'ENAMETOOLONG', displayBytes(path));
  name[putBytes(name, path)] = 0;
  return nameAddress;
}
