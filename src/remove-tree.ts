import type { Bytes } from './bytes.ts';
import { isErrno } from './errors.ts';
import type { Directory } from './ports/files.ts';

const WRITABLE_MODE = 0o700;

/**
 * Removes `name` in `parent` and everything below it. Links are removed and never followed, other
 * mounts are left alone, and a directory that its maker has locked is opened first.
 */
export function removeTree(parent: Directory, name: Bytes): void {
  const stat = parent.stat(name);
  if (stat === undefined) return;
  if (stat.kind !== 'directory') {
    parent.removeFile(name);
    return;
  }
  if ((stat.mode & WRITABLE_MODE) !== WRITABLE_MODE) parent.setMode(name, WRITABLE_MODE);
  {
    using directory = parent.openDirectory(name);
    for (const child of directory.names()) removeTree(directory, child);
  }
  try {
    parent.removeDirectory(name);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}
