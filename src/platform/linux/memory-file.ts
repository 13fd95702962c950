import { SystemError } from '../../errors.ts';
import { addressOf, fixedBuffer, syscall, trySyscall } from './syscalls.ts';

/** include/uapi/linux/memfd.h, fcntl.h, asm-generic/mman-common.h and mman.h */
const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;
const F_ADD_SEALS = 1033;
const F_GET_SEALS = 1034;
const F_SEAL_SEAL = 1;
const F_SEAL_SHRINK = 2;
const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;
const SEEK_END = 2;

/**
 * A file that is nowhere but in memory.
 *
 * @param name For those who look at /proc.
 * @returns its descriptor, which the caller closes.
 */
export function makeMemory(name: string): number {
  return createMemory(name, MFD_CLOEXEC);
}

/** The same, to be mapped by several: nobody makes it smaller, which would end whoever looks at it. @throws {SystemError} */
export function makeSharedMemory(name: string, sizeBytes: number): number {
  const file = createMemory(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  try {
    syscall('ftruncate', file, sizeBytes);
    syscall('fcntl', file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_SEAL);
    return file;
  } catch (error) {
    trySyscall('close', file);
    throw error;
  }
}

/** @returns the address of its first bytes, to be unmapped; undefined for what may become smaller, or is, and where no memory is left. */
export function mapSharedMemory(file: number, sizeBytes: number): number | undefined {
  const seals = trySyscall('fcntl', file, F_GET_SEALS);
  if (seals < 0 || (seals & F_SEAL_SHRINK) === 0 || trySyscall('lseek', file, 0, SEEK_END) < sizeBytes) return undefined;
  const address = trySyscall('mmap', 0, sizeBytes, PROT_READ_WRITE, MAP_SHARED, file);
  return address < 0 ? undefined : address;
}

function createMemory(name: string, flags: number): number {
  const path = fixedBuffer(name.length + 1);
  path.set(Buffer.from(name, 'latin1'));
  return syscall('memfd_create', addressOf(path), flags);
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
