import { type Bytes, displayBytes } from '../bytes.ts';
import { isErrno } from '../errors.ts';
import { joinPath, resolvePath, tildePath } from '../paths.ts';
import type { FoundPath } from '../ports/path-facts.ts';
import { GrantError } from './grant-error.ts';
import { resolveQuietly } from './look-up.ts';
import type { PathRule } from './plan.ts';
import type { Grant, World } from './policy.ts';
import { type Conflict, findConflict, type SensitivePlace } from './sensitive.ts';

/**
 * Turns what the user wrote into rules.
 *
 * @throws {GrantError} for a path that is missing, of the other type, or too dangerous to share.
 */
export function resolveGrants(
  grants: readonly Grant[],
  world: World,
  places: readonly SensitivePlace[],
  overrides: readonly Bytes[],
): readonly PathRule[] {
  const permitted = overrides.map((path) => resolveOverride(path, world));
  return grants.map((grant) => {
    const { path, kind } = resolveGrant(grant, world);
    checkKind(grant, kind);
    const conflict = findConflict(path, grant.access, places, permitted);
    if (conflict !== undefined) throw refusal(grant, path, conflict, world);
    return { path, isDirectory: grant.kind === 'directory', access: grant.access, origin: 'grant' };
  });
}

/** An override may name what does not exist (yet): then its name counts. */
function resolveOverride(path: Bytes, { facts, workingDirectory }: World): Bytes {
  return resolveQuietly(facts, absolute(path, workingDirectory))?.path ?? resolvePath(workingDirectory, path);
}

/** Not cleaned by name: `link/..` is what the kernel says it is. */
function absolute(path: Bytes, workingDirectory: Bytes): Bytes {
  return path.startsWith('/') ? path : joinPath(workingDirectory, path);
}

function resolveGrant(grant: Grant, world: World): FoundPath {
  const found = lookUp(grant, () => world.facts.resolve(absolute(grant.path, world.workingDirectory)));
  if (found !== undefined) return found;
  throw new GrantError(`Cannot use ${name(grant)}: it does not exist`, missingHint(grant));
}

function lookUp<T>(grant: Grant, look: () => T): T {
  try {
    return look();
  } catch (error) {
    if (isErrno(error, 'EACCES'))
      throw new GrantError(`Cannot use ${name(grant)}: permission denied`, 'Grant a path that you may use yourself');
    if (isErrno(error, 'ELOOP'))
      throw new GrantError(`Cannot use ${name(grant)}: its links form a loop`, 'Grant the path that was meant');
    if (isErrno(error, 'ENAMETOOLONG'))
      throw new GrantError(`Cannot use ${name(grant)}: the name is too long`, 'Grant a directory above it');
    throw error;
  }
}

function missingHint({ kind, access }: Grant): string {
  if (kind === 'directory') return 'Create it first with `mkdir`, or correct the path';
  return access.write ? 'Create it first with `touch`, or grant the directory that it will be in' : 'Correct the path';
}

function checkKind(grant: Grant, kind: FoundPath['kind']): void {
  if (grant.kind === 'directory' && kind !== 'directory') {
    throw new GrantError(`Cannot use ${name(grant)}: it is not a directory`, `Use ${grant.option}-file for a single file`);
  }
  if (grant.kind === 'file' && kind === 'directory') {
    throw new GrantError(
      `Cannot use ${name(grant)}: it is a directory`,
      `Use ${grant.option.replace(/-file$/, '')} for a directory`,
    );
  }
}

function refusal(grant: Grant, path: Bytes, { place, relation }: Conflict, { homeDirectory }: World): GrantError {
  const shown = displayBytes(tildePath(place.path, homeDirectory));
  const reasons = {
    is: `that is ${place.what}`,
    inside: `it is inside ${shown}, ${place.what}`,
    contains: `it contains ${shown}, ${place.what}, which cannot be carved out of it`,
  };
  const resolved = path === grant.path || grant.path === '.' ? '' : ` (${displayBytes(path)})`;
  const narrower = relation === 'contains' ? 'Grant narrower directories' : 'Leave it out';
  return new GrantError(
    `Cannot use ${name(grant)}${resolved}: ${reasons[relation]}`,
    place.isAbsolute ? `${narrower}: no option permits this one` : `${narrower}, or permit it with --override-deny ${shown}`,
  );
}

function name({ option, path }: Grant): string {
  return option === '--allow-cwd' ? '--allow-cwd' : `${option} "${displayBytes(path)}"`;
}
