import type { Bytes } from '../bytes.ts';
import { isWithin } from '../paths.ts';
import { isSameClosedFile } from './closed-files.ts';
import { type Change, isSameState, isSameTime } from './compare.ts';
import { type Entry, isSameInodeState } from './entry.ts';

/** What a directory's owner needs to list, enter and change it. */
export const OWNER_MODE = 0o700;

/** What a directory's owner needs to look at what is in it. */
export const READABLE_MODE = 0o500;

const NANOSECONDS_PER_MS = 1_000_000;

/** One path that a restore puts into another state. */
export interface RestoreAction {
  readonly path: Bytes;
  readonly root: Bytes;
  /** The state to go to; undefined for nothing there. */
  readonly want: Entry | undefined;
  /** The state that is there now. */
  readonly now: Entry | undefined;
  /** How people see it: `+` comes back, `-` goes, `~` content, `p` mode, `m` times only. */
  readonly type: '+' | '-' | '~' | 'p' | 'm';
}

/** A path that is neither as the session left it nor as it should become. */
export interface Conflict {
  readonly action: RestoreAction;
  /** For people: what is in the way. */
  readonly reason: string;
}

/** Pure data: nothing is done yet. */
export interface RestorePlan {
  /** Parents before what is in them. */
  readonly actions: readonly RestoreAction[];
  readonly conflicts: readonly Conflict[];
}

/** A change of the session and what stands at its path now. */
export interface ExaminedChange {
  readonly change: Change;
  readonly now: Entry | undefined;
  /** States that other snapshots of the session have there: an earlier restore of it may have made them. */
  readonly others?: readonly (Entry | undefined)[];
  /** What earlier restores of it have left there, with times that are meant to stay. */
  readonly made?: readonly Entry[];
  /** The session itself has put it back: only snapshots in between have another state there than the one to go to. */
  readonly isPutBack?: boolean;
  /** What stands there now is younger than what the session left. */
  readonly isYounger?: boolean;
}

/**
 * Decides for each change what to do: three states decide, the one to go back to (`change.before`), the
 * one that the session left (`change.after`) and the one there now.
 *
 * @param doubtOf Says why a change may be somebody else's although it is as the session left it.
 */
export function planRestore(
  examined: readonly ExaminedChange[],
  doubtOf: (change: Change) => string | undefined = () => undefined,
): RestorePlan {
  const actions: RestoreAction[] = [];
  const conflicts: Conflict[] = [];
  for (const { change, now, others = [], made = [], isPutBack = false, isYounger = false } of examined) {
    const { path, root, before: want, after: left } = change;
    const action: RestoreAction = { path, root, want, now, type: actionType(want, now) };
    if (isSameState(now, want)) {
      // Times are put back only while they are those that the session left, or was in before.
      const isHere = want !== undefined && now !== undefined && !isSameTime(now, want);
      const isOurTime = isHere && [left, ...others].some((state) => state !== undefined && isSameTime(now, state));
      if (isOurTime) actions.push({ ...action, type: 'm' });
      continue;
    }
    const isOurs = [left, ...others, ...made].some((state) => isAsLeft(now, state, isYounger));
    // The session left what is to be there, and no restore of it has put anything else there: what is there now is none of its business.
    if (!isOurs && (isPutBack || change.type === 'm') && made.length === 0) continue;
    const reason = isOurs ? doubtOf(change) : conflictReason(now, left);
    if (reason === undefined) actions.push(action);
    else conflicts.push({ action, reason });
  }
  return { actions, conflicts };
}

/** Begins the reason of something that was moved, which holds for all that is below it. */
export const WAS = 'was ';

/** Without what was moved with a directory that is in conflict itself. */
export function shownConflicts(conflicts: readonly Conflict[]): Conflict[] {
  const shown: Conflict[] = [];
  for (const conflict of conflicts) {
    const { action, reason } = conflict;
    const above = reason.startsWith(WAS) ? shown.findLast((other) => other.reason === reason) : undefined;
    if (above === undefined || !isWithin(action.path, above.action.path)) shown.push(conflict);
  }
  return shown;
}

/** Only the changes at or below one of `paths`; all when there are none. */
export function narrowChanges(changes: readonly Change[], paths: readonly Bytes[]): readonly Change[] {
  if (paths.length === 0) return changes;
  return changes.filter(({ path }) => paths.some((wanted) => isWithin(path, wanted)));
}

/**
 * Gives files whose content comes back the time of the restore, for tools that build what is newer than its result; what is put
 * back otherwise keeps its own.
 */
export function touchContents(actions: readonly RestoreAction[], touchedMs: number | undefined): readonly RestoreAction[] {
  if (touchedMs === undefined) return actions;
  const time = { mtimeSeconds: Math.floor(touchedMs / 1000), mtimeNanoseconds: (touchedMs % 1000) * NANOSECONDS_PER_MS };
  return actions.map((action) => {
    const { want, type } = action;
    const isContent = want?.kind === 'file' && (type === '+' || type === '~');
    return isContent ? { ...action, want: { ...want, ...time } } : action;
  });
}

function isAsLeft(now: Entry | undefined, left: Entry | undefined, isYounger: boolean): boolean {
  if (left?.kind === 'skipped') {
    if (left.reason === 'unreadable') return isStillClosed(now, left, isYounger);
    // What the session left there no snapshot holds; the same inode in the same state is still that.
    return (
      now !== undefined &&
      now.kind !== 'directory' &&
      (isSameInodeState(now, left) || (now.kind === 'skipped' && now.reason === left.reason))
    );
  }
  return (
    isSameState(now, left) || isLeftOpen(now, left) || (now !== undefined && left !== undefined && isSameClosedFile(now, left))
  );
}

/** Whether a restore that was killed may have left it open: a directory that was looked into although its owner may not, as root may. */
function isLeftOpen(now: Entry | undefined, left: Entry | undefined): boolean {
  if (now?.kind !== 'directory' || left?.kind !== 'directory') return false;
  const isSame = now.inode === left.inode && now.device === left.device;
  return isSame && (left.mode & READABLE_MODE) !== READABLE_MODE && now.mode === (left.mode | OWNER_MODE);
}

/**
 * Whether `now` may be what the session made unreadable: the directory itself, closed or opened by a restore,
 * or, below it, where the entry has no inode, whatever was there by the end of the session.
 */
function isStillClosed(now: Entry | undefined, left: Entry, isYounger: boolean): boolean {
  if (left.inode === 0n) return !isYounger;
  if (now === undefined) return false;
  if (now.kind !== 'directory') return isSameInodeState(now, left) || isSameClosedFile(now, left);
  return (
    now.inode === left.inode && now.device === left.device && (now.mode === left.mode || now.mode === (left.mode | OWNER_MODE))
  );
}

function actionType(want: Entry | undefined, now: Entry | undefined): RestoreAction['type'] {
  if (want === undefined) return '-';
  if (now === undefined) return '+';
  return want.kind === now.kind && (want.kind === 'directory' || want.hash === now.hash) ? 'p' : '~';
}

function conflictReason(now: Entry | undefined, left: Entry | undefined): string {
  if (now === undefined) return 'removed since';
  if (left === undefined) return 'created since';
  return now.kind === left.kind || left.reason === 'unreadable' ? 'changed since' : 'replaced since';
}
