import { addressOf, fixedBuffer, trySyscall } from './syscalls.ts';

/** include/uapi/asm-generic/ioctls.h */
const TCGETS = 0x5401;
const TIOCGWINSZ = 0x5413;
/** struct termios of the kernel is 36 bytes. */
const TERMIOS_BYTES = 64;

/** What isatty(3) answers. */
export function isTerminal(descriptor: number): boolean {
  return trySyscall('ioctl', descriptor, TCGETS, addressOf(fixedBuffer(TERMIOS_BYTES))) >= 0;
}

/** undefined when it is no terminal, or one that does not know its size. */
export function terminalSize(descriptor: number): { readonly columns: number; readonly rows: number } | undefined {
  // struct winsize: rows, columns, two more.
  const size = fixedBuffer(8);
  if (trySyscall('ioctl', descriptor, TIOCGWINSZ, addressOf(size)) < 0) return undefined;
  const view = new DataView(size.buffer);
  const [rows, columns] = [view.getUint16(0, true), view.getUint16(2, true)];
  return columns === 0 || rows === 0 ? undefined : { columns, rows };
}
