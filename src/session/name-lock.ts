import type { Bytes } from '../bytes.ts';
import { isErrno, SystemError } from '../errors.ts';
import { lockSoon } from '../lock-soon.ts';
import type { Directory } from '../ports/files.ts';

const FILE_MODE = 0o600;

/**
 * Takes a name for a live session: the lock on `names/<name>` is held until it is disposed of, or the process ends. Of
 * many who want the same name at once exactly one gets it.
 *
 * @returns undefined when a live session has the name.
 */
export async function lockName(names: Directory, name: string): Promise<Disposable | undefined> {
  const file = name as Bytes;
  for (;;) {
    const opened = names.openForAppend(file, FILE_MODE);
    if (!(await lockSoon(opened))) {
      opened[Symbol.dispose]();
      return undefined;
    }
    // Between opening and locking its last owner may have removed it: then the lock is one on a file without a name.
    if (names.stat(file)?.inode === opened.stat().inode) {
      let isHeld = true;
      return {
        [Symbol.dispose]() {
          // Once it is given up the name is another's to take, and to remove.
          if (isHeld) leave(names, file);
          isHeld = false;
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

/** Whoever has it sweeps; no session has such a name. */
const SWEEPING = '.sweeping';

/**
 * Removes the names that sessions left behind whose supervisor was killed. Of those who do this at once one does, and a name is only shared meanwhile:
 * whoever wants it waits for that (lockSoon()), and is not told that somebody has it.
 */
export async function sweepNames(names: Directory): Promise<void> {
  using sweeping = await lockName(names, SWEEPING);
  if (sweeping === undefined) return;
  for (const name of names.names()) if (name !== SWEEPING) sweepName(names, name);
}

function sweepName(names: Directory, name: Bytes): void {
  try {
    using file = names.openFile(name);
    // Nobody owns it while it is shared, and none but this process and an owner removes it: it is still this one when it goes.
    if (file.tryLockShared() && names.stat(name)?.inode === file.stat().inode) names.removeFile(name);
  } catch (error) {
    // It went, or is nothing that a session has put there.
    if (!isErrno(error, 'ENOENT', 'EISDIR', 'ELOOP', 'ENXIO')) throw error;
  }
}
