import { type Bytes, displayBytes } from '../bytes.ts';
import { isErrno, StateError } from '../errors.ts';
import { joinPath } from '../paths.ts';
import type { Directory, Stat } from '../ports/files.ts';

/** Where the sessions are, in the state directory. */
export const ROLLBACKS = 'rollbacks' as Bytes;
const DIRECTORY_MODE = 0o700;

/**
 * Opens `rollbacks/`, creating it when it is missing.
 *
 * @throws {StateError} when somebody else could change what is in it.
 */
export function openRollbacks(stateDirectory: Directory): Directory {
  const stat = stateDirectory.stat(ROLLBACKS) ?? makeRollbacks(stateDirectory);
  if (stat !== undefined) checkOwn(stat, stateDirectory.statSelf().uid, displayBytes(joinPath(stateDirectory.path, ROLLBACKS)));
  return stateDirectory.openDirectory(ROLLBACKS);
}

/** @returns what another first run made there at the same moment. */
function makeRollbacks(stateDirectory: Directory): Stat | undefined {
  try {
    stateDirectory.createDirectory(ROLLBACKS, DIRECTORY_MODE);
    return undefined;
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return stateDirectory.stat(ROLLBACKS);
    throw error;
  }
}

function checkOwn({ kind, mode, uid }: Stat, owner: number, shown: string): void {
  const refuse = (reason: string, hint: string) => new StateError(`Cannot use "${shown}": ${reason}`, { hint });
  if (kind === 'symlink') throw refuse('it is a symbolic link', `Remove the link: rm "${shown}"`);
  if (kind !== 'directory') throw refuse('it is not a directory', `Move it away: mv "${shown}" "${shown}.old"`);
  if (uid !== owner)
    throw refuse(`it belongs to the user with the number ${uid}`, `Take it over: sudo chown -R ${owner} "${shown}"`);
  if ((mode & 0o077) !== 0) throw refuse('others can use it', `Close it: chmod 700 "${shown}"`);
}
