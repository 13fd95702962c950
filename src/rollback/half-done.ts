import { isSameTime } from './compare.ts';
import type { Entry } from './entry.ts';
import type { ExaminedChange } from './restore-plan.ts';

/**
 * States that an interrupted restore passes through: nothing, between removing a directory and putting a
 * file in its place or the other way round, and a directory that does not have its mode yet. One file takes the place of
 * another by a rename: where there is none somebody has removed it since.
 */
export function acceptHalfDone({ change, now }: ExaminedChange): ExaminedChange {
  if (isTorn(change.before, now)) return { change: { ...change, after: now }, now };
  const isDirectoryOnTheWay = change.before?.kind === 'directory' || change.after?.kind === 'directory';
  const isHalfDone = isDirectoryOnTheWay && (now === undefined || now.kind === 'directory');
  return isHalfDone ? { change: { ...change, after: now }, now } : { change, now };
}

/**
 * A loss of power leaves a file that was put back with its name, mode and time, and less than its content, or none. Nobody else gives
 * a file the very nanosecond that it is to have.
 */
function isTorn(want: Entry | undefined, now: Entry | undefined): boolean {
  if (want?.kind !== 'file' || now?.kind !== 'file') return false;
  return now.hash !== want.hash && now.sizeBytes <= want.sizeBytes && now.mode === want.mode && isSameTime(want, now);
}
