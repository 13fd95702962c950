import { SystemError } from '../../errors.ts';
import { EINTR, errnoName } from './errno.ts';
import { ADDRESS, memoryAt, openLibc, WORD } from './foreign.ts';

export { errnoName } from './errno.ts';
export { addressOf } from './foreign.ts';

/**
 * Direct system calls through libc's `syscall`, one ffi symbol for all of them: opening more symbols
 * costs start-up time for each.
 *
 * Numbers: arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h, Linux 6.18.
 */
const NUMBERS_X64 = {
  read: 0,
  write: 1,
  writev: 20,
  pread64: 17,
  close: 3,
  lseek: 8,
  ftruncate: 77,
  mmap: 9,
  munmap: 11,
  mprotect: 10,
  rt_sigaction: 13,
  shutdown: 48,
  connect: 42,
  sendmsg: 46,
  recvmsg: 47,
  socketpair: 53,
  getsockopt: 55,
  fcntl: 72,
  chdir: 80,
  setpgid: 109,
  getpgid: 121,
  clock_gettime: 228,
  eventfd2: 290,
  exit: 60,
  tgkill: 234,
  exit_group: 231,
  madvise: 28,
  ppoll: 271,
  pipe2: 293,
  rt_sigprocmask: 14,
  ioctl: 16,
  getpid: 39,
  execve: 59,
  kill: 62,
  flock: 73,
  fsync: 74,
  umask: 95,
  uname: 63,
  getppid: 110,
  setsid: 112,
  getpriority: 140,
  sched_setattr: 314,
  prctl: 157,
  getdents64: 217,
  waitid: 247,
  openat: 257,
  mkdirat: 258,
  unlinkat: 263,
  linkat: 265,
  symlinkat: 266,
  readlinkat: 267,
  fchmod: 91,
  fchmodat: 268,
  utimensat: 280,
  dup3: 292,
  nanosleep: 35,
  syncfs: 306,
  fstatfs: 138,
  ptrace: 101,
  process_vm_readv: 310,
  seccomp: 317,
  faccessat: 269,
  memfd_create: 319,
  getrandom: 318,
  renameat2: 316,
  capset: 126,
  capget: 125,
  statx: 332,
  pidfd_open: 434,
  close_range: 436,
  prlimit64: 302,
  openat2: 437,
  landlock_create_ruleset: 444,
  landlock_add_rule: 445,
  landlock_restrict_self: 446,
} as const;

export type SyscallName = keyof typeof NUMBERS_X64;

const NUMBERS_ARM64: Readonly<Record<SyscallName, number>> = {
  read: 63,
  write: 64,
  writev: 66,
  pread64: 67,
  close: 57,
  lseek: 62,
  ftruncate: 46,
  mmap: 222,
  munmap: 215,
  mprotect: 226,
  rt_sigaction: 134,
  shutdown: 210,
  connect: 203,
  sendmsg: 211,
  recvmsg: 212,
  socketpair: 199,
  getsockopt: 209,
  fcntl: 25,
  chdir: 49,
  setpgid: 154,
  getpgid: 155,
  clock_gettime: 113,
  eventfd2: 19,
  exit: 93,
  tgkill: 131,
  exit_group: 94,
  madvise: 233,
  ppoll: 73,
  pipe2: 59,
  rt_sigprocmask: 135,
  ioctl: 29,
  getpid: 172,
  execve: 221,
  kill: 129,
  flock: 32,
  fsync: 82,
  umask: 166,
  uname: 160,
  getppid: 173,
  setsid: 157,
  getpriority: 141,
  sched_setattr: 274,
  prctl: 167,
  getdents64: 61,
  waitid: 95,
  openat: 56,
  mkdirat: 34,
  unlinkat: 35,
  linkat: 37,
  symlinkat: 36,
  readlinkat: 78,
  fchmod: 52,
  fchmodat: 53,
  utimensat: 88,
  dup3: 24,
  nanosleep: 101,
  syncfs: 267,
  fstatfs: 44,
  ptrace: 117,
  process_vm_readv: 270,
  seccomp: 277,
  faccessat: 48,
  memfd_create: 279,
  getrandom: 278,
  renameat2: 276,
  capset: 91,
  capget: 90,
  statx: 291,
  pidfd_open: 434,
  close_range: 436,
  prlimit64: 261,
  openat2: 437,
  landlock_create_ruleset: 444,
  landlock_add_rule: 445,
  landlock_restrict_self: 446,
};

const NUMBERS: Readonly<Record<SyscallName, number>> = process.arch === 'arm64' ? NUMBERS_ARM64 : NUMBERS_X64;

const libc = openLibc({
  syscall: { args: [WORD, WORD, WORD, WORD, WORD, WORD, WORD], returns: WORD },
  __errno_location: { args: [], returns: ADDRESS },
});
const call = libc.syscall;
const errnoAddress = Number(libc.__errno_location());
/** Made when a call first fails. To read an int by the function that is made for that takes a start 0.05 ms. */
let errno: Int32Array | undefined;

/** The number of a call on this processor. */
export function syscallNumber(name: SyscallName): number {
  return NUMBERS[name];
}

/** Makes the call. @returns its result, or the errno negated. */
export function trySyscall(name: SyscallName, a = 0, b = 0, c = 0, d = 0, e = 0, f = 0): number {
  const result = Number(call(NUMBERS[name], a, b, c, d, e, f));
  if (result !== -1) return result;
  errno ??= new Int32Array(memoryAt(errnoAddress, Int32Array.BYTES_PER_ELEMENT));
  return -(errno[0] ?? 0);
}

/** Makes the call again while a signal interrupts it. @throws {SystemError} */
export function syscall(name: SyscallName, a = 0, b = 0, c = 0, d = 0, e = 0, f = 0): number {
  for (;;) {
    const result = trySyscall(name, a, b, c, d, e, f);
    if (result >= 0) return result;
    if (result !== -EINTR) throw new SystemError(name, errnoName(-result));
  }
}

/**
 * Memory that stays where it is. A typed array made by length may move its storage when `.buffer` is
 * first used, which makes an earlier address stale.
 */
export function fixedBuffer(sizeBytes: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new ArrayBuffer(sizeBytes));
}
