import { type Bytes, displayBytes } from '../bytes.ts';
import { isErrno, StateError } from '../errors.ts';
import { baseName, parentPath } from '../paths.ts';
import type { Directory, Files, Stat } from '../ports/files.ts';
import { checkPrivate } from '../private-directory.ts';

const PRIVATE_MODE = 0o700;

export interface OpenStateOptions {
  /** Make it, and the directories above it, when it is missing. */
  readonly create: boolean;
}

/**
 * Opens `~/.nono`, or a directory of it, after making sure that only its owner can change what is in it:
 * whoever can write there decides what a restore writes into the user's files.
 *
 * @returns undefined when it does not exist and is not to be created.
 * @throws {StateError} with the command that repairs it.
 */
export function openStateDirectory(files: Files, path: Bytes, uid: number, options: OpenStateOptions): Directory | undefined {
  try {
    return open(files, path, uid, options);
  } catch (error) {
    if (!isErrno(error, 'EACCES', 'EPERM', 'EROFS', 'ENOENT', 'ENOTDIR', 'ELOOP', 'ENOSPC', 'EDQUOT', 'EIO')) throw error;
    throw new StateError(`Cannot use the state directory "${displayBytes(path)}"`, {
      cause: error,
      hint: 'Make it readable and writable, with free space, or set NONO_HOME to another place (inside another nono: one that is granted)',
    });
  }
}

function open(files: Files, path: Bytes, uid: number, { create }: OpenStateOptions): Directory | undefined {
  if (create && lookAt(files, path) === undefined) makeDirectories(files, path);
  const stat = lookAt(files, path);
  if (stat === undefined && create) throw replaced(path, 'removed as soon as it was made');
  if (stat === undefined) return undefined;
  checkPrivate(stat, path, uid);
  const directory = files.openDirectory(path);
  const opened = directory.statSelf();
  if (opened.device === stat.device && opened.inode === stat.inode) return directory;
  directory[Symbol.dispose]();
  throw replaced(path, 'replaced while it was opened');
}

function replaced(path: Bytes, what: string): StateError {
  return new StateError(`Cannot use "${displayBytes(path)}": it was ${what}`, { hint: 'Run the command again' });
}

/** lstat(2): a link must be seen as one. */
function lookAt(files: Files, path: Bytes): Stat | undefined {
  const parent = parentPath(path);
  if (files.stat(parent) === undefined) return undefined;
  using directory = files.openDirectory(parent);
  return directory.stat(baseName(path));
}

function makeDirectories(files: Files, path: Bytes): void {
  const parent = parentPath(path);
  if (files.stat(parent) === undefined) makeDirectories(files, parent);
  using directory = files.openDirectory(parent);
  try {
    directory.createDirectory(baseName(path), PRIVATE_MODE);
  } catch (error) {
    // Another first run made it at the same moment; what it is gets checked like any other.
    if (!isErrno(error, 'EEXIST')) throw error;
  }
}
