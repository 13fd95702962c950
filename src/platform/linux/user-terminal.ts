import { SystemError } from '../../errors.ts';
import type { TerminalSize } from '../../ports/pty.ts';
import type { TerminalHandlers, UserTerminal } from '../../ports/user-terminal.ts';
import { followDescriptor, writeAll } from './channel.ts';
import { addressOf, fixedBuffer, trySyscall } from './syscalls.ts';
import { rawSettings, readSettings, writeSettings } from './terminal-settings.ts';
import * as uapi from './uapi.ts';

const STDIN = 0;
const STDOUT = 1;
/** include/uapi/asm-generic/ioctls.h */
const TIOCGWINSZ = 0x5413;
const FALLBACK_SIZE: TerminalSize = { columns: 80, rows: 24 };

export function openLinuxUserTerminal(): UserTerminal {
  const before = readSettings();
  const input = openAgain();
  const following = new DisposableStack();
  return {
    size,
    settings: () => before,
    enterRaw: () => writeSettings(rawSettings(before)),
    leaveRaw: () => writeSettings(before),
    write: (data) => writeAll(STDOUT, data),
    follow(handlers: TerminalHandlers) {
      following.use(followDescriptor(input, (data) => (data.length === 0 ? handlers.onEnd() : handlers.onInput(data))));
      process.on('SIGWINCH', handlers.onResize);
      following.defer(() => process.off('SIGWINCH', handlers.onResize));
    },
    [Symbol.dispose]() {
      writeSettings(before);
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
