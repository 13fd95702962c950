import { type Bytes, bytesFromText } from '../bytes.ts';
import { joinPath, parentPath } from '../paths.ts';

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
