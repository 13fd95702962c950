import { isErrno } from '../../../errors.ts';
import { statFields } from '../process-stat.ts';
import { readSmallFile } from '../small-files.ts';
import { addressOf, fixedBuffer, trySyscall } from '../syscalls.ts';
import { isTerminal } from '../terminal.ts';
import * as uapi from '../uapi.ts';

/** include/uapi/asm-generic/socket.h, linux/socket.h */
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
/** struct msghdr, cmsghdr and iovec of 64 bits: seven words; a length, a level, a type; address and length. */
const MESSAGE_WORDS = 7;
const CONTROL_HEADER_BYTES = 16;
const WORD_BYTES = 8;
/** struct statx of include/uapi/linux/stat.h: stx_mode, and stx_rdev, major and minor. */
const STATX_BYTES = 256;
/** Of a file of whatever kind: a file system in the network, or of somebody who does not answer, is not asked. */
const FLAGS = uapi.AT_EMPTY_PATH | uapi.AT_STATX_DONT_SYNC;
const [MODE_AT, DEVICE_AT] = [28, 128] as const;
const S_IFMT = 0o170000;
const S_IFCHR = 0o020000;
/** Of /proc/PID/stat, counted behind the command name (proc(5)). */
const DEVICE_FIELD = 4;

/** Sends descriptors with the bytes. @returns whether all of them were taken; nothing was sent otherwise. */
export function sendDescriptors(socket: number, data: Uint8Array, descriptors: readonly number[]): boolean {
  const bytes = Uint8Array.from(data);
  const controlBytes = CONTROL_HEADER_BYTES + descriptors.length * 4;
  const control = fixedBuffer(Math.ceil(controlBytes / WORD_BYTES) * WORD_BYTES);
  const view = new DataView(control.buffer);
  view.setBigUint64(0, BigInt(controlBytes), true);
  view.setInt32(WORD_BYTES, SOL_SOCKET, true);
  view.setInt32(WORD_BYTES + 4, SCM_RIGHTS, true);
  for (const [at, descriptor] of descriptors.entries()) view.setInt32(CONTROL_HEADER_BYTES + at * 4, descriptor, true);
  const vector = new BigUint64Array(new ArrayBuffer(2 * WORD_BYTES));
  const message = new BigUint64Array(new ArrayBuffer(MESSAGE_WORDS * WORD_BYTES));
  const asBytes = (words: BigUint64Array<ArrayBuffer>) => new Uint8Array(words.buffer);
  vector.set([BigInt(addressOf(bytes)), BigInt(bytes.length)]);
  message.set([0n, 0n, BigInt(addressOf(asBytes(vector))), 1n, BigInt(addressOf(control)), BigInt(control.length), 0n]);
  // A stream takes so little at once or not at all.
  return trySyscall('sendmsg', socket, addressOf(asBytes(message)), MSG_DONTWAIT | MSG_NOSIGNAL) === bytes.length;
}

/** A file description of its own, since a lock and whether to wait are properties of that. @returns undefined where that is refused. */
export function openAgain(descriptor: number, flags: number): number | undefined {
  const path = Buffer.from(`/proc/self/fd/${descriptor}\0`);
  const opened = trySyscall('openat', uapi.AT_FDCWD, addressOf(path), flags | uapi.O_CLOEXEC | uapi.O_NOCTTY);
  return opened < 0 ? undefined : opened;
}

export interface FarTerminal {
  /** To write to. Does not block. */
  readonly terminal: number;
  /** The file that tells how the process fares: /proc/PID/task/PID/stat. */
  readonly fares: number;
}

/**
 * A terminal that came from another process, which it has to be the controlling terminal of: nothing else tells whether it may be drawn on.
 *
 * @returns undefined for anything else, and where opening it anew is refused, as after su(1).
 */
export function openFarTerminal(descriptor: number, pid: number): FarTerminal | undefined {
  // All threads are looked at for the file of the process, only one for this.
  const path = `/proc/${pid}/task/${pid}/stat`;
  const device = deviceOf(descriptor);
  if (device === undefined || device !== controllingTerminal(path)) return undefined;
  const name = Buffer.from(`${path}\0`);
  const fares = trySyscall('openat', uapi.AT_FDCWD, addressOf(name), uapi.O_RDONLY | uapi.O_CLOEXEC);
  if (fares < 0) return undefined;
  const terminal = openAgain(descriptor, uapi.O_WRONLY | uapi.O_NONBLOCK);
  if (terminal !== undefined && deviceOf(terminal) === device && isTerminal(terminal)) return { terminal, fares };
  if (terminal !== undefined) trySyscall('close', terminal);
  trySyscall('close', fares);
  return undefined;
}

/** As proc(5) tells it; undefined for what is no character device. */
function deviceOf(descriptor: number): number | undefined {
  const found = fixedBuffer(STATX_BYTES);
  const path = Buffer.from('\0');
  const result = trySyscall('statx', descriptor, addressOf(path), FLAGS, uapi.STATX_BASIC_STATS, addressOf(found));
  const view = new DataView(found.buffer);
  if (result < 0 || (view.getUint16(MODE_AT, true) & S_IFMT) !== S_IFCHR) return undefined;
  const [major, minor] = [view.getUint32(DEVICE_AT, true), view.getUint32(DEVICE_AT + 4, true)];
  return (minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12);
}

function controllingTerminal(path: string): number | undefined {
  try {
    return Number(statFields(readSmallFile(path))[DEVICE_FIELD]);
  } catch (error) {
    // It is gone, or of another namespace; or no descriptor is left.
    if (isErrno(error, 'ENOENT', 'ESRCH', 'EACCES', 'EMFILE', 'ENFILE')) return undefined;
    throw error;
  }
}
