import type { Bytes } from '../bytes.ts';
import { isErrno } from '../errors.ts';
import { baseName, parentPath } from '../paths.ts';
import type { Directory, Files, Stat } from '../ports/files.ts';
import type { Entry } from './entry.ts';

/**
 * Opens a tracked directory, or the one that holds a tracked file, by a path that had no link in it at the baseline.
 *
 * @returns undefined when it is not there, or a link stands on the way by now: what may be written above a root that is tracked
 *   apart may be moved away from above it.
 */
export function openTracked(files: Files, path: Bytes): Directory | undefined {
  try {
    return files.openWithoutLinks(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined;
    throw error;
  }
}

/** The same to read what is in it: undefined also where that is closed to its owner, as the command may leave what it was given. */
export function openReadable(files: Files, path: Bytes): Directory | undefined {
  try {
    return openTracked(files, path);
  } catch (error) {
    if (isErrno(error, 'EACCES', 'EPERM')) return undefined;
    throw error;
  }
}

/** lstat(2) of a tracked root; undefined as openTracked(). */
export function statRoot(files: Files, path: Bytes): Stat | undefined {
  if (path === '/') return files.stat(path);
  using parent = openTracked(files, parentPath(path));
  return parent?.stat(baseName(path));
}

/**
 * Whether something is mounted over a tracked directory that lay on the file system of the directory above it in the previous snapshot of the session:
 * what it holds is none of the session's.
 */
export function isCovered(files: Files, path: Bytes, stat: Stat, previous: Entry | undefined): boolean {
  if (!stat.isMountPoint || previous === undefined) return false;
  if (previous.reason === 'mount') return previous.device === stat.device;
  if (previous.kind !== 'directory' || previous.inode === stat.inode) return false;
  return statRoot(files, parentPath(path))?.device === previous.device;
}

/** What a link says that stands where a tracked root was; undefined when there is none any more. */
export function readRootLink(files: Files, path: Bytes): Bytes | undefined {
  using parent = openTracked(files, parentPath(path));
  return parent === undefined ? undefined : readLink(parent, baseName(path));
}

/** undefined when it is no link any more. */
export function readLink(parent: Directory, name: Bytes): Bytes | undefined {
  try {
    return parent.readLink(name);
  } catch (error) {
    if (isErrno(error, 'EINVAL', 'ENOENT')) return undefined;
    throw error;
  }
}
