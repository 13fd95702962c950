import type { Bytes } from '../bytes.ts';
import { isErrno } from '../errors.ts';
import type { Directory, Stat } from '../ports/files.ts';
import { type ContentDeps, captureContent } from './content.ts';
import { DEFAULT_LIMITS } from './default-limits.ts';
import { type Entry, isSameInodeState, metadataOf, NO_HASH, skippedEntry } from './entry.ts';
import { readLink } from './open-root.ts';
import type { RootDirectories } from './root-directories.ts';

/**
 * What stands at `path` now. A file is read and hashed, and stored where `deps` say so, unless it is
 * still in the state that one of the `known` entries records, or was too large for the session and is for any.
 *
 * @returns undefined when there is nothing.
 */
export function entryNow(
  roots: RootDirectories,
  path: Bytes,
  known: readonly (Entry | undefined)[],
  deps: ContentDeps,
): Entry | undefined {
  const name = roots.nameOf(path);
  const found = lookAt(roots, path);
  if (found === 'closed') return skippedEntry(name, 'unreadable');
  if (found === undefined) return undefined;
  const { parent, stat } = found;
  const base = { ...metadataOf(stat), name, reason: undefined, target: '' as Bytes, child: undefined };
  switch (stat.kind) {
    case 'directory':
      return { ...base, kind: 'directory', hash: NO_HASH };
    case 'symlink': {
      const target = readLink(parent, name);
      if (target === undefined) return skippedEntry(name, 'changing', stat);
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
  // What the session did not store for its size: one with holes may be larger than anybody can read.
  const isTooLarge = stat.sizeBytes > DEFAULT_LIMITS.maxFileBytes && known.some((entry) => entry?.reason === 'file-limit');
  if (isTooLarge) return skippedEntry(name, 'file-limit', stat);
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

/** lstat(2) of `path` and the directory it is in; `closed` where a directory on the way may not be entered. */
export function lookAt(
  roots: RootDirectories,
  path: Bytes,
): { readonly parent: Directory; readonly stat: Stat } | 'closed' | undefined {
  try {
    // First, since it opens directories, and only the last ones stay open.
    if (roots.isByAnotherName(path)) return undefined;
    const parent = roots.parentOf(path);
    const stat = parent?.stat(roots.nameOf(path));
    return parent === undefined || stat === undefined ? undefined : { parent, stat };
  } catch (error) {
    if (isErrno(error, 'EACCES')) return 'closed';
    throw error;
  }
}

/** The names in the directory at `path`, undefined when it is none or cannot be listed. */
export function namesNow(roots: RootDirectories, path: Bytes): Bytes[] | undefined {
  try {
    return roots.directory(path)?.names().sort();
  } catch (error) {
    // Removed while it was open, or closed.
    if (isErrno(error, 'EACCES', 'ENOENT')) return undefined;
    throw error;
  }
}
