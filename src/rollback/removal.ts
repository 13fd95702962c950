import type { Bytes } from '../bytes.ts';
import { isErrno } from '../errors.ts';
import { nextTurn } from '../next-turn.ts';
import type { Directory, Stat } from '../ports/files.ts';
import { MANIFEST } from './session-directory.ts';
import { isRollbackId } from './session-id.ts';
import { isSessionLive, LOCK, lockSession } from './session-lock.ts';
import { readSmallFile } from './small-file.ts';
import type { RollbackStore } from './store.ts';

/**
 * What a session takes on the disk is known without looking at its objects: the bytes that it stored, and
 * those that it took over when a session with which it shared them was removed (`carried`). So listing and
 * retention cost nothing that grows with what is stored, and the sum over all sessions counts links once.
 */
const CARRIED = 'carried' as Bytes;
const CARRIED_TEMPORARY = 'carried.tmp' as Bytes;
const FILE_MODE = 0o600;
/** The unit in which a file system tells what a file takes. */
const BLOCK_BYTES = 512;
/** A directory without a lock file is somebody's that has just been made, unless it is as old as this. */
const ORPHAN_AGE_MS = 3_600_000;

/** Bytes that the session took over from removed ones. */
export function carriedBytes(session: Directory): number {
  const text = readSmallFile(session, CARRIED);
  const bytes = text === undefined ? 0 : Number(/^(\d{1,15})\n$/.exec(text)?.[1] ?? 0);
  return Number.isSafeInteger(bytes) ? bytes : 0;
}

function addCarried(session: Directory, bytes: number): void {
  const total = carriedBytes(session) + bytes;
  if (session.stat(CARRIED_TEMPORARY) !== undefined) session.removeFile(CARRIED_TEMPORARY);
  {
    using file = session.createFile(CARRIED_TEMPORARY, FILE_MODE);
    file.write(Buffer.from(`${total}\n`));
  }
  session.rename(CARRIED_TEMPORARY, session, CARRIED);
}

/** A session that was removed. */
export interface Removal {
  readonly id: Bytes;
  /** What is really free now: contents that no other session holds. */
  readonly freedBytes: number;
}

/**
 * Removes sessions that nobody uses; one whose lock is held stays.
 *
 * @param onNext Told how many were done before each.
 * @returns those that were removed.
 */
export async function removeSessions(
  store: RollbackStore,
  ids: readonly Bytes[],
  onNext?: (done: number) => void,
): Promise<Removal[]> {
  await store.finishRemovals();
  const removals: Removal[] = [];
  for (const [done, id] of ids.entries()) {
    onNext?.(done);
    // Between two of them a signal is heard, and a client.
    await nextTurn();
    const removal = await unlessGone(() => removeOne(store, id));
    if (removal !== undefined) removals.push(removal);
  }
  return removals;
}

/** Another run may have removed the same session meanwhile, or the one that was to account for it. */
async function unlessGone<T>(work: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

async function removeOne(store: RollbackStore, id: Bytes): Promise<Removal | undefined> {
  using directory = store.openDirectoryToRemove(id);
  if (directory === undefined) return undefined;
  using lock = await lockSession(directory);
  if (lock === undefined) return undefined;
  const { freedBytes, sharedBytes } = await measureObjects(directory);
  if (sharedBytes > 0) {
    const heir = findHeir(store, id);
    using heirDirectory = heir === undefined ? undefined : store.openDirectory(heir);
    if (heirDirectory !== undefined) await unlessGone(() => addCarried(heirDirectory, sharedBytes));
  }
  await store.remove(id);
  return { id, freedBytes };
}

/** Any session that stays may account for what is shared; the next newer one is the likeliest to share it. */
function findHeir(store: RollbackStore, id: Bytes): Bytes | undefined {
  const others = store.ids().filter((other) => other !== id);
  return others.filter((other) => other > id).at(-1) ?? others[0];
}

/**
 * What would be free if these sessions were removed, all of them and in this order: a content goes with the last of the
 * names that it has.
 */
export async function measureRemovals(store: RollbackStore, ids: readonly Bytes[]): Promise<Removal[]> {
  const seen = new Map<string, number>();
  const removals: Removal[] = [];
  for (const id of ids) {
    using directory = store.openDirectory(id);
    if (directory === undefined) continue;
    const { freedBytes } = await measureObjects(directory, seen);
    removals.push({ id, freedBytes });
  }
  return removals;
}

/**
 * @param seen How many names of each content were met in sessions that go too, by inode.
 * @returns what the disk gets back, in whole blocks, and the sizes of what other sessions still hold.
 */
async function measureObjects(
  session: Directory,
  seen = new Map<string, number>(),
): Promise<{ readonly freedBytes: number; readonly sharedBytes: number }> {
  let [freedBytes, sharedBytes] = [0, 0];
  for (const stat of objectStats(session)) {
    if (stat === undefined) {
      await nextTurn();
      continue;
    }
    const key = `${stat.device}:${stat.inode}`;
    const count = (seen.get(key) ?? 0) + 1;
    if (stat.links > 1) seen.set(key, count);
    if (stat.links > count) sharedBytes += stat.sizeBytes;
    else freedBytes += stat.blocks * BLOCK_BYTES;
  }
  return { freedBytes, sharedBytes };
}

/** With a pause, undefined, after each directory of them. */
function* objectStats(session: Directory): Generator<Stat | undefined> {
  try {
    using objects = session.openDirectory('objects' as Bytes);
    for (const prefix of objects.names()) {
      if (objects.stat(prefix)?.kind !== 'directory') continue;
      using fanOut = objects.openDirectory(prefix);
      for (const name of fanOut.names()) {
        const stat = fanOut.stat(name);
        if (stat !== undefined) yield stat;
      }
      yield undefined;
    }
  } catch (error) {
    // A session that was left half made may have no objects yet.
    if (!isErrno(error, 'ENOENT', 'ENOTDIR')) throw error;
  }
}

/** Sessions without a manifest that nobody is making: killed runs and unfinished removals. */
export function findOrphans(store: RollbackStore, nowMs: number): Bytes[] {
  const listed = new Set(store.ids());
  return store.names().filter((id) => isRollbackId(id) && !listed.has(id) && isOrphan(store, id, nowMs));
}

function isOrphan(store: RollbackStore, id: Bytes, nowMs: number): boolean {
  using directory = store.openDirectory(id);
  if (directory === undefined) return false;
  if (directory.stat(LOCK) === undefined) return nowMs - directory.statSelf().mtimeSeconds * 1000 > ORPHAN_AGE_MS;
  // Its run may have come to its end since it was looked for among those that have a manifest.
  return !isSessionLive(directory) && directory.stat(MANIFEST) === undefined;
}
