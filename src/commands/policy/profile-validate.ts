import { bytesFromText, displayBytes } from '../../bytes.ts';
import { listProfiles, resolveProfile } from '../../config/profiles.ts';
import { EXIT } from '../../errors.ts';
import { jsonOutput } from '../../json-text.ts';
import type { Context } from '../context.ts';
import { profilePlaces } from '../load-profile.ts';
import type { CommandResult, ParsedCall } from '../spec.ts';
import { problemsOf } from './problems.ts';

interface Validation {
  readonly name: string;
  /** Lines `FILE:LINE: …`. */
  readonly problems: readonly string[];
}

/** Checks the profiles named, or all of them; every problem of each. */
export async function execute({ flags, positionals }: ParsedCall, context: Context): Promise<CommandResult> {
  const places = profilePlaces(context);
  const names = positionals.length > 0 ? positionals : listProfiles(places).map(({ name }) => bytesFromText(name));
  const results = names.map(
    (name): Validation => ({ name: displayBytes(name), problems: problemsOf(() => resolveProfile(name, places)) }),
  );
  const isGood = results.every(({ problems }) => problems.length === 0);
  const exitCode = isGood ? EXIT.ok : EXIT.failure;
  if (flags.has('json')) {
    const profiles = results.map(({ name, problems }) => ({ name, ok: problems.length === 0, problems }));
    return { output: jsonOutput({ ok: isGood, profiles }), exitCode };
  }
  return { output: results.flatMap(validationLines).join(''), exitCode };
}

function validationLines({ name, problems }: Validation): readonly string[] {
  if (problems.length === 0) return [`${name}: ok\n`];
  return problems.map((problem) => `${displayBytes(bytesFromText(problem))}\n`);
}
