import { linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 100;
/** Longer than any build; after it even a living owner is not believed, since its number may be another process's by now. */
const STALE_AFTER_MS = 20 * 60 * 1000;

/**
 * Runs `action` while no other process runs one with the same lock file.
 *
 * The file appears with its content (the owner's process number) in one step, by link(2), so a reader
 * never sees half of it. The lock of a process that died is taken over.
 */
export async function withLock(file, action) {
  const mine = `${file}.${process.pid}`;
  while (!tryAcquire(file, mine)) {
    if (isStale(file)) takeAway(file, mine);
    else await sleep(POLL_MS);
  }
  try {
    return await action();
  } finally {
    rmSync(file, { force: true });
  }
}

function tryAcquire(file, mine) {
  writeFileSync(mine, String(process.pid));
  try {
    linkSync(mine, file);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(mine, { force: true });
  }
}

function isStale(file) {
  try {
    const owner = Number(readFileSync(file, 'utf8'));
    return Date.now() - statSync(file).mtimeMs > STALE_AFTER_MS || !isAlive(owner);
  } catch (error) {
    // Released between our two looks at it.
    if (error.code === 'ENOENT') return false;
    throw error;
  }
}

function isAlive(processId) {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** By rename, so that of several that find it stale only one takes it; a fresh lock caught by mistake is put back. */
function takeAway(file, mine) {
  const taken = `${mine}.stale`;
  try {
    renameSync(file, taken);
  } catch (error) {
    if (error.code === 'ENOENT') return;
    throw error;
  }
  if (!isStale(taken)) renameSync(taken, file);
  rmSync(taken, { force: true });
}
