import { type Bytes, bufferFromBytes, displayBytes } from '../bytes.ts';
import { SystemError } from '../errors.ts';
import { baseName, isWithin, parentPath } from '../paths.ts';
import type { Directory, Files } from '../ports/files.ts';
import type { Plan } from '../sandbox/plan.ts';
import type { Context } from './context.ts';

const DIRECTORY_MODE = 0o700;
const FILE_MODE = 0o600;

/**
 * Makes what a profile wants to be there. What somebody else made meanwhile is as good; no link is followed, here and by the launcher: the
 * plan's paths have none, so that one was put there since. What cannot be made is told and does not keep the command from being run: the home may be read-only.
 */
export function makeMissing(
  { files, notify }: Pick<Context, 'files' | 'notify'>,
  plan: Pick<Plan, 'missingDirectories' | 'missingFiles'>,
): void {
  const failed: Bytes[] = [];
  const make = (path: Bytes, create: (parent: Directory) => void): void => {
    if (failed.some((above) => isWithin(path, above))) return;
    const errno = tryMaking(files, path, create);
    if (errno === undefined) return;
    failed.push(path);
    notify(`Cannot make ${displayBytes(path)}, which the profile wants: ${errno}`);
  };
  for (const path of plan.missingDirectories) make(path, (parent) => parent.createDirectory(baseName(path), DIRECTORY_MODE));
  for (const { path, content } of plan.missingFiles) {
    make(path, (parent) => {
      using file = parent.createFile(baseName(path), FILE_MODE);
      file.write(bufferFromBytes(content));
    });
  }
}

/** @returns why it could not be made. */
function tryMaking(files: Files, path: Bytes, create: (parent: Directory) => void): string | undefined {
  try {
    using parent = files.openWithoutLinks(parentPath(path));
    create(parent);
    return undefined;
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    return error.errno === 'EEXIST' ? undefined : error.errno;
  }
}
