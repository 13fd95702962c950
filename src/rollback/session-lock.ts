import type { Bytes } from '../bytes.ts';
import type { Directory, OpenFile } from '../ports/files.ts';

export const LOCK = 'lock' as Bytes;
/** Whoever takes a snapshot in place of the process that holds the lock holds this one: it may outlive that process. */
const TURN = 'checkpoint.lock' as Bytes;
const FILE_MODE = 0o600;

/** @returns the lock of a session when nobody takes its snapshots, undefined when somebody does. */
export function tryLockSession(session: Directory): OpenFile | undefined {
  const lock = session.openForAppend(LOCK, FILE_MODE);
  return keepIf(lock, () => lock.tryLock() && !isTurnTaken(session));
}

/** A lock that is not wanted, or about which a question cannot be answered, is given back. */
function keepIf(lock: OpenFile, isWanted: () => boolean): OpenFile | undefined {
  let isKept = false;
  try {
    isKept = isWanted();
    return isKept ? lock : undefined;
  } finally {
    if (!isKept) lock[Symbol.dispose]();
  }
}

/** @returns the right to take one snapshot in place of the owner, undefined while another one has it. */
export function tryTurn(session: Directory): OpenFile | undefined {
  const turn = session.openForAppend(TURN, FILE_MODE);
  return keepIf(turn, () => turn.tryLock());
}

function isTurnTaken(session: Directory): boolean {
  if (session.stat(TURN) === undefined) return false;
  using turn = tryTurn(session);
  return turn === undefined;
}
