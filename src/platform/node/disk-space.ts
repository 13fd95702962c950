import { statfsSync } from 'node:fs';
import { bufferFromBytes } from '../../bytes.ts';
import type { FreeBytes } from '../../ports/disk-space.ts';

export const freeBytes: FreeBytes = (path) => {
  const { bavail, bsize } = statfsSync(bufferFromBytes(path));
  const bytes = bavail * bsize;
  // Some file systems of the network and of memory say nothing.
  return Number.isFinite(bytes) && bsize > 0 ? bytes : undefined;
};
