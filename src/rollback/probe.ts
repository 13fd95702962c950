import type { Bytes } from '../bytes.ts';
import { isErrno } from '../errors.ts';
import { type ContentDeps, captureContent } from './content.ts';
import { type Entry, isSameInodeState, metadataOf, NO_HASH, skippedEntry } from './entry.ts';
import type { RootDirectories } from './root-directories.ts';

/**
 * What stands at `path` now. A file is read and hashed, and stored where `deps` say so, unless it is
 * still in the state that one of the `known` entries records.
 *
 * @returns undefined when there is nothing.
 */
export function probePath(
  roots: RootDirectories,
  path: Bytes,
  known: readonly (Entry | undefined)[],
  deps: ContentDeps,
): Entry | undefined {
  const parent = roots.parentOf(path);
  const name = roots.nameOf(path);
  const stat = parent?.stat(name);
  if (parent === undefined || stat === undefined) return undefined;
  const base = { ...metadataOf(stat), name, reason: undefined, target: '' as Bytes, child: undefined };
  switch (stat.kind) {
    case 'directory':
      return { ...base, kind: 'directory', hash: NO_HASH };
    case 'symlink': {
      const target = parent.readLink(name);
      return { ...base, kind: 'symlink', mode: 0o777, target, hash: deps.hash.sha256(Buffer.from(target, 'latin1')) };
    }
    case 'file':
      break;
    case 'fifo':
    case 'socket':
      return skippedEntry(name, stat.kind, stat);
    default:
      return skippedEntry(name, 'device', stat);
  }
  const same = known.find((entry) => entry?.kind === 'file' && isSameInodeState(entry, stat));
  if (same !== undefined && deps.store === undefined) return { ...base, kind: 'file', hash: same.hash };
  const result = captureContent(parent, name, deps);
  if (result.kind === 'read')
    return {
      ...metadataOf(result.stat),
      name,
      kind: 'file',
      reason: undefined,
      hash: result.hash,
      target: '' as Bytes,
      child: undefined,
    };
  if (result.kind === 'skipped') return skippedEntry(name, result.reason, stat);
  return undefined;
}

/** The names in the directory at `path`, undefined when it is none or cannot be listed. */
export function namesNow(roots: RootDirectories, path: Bytes): Bytes[] | undefined {
  try {
    return roots.directory(path)?.names().sort();
  } catch (error) {
    if (isErrno(error, 'EACCES')) return undefined;
    throw error;
  }
}
