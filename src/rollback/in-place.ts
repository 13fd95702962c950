import type { Directory, Files } from '../ports/files.ts';

/** Whether the path of an open directory still leads to it: other threads and processes find it by that. */
export function isInItsPlace(files: Files, directory: Directory): boolean {
  const [there, own] = [files.stat(directory.path), directory.statSelf()];
  return there?.inode === own.inode && there.device === own.device;
}
