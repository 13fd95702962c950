import type { Bytes } from '../bytes.ts';
import { isErrno } from '../errors.ts';
import type { Directory } from '../ports/files.ts';

const REVIEWED = 'reviewed' as Bytes;
const FILE_MODE = 0o600;

/** Whether somebody has looked through what the session changed and decided. */
export function isReviewed(session: Directory): boolean {
  return session.stat(REVIEWED)?.kind === 'file';
}

/** Remembers it. Where that cannot be written the session stays one that nobody has looked at. */
export function markReviewed(session: Directory): void {
  try {
    session.createFile(REVIEWED, FILE_MODE)[Symbol.dispose]();
  } catch (error) {
    if (!isErrno(error, 'EEXIST', 'ENOSPC', 'EDQUOT', 'EROFS', 'EACCES')) throw error;
  }
}
