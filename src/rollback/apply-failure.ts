import { DamageError, isErrno } from '../errors.ts';

/** What a path answers that somebody puts something else at while it is restored: the command may still run. */
export const CHANGED_MEANWHILE = ['ENOENT', 'EEXIST', 'ENOTDIR', 'EISDIR', 'ENOTEMPTY', 'ELOOP', 'EXDEV'] as const;

/** What only others may change, and what nobody may: in a directory of somebody else, or immutable. */
const NOT_PERMITTED = ['EPERM', 'EACCES'] as const;
export const FORBIDDEN = 'the system does not permit it';

/** A content that is damaged, and what cannot be done with one path, keep it as it is and no other one. */
export function reasonOfFailure(run: () => string | undefined): string | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof DamageError) return error.message;
    if (isErrno(error, ...CHANGED_MEANWHILE)) return 'changed meanwhile';
    if (isErrno(error, ...NOT_PERMITTED)) return FORBIDDEN;
    if (isErrno(error, 'EBUSY')) return 'something is mounted there';
    throw error;
  }
}
