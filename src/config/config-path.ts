import { type Bytes, bytesFromText } from '../bytes.ts';
import { isErrno } from '../errors.ts';
import { joinPath, parentPath } from '../paths.ts';
import type { Files } from '../ports/files.ts';

export const PROFILE_ENDING = '.toml';

/** The file of the user's own profile of that name. @param directory Of their profiles. */
export function profileFile(directory: Bytes, name: string): Bytes {
  return joinPath(directory, bytesFromText(`${name}${PROFILE_ENDING}`));
}

/** Where the user's configuration is, whether or not it exists: XDG_CONFIG_HOME counts when it is absolute. */
export function configPath(environment: ReadonlyMap<Bytes, Bytes>, homeDirectory: Bytes): Bytes {
  const given = environment.get(bytesFromText('XDG_CONFIG_HOME'));
  const base = given?.startsWith('/') ? given : joinPath(homeDirectory, bytesFromText('.config'));
  return joinPath(base, bytesFromText('nono/config.toml'));
}

/** Where the user's profiles are. */
export function profilesPath(environment: ReadonlyMap<Bytes, Bytes>, homeDirectory: Bytes): Bytes {
  return joinPath(parentPath(configPath(environment, homeDirectory)), 'profiles' as Bytes);
}

/** Whether there may be such a file: in a directory that lets nobody look, whoever reads it says so. */
export function mayBeThere(files: Files, path: Bytes): boolean {
  try {
    return files.stat(path) !== undefined;
  } catch (error) {
    if (isErrno(error, 'EACCES', 'EPERM')) return true;
    throw error;
  }
}
