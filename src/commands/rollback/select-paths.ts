import { type Bytes, displayBytes } from '../../bytes.ts';
import { isErrno, UsageError } from '../../errors.ts';
import { isWithin, joinPath } from '../../paths.ts';
import type { Change } from '../../rollback/compare.ts';
import type { Manifest } from '../../rollback/manifest.ts';
import { compileGlob, type Matcher } from '../../rollback/wildmatch.ts';
import type { Context } from '../context.ts';
import { resolveGiven, spellingsInRoots } from './given-path.ts';

const GLOB_REGEXP = /[*?[]/;

/**
 * Absolute paths for the PATH words of a call: a path stands for itself and all below it, a glob for each changed path
 * that it matches from the working directory on. The name of what is there, has changed or has held a change is no glob.
 *
 * @param verb For messages: `restore`, `show`.
 * @throws {UsageError} for a path outside the session and a glob that matches nothing.
 */
export function selectPaths(
  context: Context,
  words: readonly Bytes[],
  { verb, manifest, changes }: { readonly verb: string; readonly manifest: Manifest; readonly changes: readonly Change[] },
): Bytes[] {
  const roots = manifest.roots.map((root) => root.path);
  const isChanged = (path: Bytes) => changes.some((change) => isWithin(change.path, path));
  return words.flatMap((word) => {
    const path = spellingsInRoots(context, word, roots).find(isChanged) ?? resolveGiven(context, word);
    const isName = () => isChanged(path) || isThere(context, path);
    const shown = displayBytes(path);
    if (GLOB_REGEXP.test(word) && !isName()) return matching(context, word, changes);
    if (manifest.roots.some((root) => isWithin(path, root.path) || isWithin(root.path, path))) {
      // Nothing to do is no failure: what the session had made is not there any more when a restore is run again.
      if (!isName()) context.notify(`Look at the name: "${shown}" is not there, and is nothing that has changed`);
      return [path];
    }
    const tracked = manifest.roots.map((root) => displayBytes(root.path)).join(', ');
    throw new UsageError(`Cannot ${verb} "${shown}": session "${manifest.id}" tracks ${tracked}`);
  });
}

function isThere({ files }: Context, path: Bytes): boolean {
  try {
    return files.stat(path) !== undefined;
  } catch (error) {
    // Stars may stand for directories that nobody may look into, or be more than a name can have.
    if (isErrno(error, 'EACCES', 'ELOOP', 'ENAMETOOLONG')) return false;
    throw error;
  }
}

function matching({ workingDirectory }: Context, word: Bytes, changes: readonly Change[]): Bytes[] {
  const matches = compile(word.startsWith('/') ? word : joinPath(escapeGlob(workingDirectory ?? ('/' as Bytes)), trimDots(word)));
  const found = changes.filter(({ path }) => matches?.(path) ?? false).map(({ path }) => path);
  if (found.length > 0) return found;
  throw new UsageError(`Cannot use "${displayBytes(word)}": it matches nothing that the session changed`, {
    hint: 'Quote it, so that the shell leaves it alone; `**` reaches into directories',
  });
}

function trimDots(word: Bytes): Bytes {
  return word.replace(/^(?:\.\/)+/, '') as Bytes;
}

/** A relative glob without a slash reaches nothing in directories, as in a shell. */
function compile(pattern: string): Matcher | undefined {
  return compileGlob(pattern);
}

function escapeGlob(path: Bytes): Bytes {
  return path.replaceAll(/[*?[\]\\]/g, '\\$&') as Bytes;
}
