import type { Subprocess } from 'bun';
import { bufferFromBytes, bytesFromBuffer } from '../../src/bytes.ts';
import { addressOf, fixedBuffer, syscall, trySyscall } from '../../src/platform/linux/syscalls.ts';
import { rawSettings } from '../../src/platform/linux/terminal-settings.ts';
import * as uapi from '../../src/platform/linux/uapi.ts';
import { FarEnd } from './joined.ts';

/** include/uapi/asm-generic/ioctls.h */
const TIOCSPTLCK = 0x40045431;
const TIOCGPTPEER = 0x5441;
const TCGETS = 0x5401;
const TCSETS = 0x5402;
const TERMIOS_BYTES = 36;

/** A pseudo-terminal on which no byte means anything. Neither end blocks; both are closed with it. */
export interface PtyPair extends Disposable {
  readonly master: number;
  readonly slave: number;
  /** The same ends, to read and to write. */
  readonly ofMaster: FarEnd;
  readonly ofSlave: FarEnd;
}

export function openPtyPair(): PtyPair {
  const flags = uapi.O_RDWR | uapi.O_NOCTTY | uapi.O_CLOEXEC | uapi.O_NONBLOCK;
  const path = Buffer.from('/dev/ptmx\0');
  const master = syscall('openat', uapi.AT_FDCWD, addressOf(path), flags);
  syscall('ioctl', master, TIOCSPTLCK, addressOf(fixedBuffer(4)));
  const slave = syscall('ioctl', master, TIOCGPTPEER, flags);
  const settings = fixedBuffer(TERMIOS_BYTES);
  syscall('ioctl', slave, TCGETS, addressOf(settings));
  const raw = Uint8Array.from(bufferFromBytes(rawSettings(bytesFromBuffer(settings))));
  syscall('ioctl', slave, TCSETS, addressOf(raw));
  return {
    master,
    slave,
    ofMaster: new FarEnd(master),
    ofSlave: new FarEnd(slave),
    [Symbol.dispose]() {
      for (const descriptor of [slave, master]) trySyscall('close', descriptor);
    },
  };
}

/** Somebody who sits in the foreground of a terminal. */
export function sitOn(slave: number): Subprocess {
  return Bun.spawn(['setsid', '--ctty', 'sleep', '1000'], { stdio: [slave, 'ignore', 'ignore'] });
}
