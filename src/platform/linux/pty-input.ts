import { addressOf, fixedBuffer, trySyscall } from './syscalls.ts';
import * as uapi from './uapi.ts';

/** include/uapi/asm-generic/ioctls.h */
const TIOCGPTN = 0x80045430;
const FIRST_DESCRIPTOR = 3;
const DESCRIPTORS_MAXIMUM = 256;
const NAME_BYTES = 64;

/**
 * Types on a terminal that the runtime made, without a turn of its loop in between: the runtime writes when the loop
 * comes round again. It keeps what the terminal does not take at once.
 */
export class PtyInput implements Disposable {
  readonly #pid: () => number;
  readonly #writeLater: (data: Uint8Array) => void;
  /** Undefined before it was looked for, -1 where it was not found. */
  #master: number | undefined;
  #isQueued = false;

  /** @param pid Of a process that has the terminal as its standard input. */
  constructor(pid: () => number, writeLater: (data: Uint8Array) => void) {
    this.#pid = pid;
    this.#writeLater = writeLater;
  }

  write(data: Uint8Array): void {
    this.#master ??= findMaster(this.#pid());
    const taken =
      this.#isQueued || this.#master < 0 ? 0 : Math.max(0, trySyscall('write', this.#master, addressOf(data), data.length));
    if (taken === data.length) return;
    this.#isQueued = true;
    this.#writeLater(data.subarray(taken));
  }

  /** The runtime keeps nothing any more. */
  drained(): void {
    this.#isQueued = false;
  }

  [Symbol.dispose](): void {
    if (this.#master !== undefined && this.#master >= 0) trySyscall('close', this.#master);
    this.#master = -1;
  }
}

/** A descriptor of its own for the other side of a process's terminal, by the number that both sides have (pts(4)); -1 without one that does not block. */
function findMaster(pid: number): number {
  const number = numberOfTerminal(pid);
  if (number === undefined) return -1;
  const found = fixedBuffer(4);
  const view = new DataView(found.buffer);
  for (let descriptor = FIRST_DESCRIPTOR; descriptor < DESCRIPTORS_MAXIMUM; descriptor++) {
    if (trySyscall('ioctl', descriptor, TIOCGPTN, addressOf(found)) < 0 || view.getUint32(0, true) !== number) continue;
    const doesNotBlock = (trySyscall('fcntl', descriptor, uapi.F_GETFL) & uapi.O_NONBLOCK) !== 0;
    return doesNotBlock ? trySyscall('fcntl', descriptor, uapi.F_DUPFD_CLOEXEC, FIRST_DESCRIPTOR) : -1;
  }
  return -1;
}

function numberOfTerminal(pid: number): number | undefined {
  const name = fixedBuffer(NAME_BYTES);
  const path = Buffer.from(`/proc/${pid}/fd/0\0`);
  const length = trySyscall('readlinkat', uapi.AT_FDCWD, addressOf(path), addressOf(name), NAME_BYTES);
  const found =
    length < 0 ? undefined : /^\/dev\/pts\/(?<number>\d+)$/.exec(Buffer.from(name.subarray(0, length)).toString('latin1'));
  return found?.groups === undefined ? undefined : Number(found.groups['number']);
}
