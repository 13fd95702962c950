import { type Bytes, displayBytes } from '../../bytes.ts';
import { BUILT_IN_PROFILES } from '../../config/built-in-profiles.ts';
import { profileDocument, renderProfile } from '../../config/profile-text.ts';
import { findProfileText, resolveProfile } from '../../config/profiles.ts';
import { EXIT, UsageError } from '../../errors.ts';
import { jsonOutput } from '../../json-text.ts';
import type { Context } from '../context.ts';
import { profilePlaces } from '../load-profile.ts';
import type { CommandResult, ParsedCall } from '../spec.ts';

export async function execute({ flags, positionals }: ParsedCall, context: Context): Promise<CommandResult> {
  const [reference = '' as Bytes] = positionals;
  const places = profilePlaces(context);
  const isJson = flags.has('json');
  if (flags.has('source')) {
    if (isJson) throw new UsageError('Cannot use --source with --json');
    return { output: findProfileText(reference, places), exitCode: EXIT.ok };
  }
  const profile = resolveProfile(reference, places);
  if (isJson) return { output: jsonOutput(profileDocument(profile)), exitCode: EXIT.ok };
  const comments = BUILT_IN_PROFILES.has(reference)
    ? `# What was seen and why: nono profile show --source ${displayBytes(reference)}\n`
    : '';
  return { output: `${comments}${renderProfile(profile)}`, exitCode: EXIT.ok };
}
