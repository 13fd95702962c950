import type { Bytes } from '../bytes.ts';
import { isErrno } from '../errors.ts';
import { baseName, joinPath, parentPath, resolvePath } from '../paths.ts';
import type { FoundEntry, FoundPath, PathFacts } from '../ports/path-facts.ts';
import type { Access, PathRule, RuleOrigin } from './plan.ts';

/** The kernel follows so many on one path (MAXSYMLINKS of include/linux/namei.h). */
export const LINKS_MAXIMUM = 40;

/** What a path means; undefined too for what this user may not reach, which the command may not either. */
export function resolveQuietly(facts: PathFacts, path: Bytes): FoundPath | undefined {
  try {
    return facts.resolve(path);
  } catch (error) {
    if (isErrno(error, 'EACCES', 'EPERM', 'ELOOP', 'ENAMETOOLONG', 'ENXIO', 'ESTALE')) return undefined;
    throw error;
  }
}

/**
 * What a path means, or will mean once what is missing has been made: links above it are resolved, and one that leads nowhere is followed, as whoever
 * makes it follows them.
 */
export function futurePath(facts: PathFacts, path: Bytes, links = LINKS_MAXIMUM): Bytes {
  const above = parentPath(path);
  const found = resolveQuietly(facts, path)?.path;
  if (found !== undefined || above === path || above === '') return found ?? path;
  const directory = futurePath(facts, above, links);
  const made = joinPath(directory, baseName(path));
  const target = links > 0 ? readLinkQuietly(facts, made) : undefined;
  return target === undefined ? made : futurePath(facts, resolvePath(directory, target), links - 1);
}

/** Where a link leads; undefined too for what this user may not reach. */
export function readLinkQuietly(facts: PathFacts, path: Bytes): Bytes | undefined {
  try {
    return facts.readLink(path);
  } catch (error) {
    if (isErrno(error, 'EACCES', 'EPERM', 'ELOOP', 'ENAMETOOLONG', 'ESTALE')) return undefined;
    throw error;
  }
}

/** The entries of a directory; none of one that may not be listed. */
export function listQuietly(facts: PathFacts, path: Bytes): readonly FoundEntry[] {
  return noneWhenRefused(() => facts.entries(path));
}

/** The same, names only. */
export function namesQuietly(facts: PathFacts, path: Bytes): readonly Bytes[] {
  return noneWhenRefused(() => facts.names(path));
}

/** The same; undefined of one that may not be listed, though what is in it may perhaps be opened. */
export function namesIfListed(facts: PathFacts, path: Bytes): readonly Bytes[] | undefined {
  try {
    return facts.names(path);
  } catch (error) {
    if (isErrno(error, 'EACCES', 'EPERM')) return undefined;
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'ESTALE')) return [];
    throw error;
  }
}

function noneWhenRefused<T>(list: () => readonly T[]): readonly T[] {
  try {
    return list();
  } catch (error) {
    if (isErrno(error, 'EACCES', 'EPERM', 'ENOENT', 'ENOTDIR', 'ELOOP', 'ESTALE')) return [];
    throw error;
  }
}

/** A rule for what `path` means now; none when there is nothing. */
export function existing(facts: PathFacts, path: Bytes, access: Access, origin: RuleOrigin): readonly PathRule[] {
  const found = resolveQuietly(facts, path);
  return found === undefined ? [] : [{ path: found.path, isDirectory: found.kind === 'directory', access, origin }];
}
