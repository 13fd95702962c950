import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { type Bytes, displayBytes } from '../../bytes.ts';
import { SystemError } from '../../errors.ts';
import type { OpenFile, Stat } from '../../ports/files.ts';

import { convert } from './stat.ts';
import { syncInBackground } from './sync-later.ts';

export class NodeFile implements OpenFile {
  readonly #path: Bytes;
  readonly #locks: Set<string>;
  #held: string | undefined;
  #fd: number;
  /** Node has no lseek: reading and writing keep their own positions. */
  #readPosition = 0;
  #writePosition = 0;
  readonly #isAppending: boolean;

  constructor(fd: number, path: Bytes, locks: Set<string>, isAppending = false) {
    this.#fd = fd;
    this.#path = path;
    this.#locks = locks;
    this.#isAppending = isAppending;
  }

  stat(): Stat {
    return named(this.#path, () => convert(fs.fstatSync(this.#fd, { bigint: true })));
  }

  read(into: Uint8Array): number {
    const length = named(this.#path, () => fs.readSync(this.#fd, into, 0, into.length, this.#readPosition));
    this.#readPosition += length;
    return length;
  }

  rewind(): void {
    this.#readPosition = 0;
  }

  write(data: Uint8Array): void {
    for (let done = 0; done < data.length; ) {
      const at = this.#isAppending ? null : this.#writePosition;
      const length = named(this.#path, () => fs.writeSync(this.#fd, data, done, data.length - done, at));
      done += length;
      this.#writePosition += length;
    }
  }

  overwrite(data: Uint8Array): void {
    this.#writePosition = 0;
    this.write(data);
    this.setSize(data.length);
  }

  skip(bytes: number): void {
    this.#writePosition += bytes;
  }

  setSize(bytes: number): void {
    named(this.#path, () => fs.ftruncateSync(this.#fd, bytes));
  }

  setMode(mode: number): void {
    named(this.#path, () => fs.fchmodSync(this.#fd, mode));
  }

  setModificationTime(seconds: number, nanoseconds: number): void {
    named(this.#path, () => touch(this.#fd, undefined, seconds, nanoseconds));
  }

  sync(): void {
    named(this.#path, () => fs.fsyncSync(this.#fd));
  }

  syncLater(): Promise<void> {
    return syncInBackground(this.#fd, this.#path);
  }

  tryLock(): boolean {
    if (this.#held !== undefined) return true;
    const { dev, ino } = fs.fstatSync(this.#fd, { bigint: true });
    const identity = `${dev}:${ino}`;
    if (this.#locks.has(identity) || [...this.#locks].some((held) => held.startsWith(`${identity} `))) return false;
    return this.#hold(identity);
  }

  tryLockShared(): boolean {
    if (this.isLocked()) return false;
    const { dev, ino } = fs.fstatSync(this.#fd, { bigint: true });
    return this.#hold(`${dev}:${ino} shared by ${this.#fd}`);
  }

  #hold(identity: string): boolean {
    this.#locks.add(identity);
    this.#held = identity;
    return true;
  }

  isLocked(): boolean {
    const { dev, ino } = fs.fstatSync(this.#fd, { bigint: true });
    return this.#held === undefined && this.#locks.has(`${dev}:${ino}`);
  }

  cloneFrom(): boolean {
    return false;
  }

  [Symbol.dispose](): void {
    if (this.#held !== undefined) this.#locks.delete(this.#held);
    if (this.#fd >= 0) fs.closeSync(this.#fd);
    this.#fd = -1;
  }
}

export function entryPath(fd: number, name: string): Buffer {
  return Buffer.from(`/proc/self/fd/${fd}/${name}`, 'latin1');
}

/**
 * Node takes times as a double, which has no room for nanoseconds: touch(1) sets the exact ones. The
 * descriptor is handed over as number 3, and bash keeps the bytes of a name that is not UTF-8.
 */
export function touch(fd: number, name: Bytes | undefined, seconds: number, nanoseconds: number): void {
  const time = `@${decimalSeconds(seconds, nanoseconds)}`;
  const path = Buffer.from(name === undefined ? '/proc/self/fd/3' : `/proc/self/fd/3/${name}`, 'latin1');
  const octal = Array.from(path, (byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
  const noFollow = name === undefined ? '' : '-h';
  const script = `exec touch -c -m ${noFollow} -d ${time} -- $'${octal}'`;
  const result = spawnSync('bash', ['-c', script], { stdio: ['ignore', 'ignore', 'pipe', fd] });
  if (result.status !== 0) throw new SystemError('utimensat', 'EIO', result.stderr.toString());
}

/** One number: the minus of a time before 1970 stands for its fraction too. */
function decimalSeconds(seconds: number, nanoseconds: number): string {
  const fraction = (value: number) => String(value).padStart(9, '0');
  if (seconds >= 0 || nanoseconds === 0) return `${seconds}.${fraction(nanoseconds)}`;
  return `-${-seconds - 1}.${fraction(NANOSECONDS - nanoseconds)}`;
}

const NANOSECONDS = 1_000_000_000;

const ERRNO_REGEXP = /^E[A-Z0-9]+$/;

export function named<T>(path: Bytes, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof SystemError) throw new SystemError(error.call, error.errno, displayBytes(path));
    if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') throw error;
    if (!ERRNO_REGEXP.test(error.code)) throw error;
    const call = 'syscall' in error && typeof error.syscall === 'string' ? error.syscall : 'call';
    throw new SystemError(call, error.code, displayBytes(path));
  }
}

export function unlessMissing<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof SystemError && (error.errno === 'ENOENT' || error.errno === 'ENOTDIR')) return undefined;
    throw error;
  }
}
