import { SystemError } from '../../errors.ts';
import { addressOf, fixedBuffer, syscall } from './syscalls.ts';

/** include/uapi/linux/memfd.h */
const MFD_CLOEXEC = 1;

/**
 * A file that is nowhere but in memory.
 *
 * @param name For those who look at /proc.
 * @returns its descriptor, which the caller closes.
 */
export function makeMemory(name: string): number {
  const path = fixedBuffer(name.length + 1);
  path.set(Buffer.from(name, 'latin1'));
  return syscall('memfd_create', addressOf(path), MFD_CLOEXEC);
}

const PIECE_BYTES = 256 * 1024;

/** Its first bytes, in pieces that are good until the next is asked for. @throws {SystemError} EIO where it has fewer. */
export function* readMemory(file: number, sizeBytes: number): Generator<Buffer> {
  const bytes = Buffer.from(fixedBuffer(Math.min(PIECE_BYTES, sizeBytes)).buffer);
  const address = addressOf(bytes);
  syscall('lseek', file, 0, 0);
  for (let left = sizeBytes; left > 0; ) {
    const got = syscall('read', file, address, Math.min(left, bytes.length));
    if (got === 0) throw new SystemError('read', 'EIO');
    yield bytes.subarray(0, got);
    left -= got;
  }
}
