import type { Bytes } from '../bytes.ts';
import { lockSoon } from '../lock-soon.ts';
import type { Directory, OpenFile } from '../ports/files.ts';

export const LOCK = 'lock' as Bytes;
/** The lock of a session that is being made, until it is held. */
const NEW_LOCK = 'lock.new' as Bytes;
/** Whoever takes a snapshot in place of the process that holds the lock holds this one: it may outlive that process. */
const TURN = 'checkpoint.lock' as Bytes;
/** Of two restores of a session that still runs, whose lock its supervisor holds, each would take what the other does for the state before. */
const RESTORE = 'restore.lock' as Bytes;
const FILE_MODE = 0o600;

/** @returns the lock of a session when nobody takes its snapshots, undefined when somebody does or may on another host. */
export async function lockSession(session: Directory): Promise<OpenFile | undefined> {
  const lock = session.openForAppend(LOCK, FILE_MODE);
  return await keepIf(lock, async () => (await lockSoon(lock)) && !isTurnTaken(session) && !isOfAnotherHost(session, lock));
}

/**
 * Whether lockSession() would give nothing. Nothing is taken: whoever wants the lock, or a turn, at this moment gets it.
 */
export function isSessionLive(session: Directory): boolean {
  using lock = session.openForAppend(LOCK, FILE_MODE);
  return lock.isLocked() || isTurnTaken(session) || isOfAnotherHost(session, lock);
}

/**
 * Takes the lock of a session that was just made, and says in it on which host that is. It has its name only when it is held: a
 * session whose lock can be had is taken for one whose maker was killed, and removed.
 */
export function lockNewSession(session: Directory): OpenFile {
  const lock = session.createFile(NEW_LOCK, FILE_MODE);
  try {
    lock.tryLock();
    const { name, bootId } = session.host();
    lock.write(Buffer.from(bootId === undefined ? name : `${name}\n${bootId}`, 'latin1'));
    session.rename(NEW_LOCK, session, LOCK);
    return lock;
  } catch (error) {
    lock[Symbol.dispose]();
    throw error;
  }
}

/**
 * Whether the session's process runs, or was lost, on another host that shares the file system: whether it lives cannot be told
 * from here, where its lock need not be seen.
 */
export function isUnknown(session: Directory): boolean {
  const lock = session.openForAppend(LOCK, FILE_MODE);
  try {
    return isOfAnotherHost(session, lock);
  } finally {
    lock[Symbol.dispose]();
  }
}

const HOST_BYTES = 256;

/** A session that ended leaves nothing in its lock. */
function isOfAnotherHost(session: Directory, lock: OpenFile): boolean {
  const memory = Buffer.alloc(HOST_BYTES);
  const text = memory.toString('latin1', 0, lock.read(memory));
  if (text === '') return false;
  const host = session.host();
  const isRenamed = host.bootId !== undefined && text.endsWith(`\n${host.bootId}`);
  return !isRenamed && text !== host.name && !text.startsWith(`${host.name}\n`);
}

/** A lock that is not wanted, or about which a question cannot be answered, is given back. */
async function keepIf(lock: OpenFile, isWanted: () => Promise<boolean>): Promise<OpenFile | undefined> {
  let isKept = false;
  try {
    isKept = await isWanted();
    return isKept ? lock : undefined;
  } finally {
    if (!isKept) lock[Symbol.dispose]();
  }
}

/** @returns the right to take one snapshot in place of the owner, undefined while another one has it. */
export function takeTurn(session: Directory): Promise<OpenFile | undefined> {
  return lockFile(session, TURN);
}

/** @returns the right to restore a session that still runs, undefined while another restore has it. */
export function lockForRestore(session: Directory): Promise<OpenFile | undefined> {
  return lockFile(session, RESTORE);
}

async function lockFile(session: Directory, name: Bytes): Promise<OpenFile | undefined> {
  const lock = session.openForAppend(name, FILE_MODE);
  return await keepIf(lock, () => lockSoon(lock));
}

function isTurnTaken(session: Directory): boolean {
  if (session.stat(TURN) === undefined) return false;
  using turn = session.openForAppend(TURN, FILE_MODE);
  return turn.isLocked();
}
