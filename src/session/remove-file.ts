import type { Bytes } from '../bytes.ts';
import { isErrno } from '../errors.ts';
import type { Directory } from '../ports/files.ts';

export function removeUnlessMissing(directory: Directory, name: Bytes): void {
  try {
    directory.removeFile(name);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}
