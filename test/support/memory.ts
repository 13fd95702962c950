import { accessSync, constants, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';

/** Where Linux keeps files in memory. Containers often leave 64 MB there, which is too little. */
const IN_MEMORY = '/dev/shm';
const TMPFS_MAGIC = 0x01021994;
const ENOUGH_BYTES = 512 * 1024 * 1024;

/** A directory for temporary files that no disk has to keep, where there is one: a thousand small trees cost a third there. */
export function memoryDirectory(): string {
  try {
    const { type, bavail, bsize } = statfsSync(IN_MEMORY);
    accessSync(IN_MEMORY, constants.W_OK);
    return type === TMPFS_MAGIC && bavail * bsize >= ENOUGH_BYTES ? IN_MEMORY : tmpdir();
  } catch (error) {
    if (error instanceof Error && 'code' in error && ['ENOENT', 'EACCES', 'EROFS'].includes(String(error.code))) return tmpdir();
    throw error;
  }
}
