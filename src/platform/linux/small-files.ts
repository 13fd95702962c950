import { type Bytes, bytesAt, putBytes } from '../../bytes.ts';
import { isErrno, SystemError } from '../../errors.ts';
import { addressOf, errnoName, fixedBuffer, syscall, trySyscall } from './syscalls.ts';
import * as uapi from './uapi.ts';

const PIECE_BYTES = 16 * 1024;
const ENOENT = 2;

/** Used within one call only. */
let made: { readonly piece: Uint8Array; readonly address: number } | undefined;

function scratch(): { readonly piece: Uint8Array; readonly address: number } {
  if (made === undefined) {
    const piece = fixedBuffer(PIECE_BYTES);
    made = { piece, address: addressOf(piece) };
  }
  return made;
}

/** A path as system calls want it. */
function cString(path: string): Uint8Array {
  const memory = fixedBuffer(path.length + 1);
  putBytes(memory, path as Bytes);
  return memory;
}

/**
 * All of a small file, such as those of /proc. By system calls, because the first import of node:fs takes a
 * quarter of the time in which nono starts.
 *
 * @throws {SystemError}
 */
export function readSmallFile(path: string): Bytes {
  const text = readIfThere(path);
  if (text === undefined) throw new SystemError('open', 'ENOENT', path);
  return text;
}

/** The same; undefined where there is no such file, which costs a start less than an error does. @throws {SystemError} */
export function readIfThere(path: string): Bytes | undefined {
  const name = cString(path);
  const opened = trySyscall('openat', uapi.AT_FDCWD, addressOf(name), uapi.O_RDONLY | uapi.O_CLOEXEC | uapi.O_NOCTTY);
  if (opened === -ENOENT) return undefined;
  if (opened < 0) throw new SystemError('open', errnoName(-opened), path);
  try {
    const { piece, address } = scratch();
    let text = '';
    for (;;) {
      const length = syscall('read', opened, address, PIECE_BYTES);
      if (length === 0) return text as Bytes;
      text += bytesAt(piece, 0, length);
    }
  } finally {
    trySyscall('close', opened);
  }
}

/** The same of a process in /proc; undefined for one that is gone, or hidden (hidepid). @throws {SystemError} */
export function readUnlessGone(path: string): Bytes | undefined {
  try {
    return readSmallFile(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH', 'EPERM')) return undefined;
    throw error;
  }
}

/** What a symbolic link says. @throws {SystemError} */
export function readSymbolicLink(path: string): Bytes {
  const name = cString(path);
  const { piece, address } = scratch();
  const length = trySyscall('readlinkat', uapi.AT_FDCWD, addressOf(name), address, PIECE_BYTES);
  if (length < 0) throw new SystemError('readlink', errnoName(-length), path);
  return bytesAt(piece, 0, length);
}

/** Writes to a descriptor once. @returns the errno's name when nothing could be written. */
export function tryWrite(descriptor: number, text: string): string | undefined {
  const data = Buffer.from(text, 'utf8');
  const written = trySyscall('write', descriptor, addressOf(data), data.length);
  return written < 0 ? errnoName(-written) : undefined;
}

/** One read of at most `sizeBytes`, as bytes; '' at the end or when it fails. */
export function readOnce(descriptor: number, sizeBytes: number): Bytes {
  const piece = fixedBuffer(sizeBytes);
  const length = trySyscall('read', descriptor, addressOf(piece), sizeBytes);
  return bytesAt(piece, 0, Math.max(0, length));
}
