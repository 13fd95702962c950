import { type Bytes, bufferFromBytes, bytesFromBuffer } from '../../bytes.ts';
import { SystemError } from '../../errors.ts';
import { addressOf, errnoName, fixedBuffer, syscall, trySyscall } from './syscalls.ts';

/** include/uapi/asm-generic/ioctls.h */
const TCGETS = 0x5401;
const TCSETS = 0x5402;
const TCSETSW = 0x5403;
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

const STDIN = 0;

/** Of the terminal of stdin. */
export function readSettings(): Bytes {
  const attributes = fixedBuffer(TERMIOS_BYTES);
  syscall('ioctl', STDIN, TCGETS, addressOf(attributes));
  return bytesFromBuffer(attributes);
}

/** After what is being written is written. A terminal that was hung up takes nothing any more, and needs nothing. */
export function writeSettings(settings: Bytes): void {
  set(TCSETSW, settings);
}

/** At once: nothing reads yet what this terminal shows. */
export function takeOnSettings(settings: Bytes): void {
  set(TCSETS, settings);
}

function set(request: number, settings: Bytes): void {
  const attributes = fixedBuffer(TERMIOS_BYTES);
  attributes.set(bufferFromBytes(settings).subarray(0, TERMIOS_BYTES));
  const result = trySyscall('ioctl', STDIN, request, addressOf(attributes));
  const errno = errnoName(-result);
  if (result < 0 && errno !== 'EIO' && errno !== 'EINTR') throw new SystemError('ioctl', errno);
}

/** The same without any meaning of any byte, as cfmakeraw(3) does it. */
export function rawSettings(settings: Bytes): Bytes {
  const raw = fixedBuffer(TERMIOS_BYTES);
  raw.set(bufferFromBytes(settings));
  const view = new DataView(raw.buffer);
  const clear = (at: number, flags: number, added = 0) => view.setUint32(at, (view.getUint32(at, true) & ~flags) | added, true);
  clear(IFLAG_AT, RAW_IFLAG_CLEARED);
  clear(OFLAG_AT, RAW_OFLAG_CLEARED);
  clear(LFLAG_AT, RAW_LFLAG_CLEARED);
  clear(CFLAG_AT, CSIZE | PARENB, CS8);
  raw[CHARACTERS_AT + VMIN] = 1;
  raw[CHARACTERS_AT + VTIME] = 0;
  return bytesFromBuffer(raw);
}
