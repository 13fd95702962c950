import type { Bytes } from '../bytes.ts';
import { reasonOfFailure } from './apply-failure.ts';
import type { ContentDeps } from './content.ts';
import { type Entry, isSameInodeState, metadataOf } from './entry.ts';
import { entryNow, lookAt } from './entry-now.ts';
import type { RootDirectories } from './root-directories.ts';

/** What a file's owner needs to read it. */
const READABLE_MODE = 0o400;

/** A directory or file of somebody else stays as it is, and is kept. */
export function tryMode(roots: RootDirectories, path: Bytes, mode: number): void {
  reasonOfFailure(() => {
    roots.parentOf(path)?.setMode(roots.nameOf(path), mode);
    return undefined;
  });
}

/**
 * What stands at `path` now, as entryNow(), and stored. A file that the session closed even to its owner is opened for as long as it is
 * read: what replaces it could not be undone else.
 */
export function storedNow(roots: RootDirectories, path: Bytes, planned: Entry, contents: ContentDeps): Entry | undefined {
  const seen = entryNow(roots, path, [planned], contents);
  if (seen === undefined || !isClosed(seen)) return seen;
  const opened = seen.mode | READABLE_MODE;
  tryMode(roots, path, opened);
  let read: Entry | undefined;
  try {
    read = entryNow(roots, path, [], contents);
  } finally {
    if (isStill(roots, path, { ...seen, mode: opened })) tryMode(roots, path, seen.mode);
  }
  const found = lookAt(roots, path);
  if (read?.kind !== 'file' || found === undefined || found === 'closed') return read;
  // It was read with another mode, and has another ctime by now.
  return isStill(roots, path, { ...read, mode: seen.mode }) ? { ...read, ...metadataOf(found.stat) } : read;
}

/** What the command puts in its place meanwhile keeps its mode. */
function isStill(roots: RootDirectories, path: Bytes, { inode, device, mode }: Entry): boolean {
  const found = lookAt(roots, path);
  if (found === undefined || found === 'closed') return false;
  const { stat } = found;
  return stat.inode === inode && stat.device === device && stat.mode === mode;
}

function isClosed({ reason, mode, inode }: Entry): boolean {
  return reason === 'unreadable' && inode !== 0n && (mode & READABLE_MODE) === 0;
}

/** Whether both are one file that its owner may not read, or that a restore which was killed has left open: looking into it gives it a new ctime. */
export function isSameClosedFile(now: Entry, left: Entry): boolean {
  const isFile = ({ kind, reason }: Entry) => kind === 'file' || reason === 'unreadable';
  if (!isFile(now) || !isFile(left) || (left.mode & READABLE_MODE) !== 0) return false;
  if (now.kind === left.kind && now.hash !== left.hash) return false;
  const { ctimeSeconds, ctimeNanoseconds } = left;
  const isOpened = now.mode === left.mode || now.mode === (left.mode | READABLE_MODE);
  return isOpened && isSameInodeState({ ...now, ctimeSeconds, ctimeNanoseconds }, left);
}
