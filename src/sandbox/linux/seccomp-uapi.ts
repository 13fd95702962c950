/** Numbers that a seccomp filter compares with (Linux 6.18; the same on x64 and arm64 unless said). */

/** The machines whose system call tables are known here. */
export type Architecture = 'x64' | 'arm64';

/** AUDIT_ARCH_* of include/uapi/linux/audit.h. */
export const AUDIT_ARCH: Readonly<Record<Architecture, number>> = { x64: 0xc000003e, arm64: 0xc00000b7 };

/** __X32_SYSCALL_BIT of arch/x86/include/uapi/asm/unistd.h: the x32 table shares the architecture of x64. */
export const X32_BIT = 0x40000000;

/** SECCOMP_RET_* of include/uapi/linux/seccomp.h; an errno goes into the low 16 bits. */
export const RETURN = { kill: 0x80000000, errno: 0x00050000, notify: 0x7fc00000, allow: 0x7fff0000 } as const;

/** Offsets in struct seccomp_data of include/uapi/linux/seccomp.h. */
export const DATA = { number: 0, architecture: 4, arguments: 16 } as const;

/** include/uapi/asm-generic/errno-base.h and errno.h */
export const ERRNO = {
  EPERM: 1,
  EACCES: 13,
  ENOTTY: 25,
  ENOSYS: 38,
  EPROTONOSUPPORT: 93,
  EOPNOTSUPP: 95,
  EAFNOSUPPORT: 97,
} as const;

/** CLONE_NEW* of include/uapi/linux/sched.h: time, mount, cgroup, uts, ipc, user, pid and network namespace. */
export const NAMESPACE_FLAGS = 0x80 | 0x20000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000;
/** CLONE_NEWTIME is in the signal number's place for clone(2) (CSIGNAL, the low 8 bits) and not a flag there. */
export const CLONE_NAMESPACE_FLAGS = NAMESPACE_FLAGS & ~0xff;

/** AF_* of include/linux/socket.h */
export const AF = { unix: 1, inet: 2, inet6: 10, netlink: 16 } as const;

/** include/linux/net.h */
export const SOCK_TYPE_MASK = 0xf;
export const SOCK = { stream: 1, datagram: 2, seqpacket: 5 } as const;

/** include/uapi/linux/in.h and in6.h: options that give the packets of a socket a way of their own. */
export const IPPROTO_IPV6 = 41;
export const IPV6_2292PKTOPTIONS = 6;
export const IPV6_RTHDR = 57;

/** include/uapi/linux/netlink.h */
export const NETLINK_ROUTE = 0;

/** include/uapi/linux/in.h; 0 is the family's own choice. */
export const IPPROTO_TCP = 6;

/** include/linux/socket.h: connects and sends at once, past the hook that Landlock has in connect(2). */
export const MSG_FASTOPEN = 0x20000000;

/** ioctl commands that put input into a terminal (include/uapi/asm-generic/ioctls.h). */
export const TIOCSTI = 0x5412;
export const TIOCLINUX = 0x541c;

/** Change what a terminal is: a line discipline, where the console's messages go, and that nobody else may open it, which lasts when the command has ended. */
export const TIOCSETD = 0x5423;
export const TIOCCONS = 0x541d;
export const TIOCEXCL = 0x540c;

/**
 * Commands of the machine's own console (include/uapi/linux/kd.h and vt.h), which have nothing above their second byte: whoever has it for a controlling
 * terminal switches its keyboard off, or keeps the user from other consoles, and so it stays.
 */
export const CONSOLE_IOCTL_MASK = 0xffffff00;
export const CONSOLE_IOCTLS = [0x4b00, 0x5600] as const;

/** Open the other side of a terminal by its master, and tell the number in its name (include/uapi/asm-generic/ioctls.h). */
export const TIOCGPTPEER = 0x5441;
export const TIOCGPTN = 0x80045430;

/** Name a process that gets signals: F_SETOWN and F_SETOWN_EX of fcntl(2), and commands of sockets (linux/sockios.h). */
export const F_SETOWN = 8;
export const F_SETOWN_EX = 15;
export const FIOSETOWN = 0x8901;
export const SIOCSPGRP = 0x8902;

/**
 * Hold up whoever opens a file, or changes a directory (F_SETDELEG is of Linux 6.19), until the holder lets go (include/uapi/linux/fcntl.h): taken with a
 * descriptor of any access.
 */
export const F_SETLEASE = 1024;
export const F_SETDELEG = 1040;

/**
 * ioctl commands that change a file or a tree through a descriptor that is only open for reading, which
 * Landlock does not know of.
 */
export const READ_ONLY_CHANGES: readonly number[] = [
  0x40086602, // FS_IOC_SETFLAGS of include/uapi/linux/fs.h: chattr
  0x40046602, // FS_IOC32_SETFLAGS
  0x401c5820, // FS_IOC_FSSETXATTR
  0x40087602, // FS_IOC_SETVERSION
  0x40047602, // FS_IOC32_SETVERSION
  0x40086604, // EXT4_IOC_SETVERSION of fs/ext4/ext4.h
  0x40046604, // EXT4_IOC32_SETVERSION
  0x40047211, // FAT_IOCTL_SET_ATTRIBUTES of include/uapi/linux/msdos_fs.h
  0x40806685, // FS_IOC_ENABLE_VERITY of include/uapi/linux/fsverity.h: read-only for ever
  0x800c6613, // FS_IOC_SET_ENCRYPTION_POLICY of include/uapi/linux/fscrypt.h
  0xc0506617, // FS_IOC_ADD_ENCRYPTION_KEY
  0xc0406618, // FS_IOC_REMOVE_ENCRYPTION_KEY: locks the user's encrypted directories
  0x50009401, // BTRFS_IOC_SNAP_CREATE of include/uapi/linux/btrfs.h
  0x5000940e, // BTRFS_IOC_SUBVOL_CREATE
  0x5000940f, // BTRFS_IOC_SNAP_DESTROY
  0x50009417, // BTRFS_IOC_SNAP_CREATE_V2
  0x50009418, // BTRFS_IOC_SUBVOL_CREATE_V2
  0x5000943f, // BTRFS_IOC_SNAP_DESTROY_V2
  0x4008941a, // BTRFS_IOC_SUBVOL_SETFLAGS
  0xc0c89425, // BTRFS_IOC_SET_RECEIVED_SUBVOL
  0xc0c09425, // BTRFS_IOC_SET_RECEIVED_SUBVOL_32 of fs/btrfs/ioctl.c
  0x40186f04, // OCFS2_IOC_REFLINK of fs/ocfs2/ocfs2_ioctl.h: makes a file by its path, past the hooks that Landlock has
  0x4004f50d, // F2FS_IOC_SET_PIN_FILE of include/uapi/linux/f2fs.h: asks for no right to write
  0x40088302, // ZFS_IOC_SETDOSFLAGS of OpenZFS (include/sys/fs/zfs.h)
  0xc0189436, // FIDEDUPERANGE: compares with files of the user that are open for neither reading nor writing
];

/**
 * All commands of bcachefs (the second byte; fs/bcachefs/bcachefs_ioctl.h): they make and remove subvolumes by their paths and
 * give directories other attributes, past the hooks that Landlock has, and there are new ones with each version.
 */
export const IOCTL_KIND_MASK = 0xff00;
export const BCACHEFS_IOCTLS = 0xbc00;

/** ioctl commands of terminals, first and last (include/uapi/asm-generic/ioctls.h), and of sockets (linux/sockios.h). */
export const TERMINAL_IOCTLS = [0x5401, 0x545f] as const;
export const SOCKET_IOCTLS = [0x8900, 0x89ff] as const;

/** Other ioctl commands that mean something for what is no device, or that Landlock lets pass on every device. */
export const ORDINARY_IOCTLS: readonly number[] = [
  0x1, // FIBMAP of include/uapi/linux/fs.h
  0x2, // FIGETBSZ
  0x5460, // FIOQSIZE of include/uapi/asm-generic/ioctls.h
  0x80086601, // FS_IOC_GETFLAGS
  0x80046601, // FS_IOC32_GETFLAGS
  0x801c581f, // FS_IOC_FSGETXATTR
  0x80087601, // FS_IOC_GETVERSION
  0x81009431, // FS_IOC_GETFSLABEL
  0x80111500, // FS_IOC_GETFSUUID
  0xc020660b, // FS_IOC_FIEMAP of include/uapi/linux/fiemap.h
  0x40049409, // FICLONE
  0x4020940d, // FICLONERANGE
  0xc0686611, // PROCMAP_QUERY
  0xc0606610, // PAGEMAP_SCAN
  0x802c542a, // TCGETS2 of include/uapi/asm-generic/ioctls.h
  0x402c542b, // TCSETS2
  0x402c542c, // TCSETSW2
  0x402c542d, // TCSETSF2
  TIOCGPTN,
  0x40045431, // TIOCSPTLCK
  0x80045432, // TIOCGDEV
  0x40045436, // TIOCSIG
  0x80045438, // TIOCGPKT
  0x80045439, // TIOCGPTLCK
  0x80045440, // TIOCGEXCL
  0x40085400, // TFD_IOC_SET_TICKS of include/uapi/linux/timerfd.h
  0x80045200, // RNDGETENTCNT of include/uapi/linux/random.h
  0xb701, // NS_GET_USERNS of include/uapi/linux/nsfs.h
  0xb702, // NS_GET_PARENT
  0xb703, // NS_GET_NSTYPE
  0xb704, // NS_GET_OWNER_UID
  0xc0502100, // SECCOMP_IOCTL_NOTIF_RECV of include/uapi/linux/seccomp.h
  0xc0182101, // SECCOMP_IOCTL_NOTIF_SEND
  0x40082102, // SECCOMP_IOCTL_NOTIF_ID_VALID
  0x40182103, // SECCOMP_IOCTL_NOTIF_ADDFD
];

/** include/uapi/asm-generic/fcntl.h; arm64 changes others. */
export const O_ACCMODE = 3;
export const O_WRONLY = 1;
export const O_RDWR = 2;
export const O_TRUNC = 0o1000;
/** What does not matter of an open: O_NOCTTY, O_NONBLOCK, O_CLOEXEC, and O_LARGEFILE of both machines. */
export const O_BESIDE = 0o400 | 0o4000 | 0o2000000 | 0o100000 | 0o400000;
export const O_PATH = 0o10000000;

/**
 * The highest number of a system call that was looked at when this filter was written: file_setattr(2), Linux 6.17.
 * The tables of x64 and arm64 agree above 424.
 */
export const NEWEST_KNOWN_CALL = 469;

/**
 * Numbers by name, x64 then arm64: arch/x86/entry/syscalls/syscall_64.tbl and scripts/syscall.tbl. Undefined
 * where the machine has no such call.
 */
// biome-ignore format: one call in a line is easier to check against the tables
const CALLS = {
  acct: [163, 89],
  add_key: [248, 217],
  bpf: [321, 280],
  chmod: [90, undefined],
  chown: [92, undefined],
  clone: [56, 220],
  clone3: [435, 435],
  connect: [42, 203],
  creat: [85, undefined],
  delete_module: [176, 106],
  fanotify_init: [300, 262],
  fchmod: [91, 52],
  fchmodat: [268, 53],
  fchmodat2: [452, 452],
  fchown: [93, 55],
  fchownat: [260, 54],
  fcntl: [72, 25],
  file_setattr: [469, 469],
  finit_module: [313, 273],
  fremovexattr: [199, 16],
  fsconfig: [431, 431],
  fsetxattr: [190, 7],
  fsmount: [432, 432],
  fsopen: [430, 430],
  fspick: [433, 433],
  futimesat: [261, undefined],
  init_module: [175, 105],
  io_uring_enter: [426, 426],
  io_uring_register: [427, 427],
  io_uring_setup: [425, 425],
  ioctl: [16, 29],
  ioperm: [173, undefined],
  iopl: [172, undefined],
  kexec_file_load: [320, 294],
  kexec_load: [246, 104],
  keyctl: [250, 219],
  kill: [62, 129],
  lchown: [94, undefined],
  listen: [50, 201],
  lremovexattr: [198, 15],
  lsetxattr: [189, 6],
  modify_ldt: [154, undefined],
  mount: [165, 40],
  mount_setattr: [442, 442],
  move_mount: [429, 429],
  open: [2, undefined],
  open_by_handle_at: [304, 265],
  open_tree: [428, 428],
  open_tree_attr: [467, 467],
  openat: [257, 56],
  openat2: [437, 437],
  perf_event_open: [298, 241],
  pidfd_send_signal: [424, 424],
  pivot_root: [155, 41],
  prlimit64: [302, 261],
  quotactl: [179, 60],
  quotactl_fd: [443, 443],
  reboot: [169, 142],
  removexattr: [197, 14],
  removexattrat: [466, 466],
  request_key: [249, 218],
  rt_sigqueueinfo: [129, 138],
  rt_tgsigqueueinfo: [297, 240],
  sendmmsg: [307, 269],
  sendmsg: [46, 211],
  sendto: [44, 206],
  setns: [308, 268],
  setsockopt: [54, 208],
  setxattr: [188, 5],
  setxattrat: [463, 463],
  socket: [41, 198],
  socketpair: [53, 199],
  swapoff: [168, 225],
  swapon: [167, 224],
  syslog: [103, 116],
  tgkill: [234, 131],
  tkill: [200, 130],
  truncate: [76, 45],
  umount2: [166, 39],
  unshare: [272, 97],
  uselib: [134, undefined],
  userfaultfd: [323, 282],
  utime: [132, undefined],
  utimensat: [280, 88],
  utimes: [235, undefined],
} as const;

export type CallName = keyof typeof CALLS;

/** The number of a call, undefined where the machine has none of that name. */
export function callNumber(name: CallName, architecture: Architecture): number | undefined {
  return CALLS[name][architecture === 'x64' ? 0 : 1];
}
