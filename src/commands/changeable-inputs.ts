import { type Bytes, displayBytes } from '../bytes.ts';
import type { Profile } from '../config/profile-type.ts';
import { tildePath } from '../paths.ts';
import { isCredential, isHook } from '../sandbox/environment.ts';
import { GrantError } from '../sandbox/grant-error.ts';
import { resolveQuietly } from '../sandbox/look-up.ts';
import type { Plan } from '../sandbox/plan.ts';
import { Plantable } from '../sandbox/planted.ts';
import type { World } from '../sandbox/policy.ts';
import type { VariableFile } from './environment-options.ts';

/*
 * What nono itself reads for a run, and the command may write: an earlier run may have said there what this one gives.
 */

/**
 * What is said of a profile that came from files: what sensitive it opens, and that the command may change it.
 *
 * @throws {GrantError} for one that does both.
 */
export function profileNotices(profile: Profile, plan: Pick<Plan, 'rules'>, world: World): readonly string[] {
  const shown = (path: Bytes): string => displayBytes(tildePath(path, world.homeDirectory));
  const permitted = profile.paths.override_deny.map(({ text }) => text);
  const changeable = profile.sources.find((path) => mayBeChanged(path, plan, world));
  if (changeable === undefined)
    return permitted.length === 0 ? [] : [`The profile permits what is sensitive: ${permitted.join(', ')} (override_deny)`];
  if (permitted.length > 0)
    throw new GrantError(
      `Cannot use override_deny of the profile ${profile.name}: the command may write ${shown(changeable)}`,
      'An earlier run may have changed it: keep it where the command may not write, as in ~/.config/nono/profiles, or name what is meant with --override-deny',
    );
  return [
    `The command may write ${shown(changeable)}, the profile that says what is shared: look at it before the next run, or keep it in ~/.config/nono/profiles`,
  ];
}

/** @throws {GrantError} for a file of variables by which the command would get what is kept from it: a file elsewhere, or a variable that is withheld. */
export function checkVariableFiles(files: readonly VariableFile[], plan: Pick<Plan, 'rules'>, world: World): void {
  for (const { path, passed } of files) {
    const shown = displayBytes(path);
    const link = new Plantable(plan.rules, world).linkOutOn(path, resolved(path, world));
    if (link !== undefined)
      throw new GrantError(
        `Cannot use --env-file "${shown}": ${displayBytes(link)} is a link out of a directory that the command may write`,
        'An earlier run may have put it there: look at it, and name the file that it leads to',
      );
    const secret = passed.find((name) => world.environment.get(name) !== undefined && (isHook(name) || isCredential(name)));
    if (secret === undefined || !mayBeChanged(path, plan, world)) continue;
    throw new GrantError(
      `Cannot pass ${displayBytes(secret)} by --env-file "${shown}": the command may write that file`,
      `An earlier run may have put the name there: take it out, and pass it with --env ${displayBytes(secret)}`,
    );
  }
}

function mayBeChanged(path: Bytes, { rules }: Pick<Plan, 'rules'>, world: World): boolean {
  const found = resolved(path, world);
  if (rules.some((rule) => rule.access.write && !rule.access.control && rule.path === found)) return true;
  const plantable = new Plantable(rules, world);
  return plantable.has(found) || plantable.linkOutOn(path, found) !== undefined;
}

function resolved(path: Bytes, { facts }: World): Bytes {
  return resolveQuietly(facts, path)?.path ?? path;
}
