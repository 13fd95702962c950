import type { Bytes } from '../bytes.ts';
import { isErrno, SystemError } from '../errors.ts';
import type { Directory } from '../ports/files.ts';

const FILE_MODE = 0o600;

/**
 * Takes a name for a live session: the lock on `names/<name>` is held until it is disposed of, or the process ends. Of
 * many who want the same name at once exactly one gets it.
 *
 * @returns undefined when a live session has the name.
 */
export function lockName(names: Directory, name: string): Disposable | undefined {
  const file = name as Bytes;
  for (;;) {
    const opened = names.openForAppend(file, FILE_MODE);
    if (!opened.tryLock()) {
      opened[Symbol.dispose]();
      return undefined;
    }
    // Between opening and locking its last owner may have removed it: then the lock is one on a file without a name.
    if (names.stat(file)?.inode === opened.stat().inode) {
      return {
        [Symbol.dispose]() {
          leave(names, file);
          opened[Symbol.dispose]();
        },
      };
    }
    opened[Symbol.dispose]();
  }
}

/** What the system does not take away now is no lock any more, and the next one who sweeps takes it. */
function leave(names: Directory, file: Bytes): void {
  try {
    names.removeFile(file);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
  }
}

/** Removes the names that sessions left behind whose supervisor was killed. */
export function sweepNames(names: Directory): void {
  for (const name of names.names()) lockName(names, name)?.[Symbol.dispose]();
}

export function removeUnlessMissing(directory: Directory, name: Bytes): void {
  try {
    directory.removeFile(name);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}
