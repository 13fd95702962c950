import { addressOf, fixedBuffer, trySyscall } from './syscalls.ts';
import * as uapi from './uapi.ts';

/** include/uapi/asm-generic/ioctls.h */
const TIOCSWINSZ = 0x5414;
const FIRST_DESCRIPTOR = 3;
const DESCRIPTORS_MAXIMUM = 256;
const NAME_BYTES = 64;

/**
 * A descriptor of its own for the other side of a process's terminal, by the number that both sides have (pts(4)).
 *
 * @param pid Of a process that has the terminal as its standard input.
 * @returns undefined without one that does not block.
 */
export function findMaster(pid: number): number | undefined {
  const number = numberOfTerminal(pid);
  if (number === undefined) return undefined;
  const found = fixedBuffer(4);
  const view = new DataView(found.buffer);
  for (let descriptor = FIRST_DESCRIPTOR; descriptor < DESCRIPTORS_MAXIMUM; descriptor++) {
    if (trySyscall('ioctl', descriptor, uapi.TIOCGPTN, addressOf(found)) < 0 || view.getUint32(0, true) !== number) continue;
    const doesNotBlock = (trySyscall('fcntl', descriptor, uapi.F_GETFL) & uapi.O_NONBLOCK) !== 0;
    const own = doesNotBlock ? trySyscall('fcntl', descriptor, uapi.F_DUPFD_CLOEXEC, FIRST_DESCRIPTOR) : -1;
    return own < 0 ? undefined : own;
  }
  return undefined;
}

function numberOfTerminal(pid: number): number | undefined {
  const name = fixedBuffer(NAME_BYTES);
  const path = Buffer.from(`/proc/${pid}/fd/0\0`);
  const length = trySyscall('readlinkat', uapi.AT_FDCWD, addressOf(path), addressOf(name), NAME_BYTES);
  const found =
    length < 0 ? undefined : /^\/dev\/pts\/(?<number>\d+)$/.exec(Buffer.from(name.subarray(0, length)).toString('latin1'));
  return found?.groups === undefined ? undefined : Number(found.groups['number']);
}

export function resizeTerminal(descriptor: number, columns: number, rows: number): void {
  // struct winsize: rows, columns, two more.
  const size = fixedBuffer(8);
  const view = new DataView(size.buffer);
  view.setUint16(0, rows, true);
  view.setUint16(2, columns, true);
  trySyscall('ioctl', descriptor, TIOCSWINSZ, addressOf(size));
}
