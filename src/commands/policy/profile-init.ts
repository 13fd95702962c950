import { type Bytes, displayBytes, isUtf8, textFromBytes } from '../../bytes.ts';
import { profileFile } from '../../config/config-path.ts';
import { PROFILE_SCHEMA } from '../../config/profile-schema.ts';
import { isProfilePath, PROFILE_NAME_REGEXP, type ProfilePlaces, profilePath, resolveProfile } from '../../config/profiles.ts';
import { schemaTemplate } from '../../config/template.ts';
import { EXIT, UsageError } from '../../errors.ts';
import { parentPath, resolvePath } from '../../paths.ts';
import type { Context } from '../context.ts';
import { profilePlaces } from '../load-profile.ts';
import type { CommandResult, ParsedCall } from '../spec.ts';
import { writeNewFile } from './write-new-file.ts';

export async function execute({ positionals, values }: ParsedCall, context: Context): Promise<CommandResult> {
  const [reference = '' as Bytes] = positionals;
  const shown = displayBytes(reference);
  const isPath = isProfilePath(reference);
  if (!isPath && !PROFILE_NAME_REGEXP.test(reference))
    throw new UsageError(`Cannot use the name "${shown}": expected letters, digits, dots, dashes and underscores`);
  const places = profilePlaces(context);
  const extended = values.get('extends') ?? [];
  for (const name of extended) resolveProfile(name, places);
  const path = isPath ? profilePath(reference, places) : profileFile(places.directory, reference);
  const list = extended.map((name) => JSON.stringify(textFromBytes(fromFile(name, path, places)))).join(', ');
  const heading = [
    `# The profile ${shown}: \`nono profile show ${shown}\` shows what it means, \`nono profile validate ${shown}\` checks it.`,
  ];
  const template = schemaTemplate(PROFILE_SCHEMA, heading);
  const text = extended.length === 0 ? template : template.replace(/^# extends = .*$/m, () => `extends = [${list}]`);
  await writeNewFile(context.files, path, text, {
    temporaryName: `.nono-${context.randomHex(8)}` as Bytes,
    followsLinks: true,
  });
  return { output: `${displayBytes(path)}\n`, exitCode: EXIT.ok };
}

/** What was written from the working directory, as the file has to write it: there a path begins at the file's own directory. */
function fromFile(reference: Bytes, file: Bytes, { workingDirectory }: ProfilePlaces): Bytes {
  if (!isUtf8(reference))
    throw new UsageError(`Cannot use --extends "${displayBytes(reference)}": a profile is text, and that is none`);
  const isMoved = isProfilePath(reference) && !reference.startsWith('~/') && parentPath(file) !== workingDirectory;
  return isMoved ? resolvePath(workingDirectory, reference) : reference;
}
