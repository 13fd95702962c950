import { ASKED_CALLS, MEDIATED_BY_ARGUMENTS, MEDIATED_CALLS, MEDIATED_SIGNALS } from '../../../sandbox/linux/mediation.ts';
import { type Architecture, callNumber } from '../../../sandbox/linux/seccomp-uapi.ts';

/** The calls that the mediator makes, x64 then arm64, beside those that it is asked for: the same tables as CALLS of seccomp-uapi.ts. */
// biome-ignore format: one call in a line is easier to check against the tables
const OWN_CALLS: Readonly<Record<string, readonly [x64: number, arm64: number]>> = {
  bind: [49, 200],
  capget: [125, 90],
  capset: [126, 91],
  chdir: [80, 49],
  clock_gettime: [228, 113],
  clone: [56, 220],
  close: [3, 57],
  close_range: [436, 436],
  dup3: [292, 24],
  exit: [60, 93],
  exit_group: [231, 94],
  faccessat2: [439, 439],
  getdents64: [217, 61],
  getgid: [104, 176],
  getpgid: [121, 155],
  getpid: [39, 172],
  getsockname: [51, 204],
  getsockopt: [55, 209],
  gettid: [186, 178],
  getuid: [102, 174],
  mmap: [9, 222],
  munmap: [11, 215],
  pidfd_getfd: [438, 438],
  pidfd_open: [434, 434],
  ppoll: [271, 73],
  prctl: [157, 167],
  process_vm_readv: [310, 270],
  pwrite64: [18, 68],
  read: [0, 63],
  readlinkat: [267, 78],
  recvfrom: [45, 207],
  rt_sigaction: [13, 134],
  rt_sigprocmask: [14, 135],
  setsid: [112, 157],
  setsockopt: [54, 208],
  statx: [332, 291],
  timer_create: [222, 107],
  timer_settime: [223, 110],
  truncate: [76, 45],
  umask: [95, 166],
};

/** include/uapi/asm-generic/fcntl.h and arch/arm64/include/uapi/asm/fcntl.h */
const O_NOFOLLOW: Readonly<Record<Architecture, number>> = { x64: 0o400000, arm64: 0o100000 };
const O_DIRECTORY: Readonly<Record<Architecture, number>> = { x64: 0o200000, arm64: 0o40000 };

/** What the mediator's C code takes as given: the numbers that differ between machines. */
export function mediatorDefinitions(architecture: Architecture): string {
  const numbers = new Map(Object.entries(OWN_CALLS).map(([name, [x64, arm64]]) => [name, architecture === 'x64' ? x64 : arm64]));
  for (const name of [...MEDIATED_CALLS, ...MEDIATED_BY_ARGUMENTS, ...MEDIATED_SIGNALS, ...ASKED_CALLS]) {
    const number = callNumber(name, architecture);
    if (number !== undefined) numbers.set(name, number);
  }
  const lines = Array.from(numbers, ([name, number]) => `#define CALL_${name} ${number}\n`);
  return `${lines.join('')}#define O_NOFOLLOW ${O_NOFOLLOW[architecture]}\n#define O_DIRECTORY ${O_DIRECTORY[architecture]}\n#line 1 "mediator"\n`;
}
