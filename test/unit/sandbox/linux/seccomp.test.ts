import { describe, expect, test } from 'vitest';
import { encodeSeccomp } from '../../../../src/sandbox/linux/seccomp.ts';
import { type Architecture, AUDIT_ARCH, callNumber, READ_ONLY_CHANGES } from '../../../../src/sandbox/linux/seccomp-uapi.ts';
import { ALLOWED, ARCHITECTURES, answer, ask, BLOCKED, LOOPBACK, PORTS } from './ask-filter.ts';
import { checkAsKernel, simulate } from './bpf-simulator.ts';

/** Numbers of calls that every program makes: read, write, mmap, futex, epoll_wait, execve and the like. */
const EVERYDAY: Readonly<Record<Architecture, readonly number[]>> = {
  x64: [0, 1, 3, 9, 10, 11, 12, 13, 14, 45, 49, 57, 58, 59, 60, 61, 62, 202, 231, 232, 262, 281, 318, 434],
  arm64: [63, 64, 57, 222, 226, 215, 214, 134, 135, 207, 200, 221, 93, 260, 129, 98, 94, 22, 79, 278],
};

describe.for(ARCHITECTURES)('the filter for %s', (architecture) => {
  test.for([ALLOWED, BLOCKED, PORTS, LOOPBACK])('is one that the kernel takes ($mode)', (network) => {
    for (const mediator of ['own', 'outer'] as const) {
      for (let abi = 1; abi <= 7; abi++) {
        for (const datagrams of [false, true])
          expect(() => checkAsKernel(encodeSeccomp({ network, architecture, abi, mediator, datagrams }))).not.toThrow();
      }
    }
  });

  test('kills what comes in through the table of another architecture', () => {
    const i386 = 0x40000003;
    const program = encodeSeccomp({ network: ALLOWED, architecture, abi: 7, mediator: 'own' });

    for (const number of [0, 1, 20, 102, 0xffffffff]) {
      expect(answer(simulate(program, { number, architecture: i386 }).value)).toBe('kill');
    }
  });

  test('lets everyday calls pass within a few comparisons, and without looking at their arguments', () => {
    const program = encodeSeccomp({ network: ALLOWED, architecture, abi: 7, mediator: 'own' });

    for (const number of EVERYDAY[architecture]) {
      const { value, steps, offsets } = simulate(program, { number, architecture: AUDIT_ARCH[architecture] });
      expect({ number, answer: answer(value), offsets }).toEqual({ number, answer: 'allow', offsets: [4, 0] });
      expect(steps).toBeLessThanOrEqual(16);
    }
  });

  test('looks at nothing but the flags of an open, and asks only about those that a terminal is opened with', () => {
    const program = encodeSeccomp({ network: ALLOWED, architecture, abi: 7, mediator: 'own' });
    const number = callNumber('openat', architecture) ?? Number.NaN;
    const open = (flags: number) =>
      simulate(program, { number, architecture: AUDIT_ARCH[architecture], arguments: [0, 0, flags] });

    const [O_CREAT, O_NOCTTY, O_NONBLOCK, O_CLOEXEC] = [0o100, 0o400, 0o4000, 0o2000000];
    for (const flags of [2, 2 | O_NOCTTY, 2 | O_CLOEXEC, 2 | O_NOCTTY | O_NONBLOCK | O_CLOEXEC])
      expect(answer(open(flags).value)).toBe('mediated');
    for (const flags of [0, 1, O_CLOEXEC, O_NOCTTY, 2 | O_CREAT, 1 | O_NOCTTY | O_CREAT, 2 | 0o1000, 2 | 0o2000]) {
      const { value, steps, offsets } = open(flags);
      expect({ flags, answer: answer(value), offsets }).toEqual({ flags, answer: 'allow', offsets: [4, 0, 16 + 2 * 8] });
      expect(steps).toBeLessThanOrEqual(20);
    }
  });

  test.for(['own', 'outer'] as const)(
    'refuses leases, and looks at nothing but the command of an fcntl (mediator: %s)',
    (mediator) => {
      for (let abi = 1; abi <= 7; abi++) {
        const asked = (command: number, value = 1) => ask('fcntl', [3, command, value], { architecture, abi, mediator });
        for (const command of [1024, 1040])
          expect([0, 1, 2].map((value) => asked(command, value))).toEqual(['EACCES', 'EACCES', 'EACCES']);
        // F_DUPFD_CLOEXEC, F_GETFL, F_SETFL, F_SETLK, F_GETLEASE, F_OFD_SETLKW
        for (const command of [1030, 3, 4, 6, 1025, 38]) expect(asked(command)).toBe('allow');
      }
      const program = encodeSeccomp({ network: ALLOWED, architecture, abi: 7, mediator });
      const number = callNumber('fcntl', architecture) ?? Number.NaN;
      const { offsets, steps } = simulate(program, { number, architecture: AUDIT_ARCH[architecture], arguments: [3, 6, 1] });
      expect(offsets).toEqual([4, 0, 16 + 8]);
      expect(steps).toBeLessThanOrEqual(20);
    },
  );

  test.for(['clone', 'unshare', 'ioctl', 'socket', 'socketpair'] as const)('knows %s by its number', (call) => {
    expect(callNumber(call, architecture)).toBeDefined();
  });

  test.for([
    'mount',
    'umount2',
    'move_mount',
    'open_tree',
    'open_tree_attr',
    'fsopen',
    'fsconfig',
    'fsmount',
    'fspick',
    'mount_setattr',
    'pivot_root',
    'setns',
    'io_uring_setup',
    'io_uring_enter',
    'io_uring_register',
    'keyctl',
    'add_key',
    'request_key',
    'bpf',
    'userfaultfd',
    'perf_event_open',
    'open_by_handle_at',
    'kexec_load',
    'kexec_file_load',
    'init_module',
    'finit_module',
    'delete_module',
    'swapon',
    'swapoff',
    'reboot',
    'quotactl',
    'quotactl_fd',
    'acct',
    'fanotify_init',
    'file_setattr',
    'syslog',
  ] as const)('refuses %s', (call) => {
    expect(ask(call, [], { architecture })).toBe('EPERM');
  });

  test('answers what is newer than itself as an older kernel would', () => {
    expect([468, 470, 471, 1000, 0x3fffffff].map((number) => ask(number, [], { architecture }))).toEqual([
      'allow',
      'ENOSYS',
      'ENOSYS',
      'ENOSYS',
      'ENOSYS',
    ]);
  });
});

describe('the filter', () => {
  test('refuses the x32 table, whose numbers have a bit of their own', () => {
    expect([0x40000000, 0x40000000 + 257, 0x40000000 + 520, 0xffffffff].map((number) => ask(number))).toEqual([
      'ENOSYS',
      'ENOSYS',
      'ENOSYS',
      'ENOSYS',
    ]);
  });

  test('answers clone3 as if there were none, whose flags it cannot see', () => {
    expect(ask('clone3')).toBe('ENOSYS');
  });

  test.for([
    { name: 'fork', flags: 0x11, expected: 'allow' },
    { name: 'a thread of glibc', flags: 0x3d0f00, expected: 'allow' },
    { name: 'vfork of posix_spawn', flags: 0x4111, expected: 'allow' },
    { name: 'a pidfd', flags: 0x1000 | 17, expected: 'allow' },
    { name: 'a user namespace', flags: 0x10000011, expected: 'EPERM' },
    { name: 'a network namespace', flags: 0x40000011, expected: 'EPERM' },
    { name: 'a mount namespace, high bits set', flags: 0xffffffff00020011n, expected: 'EPERM' },
    { name: 'a pid namespace', flags: 0x20000011, expected: 'EPERM' },
  ])('judges clone by its flags: $name', ({ flags, expected }) => {
    expect(ask('clone', [flags])).toBe(expected);
  });

  test.for([
    { flags: 0x400, expected: 'allow' },
    { flags: 0x200, expected: 'allow' },
    { flags: 0x80, expected: 'EPERM' },
    { flags: 0x10000000, expected: 'EPERM' },
    { flags: 0x10020000, expected: 'EPERM' },
  ])('judges unshare by its flags: $flags', ({ flags, expected }) => {
    expect(ask('unshare', [flags])).toBe(expected);
  });

  test.for([
    { command: 0x5412, expected: 'EPERM' },
    { command: 0xffffffff00005412n, expected: 'EPERM' },
    { command: 0x100005412n, expected: 'EPERM' },
    { command: 0x541c, expected: 'EPERM' },
    { command: 0x7fffffff0000541cn, expected: 'EPERM' },
    { command: 0x540c, expected: 'EPERM' },
    // The keyboard of the console off, graphics on it, another one in front; and what a camera is told with the same letter.
    ...[0x4b45, 0x4b3a, 0x5606, 0x5602, 0xfff00004b45n].map((command) => ({ command, expected: 'ENOTTY' })),
    ...[0x80685600, 0xc0585611, 0x4a45, 0x4c00, 0x5500, 0x5700].map((command) => ({ command, expected: 'allow' })),
    { command: 0x5401, expected: 'allow' },
    { command: 0x5413, expected: 'allow' },
    { command: 0x541b, expected: 'allow' },
    { command: 0x40049409, expected: 'allow' },
    ...READ_ONLY_CHANGES.map((command) => ({ command, expected: 'EPERM' })),
    // bcachefs: a subvolume made and removed, attributes inherited anew, and a command of a version to come.
    ...[0x4020bc10, 0x4020bc11, 0x8008bc40, 0x4038bcff].map((command) => ({ command, expected: 'EPERM' })),
    ...[0x4020bb10, 0x4020bd10, 0xbc].map((command) => ({ command, expected: 'allow' })),
  ])('judges ioctl by the low 32 bits of $command', ({ command, expected }) => {
    expect(ask('ioctl', [0, command])).toBe(expected);
  });

  test.for([
    { pid: 0, limit: 0x7ffc00001000n, expected: 'allow' },
    { pid: 1, limit: 0, expected: 'allow' },
    { pid: 1, limit: 0x7ffc00001000n, expected: 'EPERM' },
    { pid: 1, limit: 0x7ffc00000000n, expected: 'EPERM' },
    { pid: 1, limit: 0x1000, expected: 'EPERM' },
  ])('lets limits of others be read and not set: process $pid, pointer $limit', ({ pid, limit, expected }) => {
    expect(ask('prlimit64', [pid, 7, limit, 0])).toBe(expected);
  });

  test.for([
    { call: 'truncate', args: [], old: 'EACCES' },
    { call: 'openat2', args: [], old: 'ENOSYS' },
    { call: 'open', args: [0, 0o1000], old: 'EACCES' },
    { call: 'open', args: [0, 0o1000n | (1n << 32n)], old: 'EACCES' },
    { call: 'openat', args: [0, 0, 0o1000], old: 'EACCES' },
    { call: 'openat', args: [0, 0, 0o1001], old: 'allow' },
    { call: 'openat', args: [0, 0, 0o1102], old: 'allow' },
    { call: 'openat', args: [0, 0, 0], old: 'allow' },
  ] as const)('sees to truncating itself where Landlock does not: $call $args', ({ call, args, old }) => {
    expect([1, 2, 3, 7].map((abi) => ask(call, args, { abi }))).toEqual([old, old, 'allow', 'allow']);
  });

  test.for([
    { call: 'open', args: [0, 3] },
    { call: 'open', args: [0, 0o2000103] },
    { call: 'openat', args: [0, 0, 3] },
    { call: 'openat', args: [0, 0, 0o1003n | (1n << 40n)] },
  ] as const)('refuses what Landlock asks nothing for, whoever mediates: $call $args', ({ call, args }) => {
    for (const abi of [1, 5, 7])
      for (const mediator of ['own', 'outer'] as const) expect(ask(call, args, { abi, mediator })).toBe('EACCES');
  });

  test.for([
    { command: 0x5401, old: 'allow' },
    { command: 0x5413, old: 'allow' },
    { command: 0x545f, old: 'allow' },
    { command: 0x541b, old: 'allow' },
    { command: 0x8933, old: 'allow' },
    { command: 0x40049409, old: 'allow' },
    { command: 0x80045430, old: 'allow' },
    { command: 0x1261, old: 'ENOTTY' },
    { command: 0x2285, old: 'ENOTTY' },
    { command: 0xae00, old: 'ENOTTY' },
    { command: 0x5400, old: 'ENOTTY' },
    { command: 0x5460, old: 'allow' },
    { command: 0x5461, old: 'ENOTTY' },
    { command: 0x8a00, old: 'ENOTTY' },
    { command: 0xc0586401, old: 'ENOTTY' },
  ])('keeps devices from ioctl itself where Landlock does not: $command', ({ command, old }) => {
    expect([1, 4, 5, 7].map((abi) => ask('ioctl', [0, command], { abi }))).toEqual([old, old, 'allow', 'allow']);
    expect([1, 4, 5, 7].map((abi) => ask('ioctl', [0, 0x5412], { abi }))).toEqual(['EPERM', 'EPERM', 'EPERM', 'EPERM']);
  });

  test.for([
    { socket: 'a stream of the file system', args: [1, 1, 0], expected: ['allow', 'allow', 'allow'] },
    { socket: 'a packet stream of the file system', args: [1, 5 | 0o2000000 | 0o4000, 0], expected: ['allow', 'allow', 'allow'] },
    { socket: 'a datagram socket of the file system', args: [1, 2, 0], expected: ['EACCES', 'EACCES', 'EACCES'] },
    { socket: 'the same by its other name', args: [1, 3 | 0o2000000, 0], expected: ['EACCES', 'EACCES', 'EACCES'] },
    {
      socket: 'the same with high bits set',
      args: [1n | (1n << 32n), 2n | (1n << 40n), 0],
      expected: ['EACCES', 'EACCES', 'EACCES'],
    },
    { socket: 'TCP', args: [2, 1, 0], expected: ['allow', 'EACCES', 'allow'] },
    { socket: 'TCP by name', args: [10, 1 | 0o2000000, 6], expected: ['allow', 'EACCES', 'allow'] },
    { socket: 'MPTCP', args: [2, 1, 262], expected: ['allow', 'EACCES', 'EACCES'] },
    { socket: 'SCTP', args: [2, 1, 132], expected: ['allow', 'EACCES', 'EACCES'] },
    { socket: 'UDP', args: [2, 2, 0], expected: ['allow', 'EACCES', 'EACCES'] },
    { socket: 'UDP over IPv6', args: [10, 2, 17], expected: ['allow', 'EACCES', 'EACCES'] },
    { socket: 'ping', args: [2, 2, 1], expected: ['allow', 'EACCES', 'EACCES'] },
    { socket: 'raw IP', args: [2, 3, 1], expected: ['allow', 'EACCES', 'EACCES'] },
    { socket: 'routes', args: [16, 3, 0], expected: ['allow', 'EACCES', 'EACCES'] },
    { socket: 'sockets of others', args: [16, 3, 4], expected: ['EPROTONOSUPPORT', 'EACCES', 'EACCES'] },
    { socket: 'audit', args: [16, 3, 9], expected: ['EPROTONOSUPPORT', 'EACCES', 'EACCES'] },
    { socket: 'packets', args: [17, 3, 3], expected: ['EAFNOSUPPORT', 'EAFNOSUPPORT', 'EAFNOSUPPORT'] },
    { socket: 'the hypervisor', args: [40, 1, 0], expected: ['EAFNOSUPPORT', 'EAFNOSUPPORT', 'EAFNOSUPPORT'] },
    { socket: 'kernel crypto', args: [38, 5, 0], expected: ['EAFNOSUPPORT', 'EAFNOSUPPORT', 'EAFNOSUPPORT'] },
    { socket: 'Bluetooth', args: [31, 1, 0], expected: ['EAFNOSUPPORT', 'EAFNOSUPPORT', 'EAFNOSUPPORT'] },
  ])('judges a socket for $socket by family, type and protocol', ({ args, expected }) => {
    expect([ALLOWED, BLOCKED, PORTS].map((network) => ask('socket', args, { network }))).toEqual(expected);
  });

  test.for([ALLOWED, BLOCKED, PORTS])('lets socketpair be, of any type ($mode)', (network) => {
    expect([1, 2, 5].map((type) => ask('socketpair', [1, type, 0], { network }))).toEqual(['allow', 'allow', 'allow']);
    expect(ask('socketpair', [30, 1, 0], { network })).toBe('EAFNOSUPPORT');
  });

  test.for([
    { call: 'connect', args: [3, 0x7ffc00001000n, 110] },
    { call: 'sendto', args: [3, 0, 1, 0, 0x7ffc00001000n, 110] },
    { call: 'sendto', args: [3, 0, 1, 0, 0x7ffc00000000n, 110] },
  ] as const)('refuses $call to any name where the network is blocked', ({ call, args }) => {
    expect([ALLOWED, BLOCKED, PORTS].map((network) => ask(call, args, { network }))).toEqual(['allow', 'EACCES', 'allow']);
    expect(ask('sendto', [3, 0, 1, 0, 0, 0], { network: BLOCKED })).toBe('allow');
  });

  test.for([
    { call: 'sendto', args: [3, 0, 1, 0x20000000] },
    { call: 'sendmsg', args: [3, 0, 0x20004000] },
    { call: 'sendmmsg', args: [3, 0, 1, 0x20000000] },
  ] as const)('refuses the flag of $call that connects past Landlock, where ports are limited', ({ call, args }) => {
    expect(ask(call, args, { network: PORTS })).toBe('EOPNOTSUPP');
    expect(ask(call, args, { network: ALLOWED })).toBe('allow');
    expect(ask(call, [3, 0, 0, 0], { network: PORTS })).toBe('allow');
  });
});
