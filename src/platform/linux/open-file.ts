import { type Bytes, displayBytes } from '../../bytes.ts';
import { SystemError } from '../../errors.ts';
import type { OpenFile, Stat } from '../../ports/files.ts';
import { syncInBackground } from '../node/sync-later.ts';
import { EINTR } from './errno.ts';
import { fillTimes, type Scratch, statAt } from './file-calls.ts';

import { addressOf, errnoName, syscall, trySyscall } from './syscalls.ts';
import * as uapi from './uapi.ts';

/** include/uapi/linux/fs.h */
const SEEK_CUR = 1;
/** Tens of microseconds: more than somebody who only asks holds a shared lock, unless the scheduler puts him aside meanwhile. */
const TRIES_AT_ONCE = 50;

export class LinuxFile implements OpenFile {
  readonly #path: Bytes;
  readonly #scratch: Scratch;
  #fd: number;

  constructor(fd: number, path: Bytes, scratch: Scratch) {
    this.#fd = fd;
    this.#path = path;
    this.#scratch = scratch;
  }

  stat(): Stat {
    return this.#call(() => statAt(this.#scratch, this.#fd, '' as Bytes, uapi.AT_EMPTY_PATH)) as Stat;
  }

  read(into: Uint8Array): number {
    return this.#call(() => syscall('read', this.#fd, addressOf(into), into.length));
  }

  rewind(): void {
    this.#call(() => syscall('lseek', this.#fd, 0, 0));
  }

  write(data: Uint8Array): void {
    for (let done = 0; done < data.length; ) {
      const rest = data.subarray(done);
      done += this.#call(() => syscall('write', this.#fd, addressOf(rest), rest.length));
    }
  }

  overwrite(data: Uint8Array): void {
    this.rewind();
    this.write(data);
    this.setSize(data.length);
  }

  skip(bytes: number): void {
    this.#call(() => syscall('lseek', this.#fd, bytes, SEEK_CUR));
  }

  setSize(bytes: number): void {
    this.#call(() => syscall('ftruncate', this.#fd, bytes));
  }

  setMode(mode: number): void {
    this.#call(() => syscall('fchmod', this.#fd, mode));
  }

  setModificationTime(seconds: number, nanoseconds: number): void {
    const times = fillTimes(this.#scratch, seconds, nanoseconds);
    this.#call(() => syscall('utimensat', this.#fd, 0, times, 0));
  }

  sync(): void {
    this.#call(() => syscall('fsync', this.#fd));
  }

  syncLater(): Promise<void> {
    return syncInBackground(this.#fd, this.#path);
  }

  tryLock(): boolean {
    return this.#call(() => {
      for (let tries = 1; !lockNow(this.#fd, uapi.LOCK_EX); tries += 1) {
        // Where a shared lock can be had, whoever was in the way holds no more than one of those, and soon lets go.
        if (tries === TRIES_AT_ONCE || this.isLocked()) return false;
      }
      return true;
    });
  }

  tryLockShared(): boolean {
    return this.#call(() => lockNow(this.#fd, uapi.LOCK_SH));
  }

  isLocked(): boolean {
    // A shared one: of two who look, neither takes the other for the owner.
    if (!this.tryLockShared()) return true;
    this.#call(() => syscall('flock', this.#fd, uapi.LOCK_UN));
    return false;
  }

  cloneFrom(source: OpenFile): boolean {
    if (!(source instanceof LinuxFile)) return false;
    // Every refusal (other file system, no support, alignment) means the same: copy instead.
    return trySyscall('ioctl', this.#fd, uapi.FICLONE, source.#fd) >= 0;
  }

  #call<T>(run: () => T): T {
    return named(this.#path, run);
  }

  [Symbol.dispose](): void {
    if (this.#fd >= 0) syscall('close', this.#fd);
    this.#fd = -1;
  }
}

export function named<T>(path: Bytes, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    throw new SystemError(error.call, error.errno, displayBytes(path));
  }
}

/** @returns false when another handle holds a lock that is in its way. @throws {SystemError} */
function lockNow(fd: number, how: number): boolean {
  const result = flock(fd, how | uapi.LOCK_NB);
  if (result < 0 && !isTaken(result)) throw new SystemError('flock', errnoName(-result));
  return result >= 0;
}

/** Again while a signal interrupts it, which network file systems let happen also where nobody waits. */
function flock(fd: number, how: number): number {
  for (;;) {
    const result = trySyscall('flock', fd, how);
    if (result !== -EINTR) return result;
  }
}

/** Two names of one number. */
export function isTaken(result: number): boolean {
  return errnoName(-result) === 'EAGAIN' || errnoName(-result) === 'EWOULDBLOCK';
}
