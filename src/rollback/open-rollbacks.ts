import type { Bytes } from '../bytes.ts';
import { isErrno } from '../errors.ts';
import { joinPath } from '../paths.ts';
import type { Directory, Stat } from '../ports/files.ts';
import { checkPrivate } from '../private-directory.ts';

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
  if (stat !== undefined) checkPrivate(stat, joinPath(stateDirectory.path, ROLLBACKS), stateDirectory.statSelf().uid);
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
