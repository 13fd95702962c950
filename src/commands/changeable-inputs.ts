import { type Bytes, displayBytes } from '../bytes.ts';
import { configPath } from '../config/config-path.ts';
import type { Profile } from '../config/profile-type.ts';
import { isWithin, parentPath, resolvePath, tildePath } from '../paths.ts';
import { isCredential, isHook } from '../sandbox/environment.ts';
import { GrantError } from '../sandbox/grant-error.ts';
import { resolveQuietly } from '../sandbox/look-up.ts';
import { type PathRule, type Plan, READ_WRITE } from '../sandbox/plan.ts';
import { Plantable } from '../sandbox/planted.ts';
import type { World } from '../sandbox/policy.ts';
import type { VariableFile } from './environment-options.ts';

/*
 * What nono itself reads for a run, and the command may write: an earlier run may have said there what this one gives.
 */

/**
 * What is said of a profile that came from files: what sensitive it opens, and that the command may change it, or may have.
 *
 * @throws {GrantError} for one that does both.
 */
export function profileNotices(profile: Profile, plan: Pick<Plan, 'rules'>, world: World): readonly string[] {
  const shown = (path: Bytes): string => displayBytes(tildePath(path, world.homeDirectory));
  const permitted = profile.paths.override_deny.map(({ text }) => text);
  const changeable = profile.sources.find((path) => mayBeChanged(path, plan, world));
  const changed = changeable ?? profile.sources.find((path) => mayHaveBeenChanged(path, plan, world));
  if (changed === undefined)
    return permitted.length === 0 ? [] : [`The profile permits what is sensitive: ${permitted.join(', ')} (override_deny)`];
  const isNow = changeable !== undefined;
  if (permitted.length > 0)
    throw new GrantError(
      `Cannot use override_deny of the profile ${profile.name}: ${isNow ? 'the command may write' : 'an earlier run may have changed'} ${shown(changed)}`,
      `${isNow ? 'An earlier run may have changed it' : 'What a run may write its profile says itself'}: keep it where no command may write, as in ~/.config/nono/profiles, or name what is meant with --override-deny`,
    );
  return [
    isNow
      ? `The command may write ${shown(changed)}, the profile that says what is shared: look at it before the next run, or keep it in ~/.config/nono/profiles`
      : `An earlier run may have changed ${shown(changed)}, the profile that says what is shared: look at it, or keep it in ~/.config/nono/profiles`,
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

/**
 * What a run may write a profile says itself (`[workdir] access`, or nothing for the directory that it lies in): one that a command has written takes that
 * back, and with it each sign of where it comes from. So all that is shared counts, for reading alone too, and the working directory in any case.
 */
function mayHaveBeenChanged(path: Bytes, { rules }: Pick<Plan, 'rules'>, world: World): boolean {
  const { environment, homeDirectory, stateDirectory, workingDirectory } = world;
  const configuration = parentPath(configPath(environment, homeDirectory));
  // No command may write there, nor to what is linked there.
  if (isWithin(resolvePath('/' as Bytes, path), configuration)) return false;
  const shared = rules.filter(({ origin }) => origin === 'grant' || origin === 'profile');
  // One with these inside is never shared for writing.
  const isClosed = [configuration, stateDirectory].some((closed) => isWithin(closed, workingDirectory));
  const here: readonly PathRule[] = isClosed
    ? []
    : [{ path: workingDirectory, isDirectory: true, access: READ_WRITE, origin: 'grant' }];
  return mayBeChanged(path, { rules: [...shared.map((rule) => ({ ...rule, access: READ_WRITE })), ...here] }, world);
}

function resolved(path: Bytes, { facts }: World): Bytes {
  return resolveQuietly(facts, path)?.path ?? path;
}
