import type { Bytes } from '../bytes.ts';
import { displayBytes } from '../bytes.ts';
import { isErrno } from '../errors.ts';
import { baseName, parentPath } from '../paths.ts';
import type { Files } from '../ports/files.ts';
import { GrantError } from '../sandbox/grant-error.ts';

const PRIVATE_MODE = 0o700;

/**
 * Makes the directories that a profile wants to be there. One that somebody else made meanwhile is as good; the launcher
 * follows no link, whatever it finds.
 *
 * @param paths Absolute, links resolved, each after its parents.
 * @throws {GrantError} for one that cannot be made.
 */
export function makeDirectories(files: Files, paths: readonly Bytes[]): void {
  for (const path of paths) {
    try {
      using parent = files.openDirectory(parentPath(path));
      parent.createDirectory(baseName(path), PRIVATE_MODE);
    } catch (error) {
      if (isErrno(error, 'EEXIST')) continue;
      if (!isErrno(error, 'EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT', 'ENOENT', 'ENOTDIR')) throw error;
      throw new GrantError(
        `Cannot make "${displayBytes(path)}", which the profile wants`,
        'Make it yourself, or use a profile without it',
      );
    }
  }
}
