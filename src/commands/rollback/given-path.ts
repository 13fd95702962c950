import { type Bytes, displayBytes } from '../../bytes.ts';
import { UsageError } from '../../errors.ts';
import { baseName, joinPath, parentPath, resolvePath } from '../../paths.ts';
import type { Context } from '../context.ts';

/**
 * A path from the command line as the snapshots know it: absolute, with the links of the directories that
 * lead to it resolved. The last component is kept as it is, since it may be a link or no longer exist.
 */
export function resolveGiven(context: Context, path: Bytes): Bytes {
  const { files } = context;
  const absolute = absoluteGiven(context, path);
  if (absolute === '/') return absolute;
  let parent = parentPath(absolute);
  let rest = baseName(absolute);
  for (;;) {
    const real = files.realPath(parent);
    if (real !== undefined) return joinPath(real, rest);
    rest = joinPath(baseName(parent), rest);
    parent = parentPath(parent);
  }
}

/**
 * A path from the command line as it is spelled from one of `roots` on, outer ones first: within them the command may have put a link in
 * the place of a directory, and what the directory held is still meant by its name.
 */
export function spellingsInRoots(context: Context, path: Bytes, roots: readonly Bytes[]): Bytes[] {
  const absolute = absoluteGiven(context, path);
  const found: Bytes[] = [];
  for (let above = parentPath(absolute), rest = baseName(absolute); above !== '/'; above = parentPath(above)) {
    const root = roots.includes(above) ? above : context.files.realPath(above);
    if (root !== undefined && roots.includes(root)) found.unshift(joinPath(root, rest));
    rest = joinPath(baseName(above), rest);
  }
  return found;
}

function absoluteGiven({ workingDirectory }: Context, path: Bytes): Bytes {
  if (workingDirectory === undefined && !path.startsWith('/')) {
    throw new UsageError(`Cannot use "${displayBytes(path)}": the working directory is gone`, { hint: 'Give an absolute path' });
  }
  return resolvePath(workingDirectory ?? ('/' as Bytes), path);
}
