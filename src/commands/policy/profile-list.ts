import { bytesFromText, displayBytes } from '../../bytes.ts';
import { type ListedProfile, listProfiles, type ProfilePlaces, resolveProfile } from '../../config/profiles.ts';
import { ConfigError, EXIT } from '../../errors.ts';
import { jsonOutput } from '../../json-text.ts';
import { renderTable } from '../../ui/table.ts';
import type { Context } from '../context.ts';
import { profilePlaces } from '../load-profile.ts';
import type { CommandResult, ParsedCall } from '../spec.ts';

export async function execute({ flags }: ParsedCall, context: Context): Promise<CommandResult> {
  const places = profilePlaces(context);
  const profiles = listProfiles(places).map((profile) => ({ ...profile, description: describe(profile, places) }));
  if (flags.has('json')) {
    const documents = profiles.map(({ name, isBuiltIn, fileName, description }) => ({
      name,
      built_in: isBuiltIn,
      file: isBuiltIn ? null : fileName,
      description,
    }));
    return { output: jsonOutput({ profiles: documents }), exitCode: EXIT.ok };
  }
  const rows = profiles.map(({ name, isBuiltIn, description }) => [
    name,
    isBuiltIn ? 'built in' : 'yours',
    displayBytes(bytesFromText(description)),
  ]);
  return { output: renderTable([['NAME', 'FROM', 'WHAT IT IS FOR'], ...rows]), exitCode: EXIT.ok };
}

/** One that is wrong is listed all the same: `profile validate` says at what. */
function describe({ name }: ListedProfile, places: ProfilePlaces): string {
  try {
    return resolveProfile(bytesFromText(name), places).description;
  } catch (error) {
    if (error instanceof ConfigError) return `cannot be used, see \`nono profile validate ${name}\``;
    throw error;
  }
}
