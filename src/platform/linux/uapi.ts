import type { FileKind } from '../../ports/files.ts';

/** Constants of the file calls, with the header that defines them (Linux 6.18; the same on x64 and arm64 unless said). */

/** include/uapi/linux/fcntl.h */
export const AT_FDCWD = -100;
export const AT_SYMLINK_NOFOLLOW = 0x100;
export const AT_REMOVEDIR = 0x200;
export const AT_EMPTY_PATH = 0x1000;
export const AT_STATX_FORCE_SYNC = 0x2000;
export const AT_STATX_DONT_SYNC = 0x4000;
export const AT_NO_AUTOMOUNT = 0x800;

const isArm64 = process.arch === 'arm64';

/** include/uapi/asm-generic/fcntl.h; arm64 swaps four of them (arch/arm64/include/uapi/asm/fcntl.h). */
export const O_RDONLY = 0;
export const O_WRONLY = 1;
export const O_RDWR = 2;
export const O_CREAT = 0o100;
export const O_EXCL = 0o200;
export const O_NOCTTY = 0o400;
export const O_APPEND = 0o2000;
export const O_NONBLOCK = 0o4000;
export const O_DIRECTORY = isArm64 ? 0o40000 : 0o200000;
export const O_NOFOLLOW = isArm64 ? 0o100000 : 0o400000;
export const O_CLOEXEC = 0o2000000;
export const O_PATH = 0o10000000;
/** Of a master, the number of its terminal (include/uapi/asm-generic/ioctls.h). */
export const TIOCGPTN = 0x80045430;
export const F_GETFL = 3;
export const F_SETFL = 4;
export const F_DUPFD_CLOEXEC = 1030;

/** include/uapi/linux/openat2.h */
export const RESOLVE_NO_XDEV = 0x01;
export const RESOLVE_NO_MAGICLINKS = 0x02;
export const RESOLVE_NO_SYMLINKS = 0x04;
export const RESOLVE_BENEATH = 0x08;

/** include/uapi/linux/stat.h */
export const STATX_BASIC_STATS = 0x7ff;
export const STATX_BTIME = 0x800;
export const STATX_ATTR_MOUNT_ROOT = 0x2000;
const S_IFMT = 0o170000;

/** include/uapi/linux/stat.h: UTIME_OMIT is from include/linux/stat.h */
export const UTIME_OMIT = 0x3ffffffe;

/** include/uapi/linux/fs.h: _IOW(0x94, 9, int) */
export const FICLONE = 0x40049409;

/** include/uapi/asm-generic/fcntl.h */
export const LOCK_SH = 1;
export const LOCK_EX = 2;
export const LOCK_NB = 4;
export const LOCK_UN = 8;

/** File types by the top four of the sixteen bits of a mode, include/uapi/linux/stat.h. */
// biome-ignore format: four in a line
const FILE_KINDS: readonly (FileKind | undefined)[] = [
  undefined, 'fifo', 'characterDevice', undefined,
  'directory', undefined, 'blockDevice', undefined,
  'file', undefined, 'symlink', undefined,
  'socket',
];

/** The kind of a file with that mode; what the kernel has no name for is treated as a file. */
export function fileKind(mode: number): FileKind {
  return FILE_KINDS[(mode & S_IFMT) >> 12] ?? 'file';
}
