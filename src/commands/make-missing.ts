import { type Bytes, bufferFromBytes, displayBytes } from '../bytes.ts';
import { isErrno } from '../errors.ts';
import { baseName, parentPath } from '../paths.ts';
import type { Directory, Files } from '../ports/files.ts';
import { GrantError } from '../sandbox/grant-error.ts';
import type { Plan } from '../sandbox/plan.ts';

const DIRECTORY_MODE = 0o700;
const FILE_MODE = 0o600;

/**
 * Makes what a profile wants to be there. What somebody else made meanwhile is as good; the launcher follows no link,
 * whatever it finds.
 *
 * @throws {GrantError} for what cannot be made.
 */
export function makeMissing(files: Files, plan: Pick<Plan, 'missingDirectories' | 'missingFiles'>): void {
  for (const path of plan.missingDirectories)
    make(files, path, (parent) => parent.createDirectory(baseName(path), DIRECTORY_MODE));
  for (const { path, content } of plan.missingFiles) {
    make(files, path, (parent) => {
      using file = parent.createFile(baseName(path), FILE_MODE);
      file.write(bufferFromBytes(content));
    });
  }
}

function make(files: Files, path: Bytes, create: (parent: Directory) => void): void {
  try {
    using parent = files.openDirectory(parentPath(path));
    create(parent);
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return;
    if (!isErrno(error, 'EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT', 'ENOENT', 'ENOTDIR')) throw error;
    throw new GrantError(
      `Cannot make "${displayBytes(path)}", which the profile wants`,
      'Make it yourself, or use a profile without it',
    );
  }
}
