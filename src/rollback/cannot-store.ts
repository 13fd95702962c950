/** What the file system answers when it has no room for what nono stores, or takes nothing. */
export const CANNOT_STORE = ['ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'EFBIG'] as const;

/** What the file system of the tracked files answers when it is not nono that is wrong. */
export const USERS_TO_REPAIR = [...CANNOT_STORE, 'EACCES', 'EPERM'] as const;
