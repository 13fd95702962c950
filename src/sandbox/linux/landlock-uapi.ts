/**
 * Numbers of include/uapi/linux/landlock.h (Linux 6.18), and the ABI and kernel that brought each.
 *
 * ABI: 1 = 5.13, 2 = 5.19, 3 = 6.2, 4 = 6.7, 5 = 6.10, 6 = 6.12, 7 = 6.15 (audit flags, no new right).
 */

/** LANDLOCK_ACCESS_FS_*, by bit. */
export const ACCESS_FS = {
  execute: 1 << 0,
  writeFile: 1 << 1,
  readFile: 1 << 2,
  readDir: 1 << 3,
  removeDir: 1 << 4,
  removeFile: 1 << 5,
  makeChar: 1 << 6,
  makeDir: 1 << 7,
  makeReg: 1 << 8,
  makeSock: 1 << 9,
  makeFifo: 1 << 10,
  makeBlock: 1 << 11,
  makeSym: 1 << 12,
  /** ABI 2. Before, linking and renaming between directories is always refused. */
  refer: 1 << 13,
  /** ABI 3. */
  truncate: 1 << 14,
  /** ABI 5. */
  ioctlDev: 1 << 15,
} as const;

/** LANDLOCK_ACCESS_NET_*, ABI 4. */
export const ACCESS_NET = { bindTcp: 1 << 0, connectTcp: 1 << 1 } as const;

/** LANDLOCK_SCOPE_*, ABI 6. */
export const SCOPE = { abstractUnixSocket: 1 << 0, signal: 1 << 1 } as const;

/** All file-system rights of an ABI. */
export function accessFsOf(abi: number): number {
  let rights = (1 << 13) - 1;
  if (abi >= 2) rights |= ACCESS_FS.refer;
  if (abi >= 3) rights |= ACCESS_FS.truncate;
  if (abi >= 5) rights |= ACCESS_FS.ioctlDev;
  return rights;
}

/** The rights that a rule on something else than a directory may have (ACCESS_FILE of security/landlock/fs.c). */
export const ACCESS_FILE = ACCESS_FS.execute | ACCESS_FS.writeFile | ACCESS_FS.readFile | ACCESS_FS.truncate | ACCESS_FS.ioctlDev;
