/** What the file system answers when it has no room for what nono stores, or takes nothing. */
export const CANNOT_STORE = ['ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'EFBIG'] as const;
