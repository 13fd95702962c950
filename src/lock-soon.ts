import type { OpenFile } from './ports/files.ts';

const PAUSE_MS = 1;
/** Whoever only looks may have been put aside by the scheduler; one that is stopped is waited for no longer than this. */
const PAUSES_MAXIMUM = 250;

/**
 * tryLock() of somebody who waits, while the loop goes on, for those that only ask (isLocked()) or look after what nobody owns
 * (tryLockShared()).
 *
 * @returns false when another one holds the lock, or shares it all the time.
 */
export async function lockSoon(file: OpenFile): Promise<boolean> {
  for (let pauses = 0; !file.tryLock(); pauses += 1) {
    if (pauses === PAUSES_MAXIMUM || file.isLocked()) return false;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  return true;
}
