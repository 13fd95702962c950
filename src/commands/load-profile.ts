import type { Bytes } from '../bytes.ts';
import { mayBeThere, profilesPath } from '../config/config-path.ts';
import { EMPTY_PROFILE, type Profile } from '../config/profile-type.ts';
import type { ProfilePlaces } from '../config/profiles.ts';
import { joinPath } from '../paths.ts';
import type { Context } from './context.ts';
import type { ParsedCall } from './spec.ts';

const DEFAULT_FILE = 'default.toml' as Bytes;

export function profilePlaces({ files, environment, homeDirectory, workingDirectory }: Context): ProfilePlaces {
  return {
    files,
    directory: profilesPath(environment, homeDirectory),
    workingDirectory: workingDirectory ?? ('/' as Bytes),
    homeDirectory,
  };
}

/**
 * The profile that the call names, with all that it extends; without one the default, whose reader is loaded only
 * when the user has written their own.
 *
 * @throws {ConfigError} with file and line.
 */
export async function loadProfile(call: ParsedCall, context: Context): Promise<Profile> {
  const [reference] = call.values.get('profile') ?? [];
  const places = profilePlaces(context);
  if (reference === undefined && !mayBeThere(context.files, joinPath(places.directory, DEFAULT_FILE))) return EMPTY_PROFILE;
  const { resolveProfile } = await import('../config/profiles.ts');
  return resolveProfile(reference ?? (EMPTY_PROFILE.name as Bytes), places);
}
