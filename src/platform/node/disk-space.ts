import { statfsSync } from 'node:fs';
import { type Bytes, bufferFromBytes, displayBytes } from '../../bytes.ts';
import { SystemError } from '../../errors.ts';
import type { FreeBytes } from '../../ports/disk-space.ts';

export const freeBytes: FreeBytes = (path) => {
  const { bavail, bsize } = statfs(path);
  const bytes = bavail * bsize;
  // Some file systems of the network and of memory say nothing.
  return Number.isFinite(bytes) && bsize > 0 ? bytes : undefined;
};

function statfs(path: Bytes): { readonly bavail: number; readonly bsize: number } {
  try {
    return statfsSync(bufferFromBytes(path));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && typeof error.code === 'string')) throw error;
    throw new SystemError('statfs', error.code, displayBytes(path));
  }
}
