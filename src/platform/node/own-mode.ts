const SET_USER_ID = 0o4000;
const SET_GROUP_ID = 0o2000;

/** Whose the files are that this process makes. */
export function ownIds(): { readonly user: number; readonly group: number } {
  return { user: process.geteuid?.() ?? 0, group: process.getegid?.() ?? 0 };
}

/** The mode of a regular file as ports/files.ts has it, without set-user-id and set-group-id where they are of others. */
export function ownMode(mode: number, uid: number, gid: number): number {
  if ((mode & (SET_USER_ID | SET_GROUP_ID)) === 0) return mode;
  const { user, group } = ownIds();
  return mode & ~(uid === user ? 0 : SET_USER_ID) & ~(gid === group ? 0 : SET_GROUP_ID);
}
