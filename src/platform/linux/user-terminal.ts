import { SystemError } from '../../errors.ts';
import type { TerminalSize } from '../../ports/pty.ts';
import type { TerminalHandlers, UserTerminal } from '../../ports/user-terminal.ts';
import { followDescriptor, writeAll } from './channel.ts';
import { addressOf, errnoName, fixedBuffer, syscall, trySyscall } from './syscalls.ts';
import * as uapi from './uapi.ts';

const STDIN = 0;
const STDOUT = 1;
/** include/uapi/asm-generic/ioctls.h */
const TCGETS = 0x5401;
const TCSETSW = 0x5403;
const TIOCGWINSZ = 0x5413;
/** struct termios of the kernel: four flag words, a line discipline, 19 control characters (asm-generic/termbits.h). */
const TERMIOS_BYTES = 36;
const [IFLAG_AT, OFLAG_AT, CFLAG_AT, LFLAG_AT, CHARACTERS_AT] = [0, 4, 8, 12, 17] as const;
const [VTIME, VMIN] = [5, 6] as const;
/** What cfmakeraw(3) clears and sets; numbers of asm-generic/termbits*.h. */
const RAW_IFLAG_CLEARED = 0o1 | 0o2 | 0o10 | 0o40 | 0o100 | 0o200 | 0o400 | 0o2000;
const RAW_OFLAG_CLEARED = 0o1;
const RAW_LFLAG_CLEARED = 0o1 | 0o2 | 0o10 | 0o100 | 0o100000;
const CSIZE = 0o60;
const PARENB = 0o400;
const CS8 = 0o60;

const FALLBACK_SIZE: TerminalSize = { columns: 80, rows: 24 };

export function openLinuxUserTerminal(): UserTerminal {
  const before = getAttributes();
  const input = openAgain();
  const following = new DisposableStack();
  return {
    size,
    enterRaw: () => setAttributes(rawAttributes(before)),
    leaveRaw: () => setAttributes(before),
    write: (data) => writeAll(STDOUT, data),
    follow(handlers: TerminalHandlers) {
      following.use(followDescriptor(input, (data) => (data.length === 0 ? handlers.onEnd() : handlers.onInput(data))));
      process.on('SIGWINCH', handlers.onResize);
      following.defer(() => process.off('SIGWINCH', handlers.onResize));
    },
    [Symbol.dispose]() {
      setAttributes(before);
      following.dispose();
      trySyscall('close', input);
    },
  };
}

/** A file description of its own: not to block is a property of that, and the shell shares the one of stdin. */
function openAgain(): number {
  const flags = uapi.O_RDWR | uapi.O_NOCTTY | uapi.O_CLOEXEC | uapi.O_NONBLOCK;
  for (const path of [`/proc/self/fd/${STDIN}`, '/dev/tty']) {
    const name = Buffer.from(`${path}\0`);
    const opened = trySyscall('openat', uapi.AT_FDCWD, addressOf(name), flags);
    if (opened >= 0) return opened;
  }
  throw new SystemError('open', 'ENXIO', '/dev/tty');
}

function size(): TerminalSize {
  // struct winsize: rows, columns, two more.
  const data = fixedBuffer(8);
  if (trySyscall('ioctl', STDOUT, TIOCGWINSZ, addressOf(data)) < 0) return FALLBACK_SIZE;
  const view = new DataView(data.buffer);
  const [rows, columns] = [view.getUint16(0, true), view.getUint16(2, true)];
  return { columns: columns === 0 ? FALLBACK_SIZE.columns : columns, rows: rows === 0 ? FALLBACK_SIZE.rows : rows };
}

function getAttributes(): Uint8Array {
  const attributes = fixedBuffer(TERMIOS_BYTES);
  syscall('ioctl', STDIN, TCGETS, addressOf(attributes));
  return attributes;
}

/** A terminal that was hung up takes nothing any more, and needs nothing. */
function setAttributes(attributes: Uint8Array): void {
  const result = trySyscall('ioctl', STDIN, TCSETSW, addressOf(attributes));
  const errno = errnoName(-result);
  if (result < 0 && errno !== 'EIO' && errno !== 'EINTR') throw new SystemError('ioctl', errno);
}

function rawAttributes(attributes: Uint8Array): Uint8Array {
  const raw = fixedBuffer(TERMIOS_BYTES);
  raw.set(attributes);
  const view = new DataView(raw.buffer);
  const clear = (at: number, flags: number, set = 0) => view.setUint32(at, (view.getUint32(at, true) & ~flags) | set, true);
  clear(IFLAG_AT, RAW_IFLAG_CLEARED);
  clear(OFLAG_AT, RAW_OFLAG_CLEARED);
  clear(LFLAG_AT, RAW_LFLAG_CLEARED);
  clear(CFLAG_AT, CSIZE | PARENB, CS8);
  raw[CHARACTERS_AT + VMIN] = 1;
  raw[CHARACTERS_AT + VTIME] = 0;
  return raw;
}
