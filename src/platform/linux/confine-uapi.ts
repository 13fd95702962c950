/** Constants of confining a process, with the header that defines them (Linux 6.18; the same on x64 and arm64). */

/** include/uapi/linux/prctl.h */
export const PR_SET_PDEATHSIG = 1;
export const PR_CAPBSET_READ = 23;
export const PR_CAPBSET_DROP = 24;
export const PR_SET_NO_NEW_PRIVS = 38;
export const PR_CAP_AMBIENT = 47;
export const PR_CAP_AMBIENT_CLEAR_ALL = 4;

/** include/uapi/linux/capability.h */
export const LINUX_CAPABILITY_VERSION_3 = 0x20080522;
/** Capability numbers are below this; the kernel answers EINVAL for those it does not know. */
export const CAPABILITY_NUMBERS = 64;

/** include/uapi/linux/landlock.h */
export const LANDLOCK_CREATE_RULESET_VERSION = 1;
export const LANDLOCK_RULE_PATH_BENEATH = 1;
export const LANDLOCK_RULE_NET_PORT = 2;

/** include/uapi/linux/seccomp.h */
export const SECCOMP_SET_MODE_FILTER = 1;
export const SECCOMP_FILTER_FLAG_SPEC_ALLOW = 4;
export const SECCOMP_FILTER_FLAG_NEW_LISTENER = 8;
/** Linux 5.19. */
export const SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV = 32;
/** struct sock_filter of include/uapi/linux/filter.h: code, jt, jf, k. */
export const SOCK_FILTER_BYTES = 8;

/** include/uapi/linux/close_range.h */
export const CLOSE_RANGE_CLOEXEC = 4;

/** include/uapi/asm-generic/signal-defs.h */
export const SIG_SETMASK = 2;
export const SIG_DFL = 0;
export const SIG_IGN = 1;
export const SIGKILL = 9;
/** Bytes in the kernel's sigset_t. */
export const SIGNAL_SET_BYTES = 8;
/** struct kernel_sigaction: handler, flags, restorer, mask, eight bytes each. */
export const SIGACTION_BYTES = 32;
