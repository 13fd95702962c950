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
export function terminalColumns(descriptor: number): number | undefined {
  // struct winsize: rows, columns, two more.
  const size = fixedBuffer(8);
  if (trySyscall('ioctl', descriptor, TIOCGWINSZ, addressOf(size)) < 0) return undefined;
  const columns = new DataView(size.buffer).getUint16(2, true);
  return columns === 0 ? undefined : columns;
}
