import { type Bytes, displayBytes } from '../../bytes.ts';
import { UsageError } from '../../errors.ts';
import { baseName, joinPath, parentPath, resolvePath } from '../../paths.ts';
import type { Context } from '../context.ts';

/**
 * A path from the command line as the snapshots know it: absolute, with the links of the directories that
 * lead to it resolved. The last component is kept as it is, since it may be a link or no longer exist.
 */
export function resolveGiven({ files, workingDirectory }: Context, path: Bytes): Bytes {
  if (workingDirectory === undefined && !path.startsWith('/')) {
    throw new UsageError(`Cannot use "${displayBytes(path)}": the working directory is gone`, { hint: 'Give an absolute path' });
  }
  const absolute = resolvePath(workingDirectory ?? ('/' as Bytes), path);
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
