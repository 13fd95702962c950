import { isErrno } from '../errors.ts';

/** What nobody who looks at a `.git` can do anything about: it may lead to another user's directory, in a circle, or be no name at all. */
const UNREADABLE = ['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG', 'EACCES', 'EPERM', 'EAGAIN', 'ENXIO', 'EXDEV', 'EIO'] as const;

/** The command writes `.git`, and what is in it says where to look on: neither it nor a later run fails for that. */
export function unlessUnreadable<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch (error) {
    if (!isErrno(error, ...UNREADABLE)) throw error;
    return otherwise;
  }
}
