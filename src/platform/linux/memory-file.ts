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

/** Its first bytes. @throws {SystemError} EIO where it has fewer. */
export function readMemory(file: number, sizeBytes: number): Buffer {
  const bytes = fixedBuffer(sizeBytes);
  syscall('lseek', file, 0, 0);
  for (let done = 0; done < sizeBytes; ) {
    const rest = bytes.subarray(done);
    const got = syscall('read', file, addressOf(rest), rest.length);
    if (got === 0) throw new SystemError('read', 'EIO');
    done += got;
  }
  return Buffer.from(bytes.buffer);
}
