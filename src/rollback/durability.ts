import type { Bytes } from '../bytes.ts';
import { isErrno } from '../errors.ts';
import type { Directory } from '../ports/files.ts';
import { withinTime } from '../within-time.ts';
import type { RollbackDeps } from './rollback-deps.ts';
import type { RootDirectories } from './root-directories.ts';

/** So long a command waits for its baseline to be on the disk; beside another writer that takes as long as it likes. */
export const PATIENCE_MS = 5000;

/** Makes everything on the file system of `directory` durable; in another thread where there are some. */
export async function syncDisk({ loadDiskSync }: RollbackDeps, directory: Directory): Promise<void> {
  const sync = await loadDiskSync?.();
  if (sync === undefined) directory.syncFileSystem();
  else await sync(directory.path);
}

/**
 * Makes a session, and what was put back below these roots, durable, before anything says that it was. The loop goes on while the file system
 * of the session is written; others are reached by handles of this thread alone.
 */
export async function syncRestored(
  deps: RollbackDeps,
  session: Directory,
  roots: RootDirectories,
  paths: readonly Bytes[],
): Promise<void> {
  await syncDisk(deps, session);
  const synced = new Set([session.statSelf().device]);
  for (const path of paths) {
    const directory = openToSync(roots, path);
    if (directory === undefined) continue;
    const { device } = directory.statSelf();
    if (!synced.has(device)) directory.syncFileSystem();
    synced.add(device);
  }
}

/** One that was put back closed is reached by the directory above it, which is on the same file system unless something is mounted there. */
function openToSync(roots: RootDirectories, path: Bytes): Directory | undefined {
  try {
    return roots.directory(path) ?? roots.parentOf(path);
  } catch (error) {
    if (isErrno(error, 'EACCES', 'EPERM')) return roots.parentOf(path);
    throw error;
  }
}

/** @returns false when the time is up before `work` has settled; Infinity waits. Rejects as `work` does until then. */
export async function settlesWithin(work: Promise<void>, timeMs: number): Promise<boolean> {
  const settled = work.then(() => true);
  return (await withinTime(settled, timeMs)) ?? false;
}
