import type { Network } from '../plan.ts';
import { assemble, type Instruction, type Statement } from './bpf.ts';
import {
  and,
  type Errno,
  errnoLabel,
  is,
  jump,
  label,
  load,
  loadArgument,
  loadUpperHalf,
  returns,
  switchOn,
} from './bpf-words.ts';
import { ABI_WITH_SIGNALS } from './landlock.ts';
import { ASKED_CALLS, MEDIATED_CALLS, MEDIATED_SIGNALS, type MediatedBy } from './mediation.ts';
import { openBlocks, otherIoctls, truncateBlocks } from './older-kernels.ts';
import {
  type Architecture,
  AUDIT_ARCH,
  BCACHEFS_IOCTLS,
  type CallName,
  CLONE_NAMESPACE_FLAGS,
  CONSOLE_IOCTL_MASK,
  CONSOLE_IOCTLS,
  callNumber,
  DATA,
  ERRNO,
  F_SETDELEG,
  F_SETLEASE,
  F_SETOWN,
  F_SETOWN_EX,
  FIOSETOWN,
  IOCTL_KIND_MASK,
  MSG_FASTOPEN,
  NAMESPACE_FLAGS,
  NEWEST_KNOWN_CALL,
  O_PATH,
  READ_ONLY_CHANGES,
  RETURN,
  SIOCSPGRP,
  TIOCCONS,
  TIOCEXCL,
  TIOCGPTN,
  TIOCGPTPEER,
  TIOCLINUX,
  TIOCSETD,
  TIOCSTI,
  X32_BIT,
} from './seccomp-uapi.ts';
import { routeBlock, socketBlock, socketpairBlock } from './socket-blocks.ts';

/** What the filter depends on. */
export interface SeccompTarget {
  readonly network: Network;
  readonly architecture: Architecture;
  /** Of Landlock: an older one leaves more to this filter. */
  readonly abi: number;
  readonly mediator: MediatedBy;
  /** Whether there are local datagram sockets (hasDatagrams()); false by default. */
  readonly datagrams?: boolean;
  /** Opens are handed to the mediator, which asks about what the plan does not give. */
  readonly asks?: boolean;
}

/** Where the filter ends that hands the call to the mediator. */
const NOTIFY = 'notify';

/**
 * Calls that fail whatever their arguments. ptrace(2) and process_vm_readv(2) are not among them: Landlock keeps
 * them from processes outside, and inside debuggers and leak checkers live on them. ENOSYS where a program then goes another way: clone3(2) has its
 * flags behind a pointer, where no filter can look, and every C library falls back on clone(2).
 */
const REFUSED: readonly (readonly [errno: Errno, calls: readonly CallName[]])[] = [
  ['ENOSYS', ['clone3']],
  // Around this filter.
  ['EPERM', ['io_uring_setup', 'io_uring_enter', 'io_uring_register']],
  // Keys of the user's session.
  ['EPERM', ['add_key', 'keyctl', 'request_key']],
  // The kernel's inside.
  ['EPERM', ['bpf', 'perf_event_open', 'userfaultfd', 'modify_ldt', 'iopl', 'ioperm', 'syslog']],
  ['EPERM', ['init_module', 'finit_module', 'delete_module', 'kexec_load', 'kexec_file_load', 'uselib']],
  // Mounts and namespaces.
  ['EPERM', ['mount', 'umount2', 'pivot_root', 'move_mount', 'open_tree', 'open_tree_attr', 'mount_setattr', 'setns']],
  ['EPERM', ['fsopen', 'fsconfig', 'fsmount', 'fspick']],
  // chattr by path, outside the grants too.
  ['EPERM', ['file_setattr']],
  // Files past their paths (events of whole trees too), and the machine.
  ['EPERM', ['open_by_handle_at', 'fanotify_init', 'acct', 'quotactl', 'quotactl_fd', 'reboot', 'swapon', 'swapoff']],
];

/**
 * The filter that goes with a plan: what Landlock has no say in. Everything that it does not name is allowed;
 * calls that are newer than it do not exist.
 */
export function encodeSeccomp(target: SeccompTarget): readonly Instruction[] {
  const { architecture } = target;
  const blocks = conditionalBlocks(target);
  const cases: (readonly [number, string])[] = [];
  const add = (call: CallName, to: string): void => {
    const number = callNumber(call, architecture);
    if (number !== undefined) cases.push([number, to]);
  };
  for (const [errno, calls] of REFUSED) for (const call of calls) add(call, errnoLabel(errno));
  for (const call of blocks.keys()) add(call, call);
  return assemble([
    load(DATA.architecture),
    is('equal', AUDIT_ARCH[architecture], { no: 'foreign' }),
    load(DATA.number),
    ...(architecture === 'x64' ? [is('atLeast', X32_BIT, { yes: errnoLabel('ENOSYS') })] : []),
    is('greater', NEWEST_KNOWN_CALL, { yes: errnoLabel('ENOSYS') }),
    ...switchOn('call', cases),
    ...[...blocks].flatMap(([call, statements]) => [label(call), ...statements]),
    label('allow'),
    returns(RETURN.allow),
    label(NOTIFY),
    returns(RETURN.notify),
    label('foreign'),
    returns(RETURN.kill),
    ...(Object.keys(ERRNO) as Errno[]).flatMap((errno) => [label(errnoLabel(errno)), returns(RETURN.errno | ERRNO[errno])]),
  ]);
}

/** The calls whose arguments decide; every block ends in a jump. */
function conditionalBlocks(target: SeccompTarget): ReadonlyMap<CallName, readonly Statement[]> {
  const { network, abi, mediator, datagrams = false, asks = false } = target;
  const isOwn = mediator === 'own';
  const blocks = new Map<CallName, readonly Statement[]>([
    ['ioctl', ioctlBlock(abi, mediator)],
    ['socket', socketBlock(network, datagrams)],
    // Of datagram sockets, which could send to any name, the mediator makes a pair of another type.
    ['socketpair', socketpairBlock(isOwn ? NOTIFY : 'allow')],
    ['fcntl', fcntlBlock(isOwn && abi < ABI_WITH_SIGNALS)],
    ['clone', [loadArgument(0), is('anyBit', CLONE_NAMESPACE_FLAGS, { yes: errnoLabel('EPERM') }), jump('allow')]],
    ['prlimit64', prlimitBlock()],
    ['unshare', [loadArgument(0), is('anyBit', NAMESPACE_FLAGS, { yes: errnoLabel('EPERM') }), jump('allow')]],
    ...truncateBlocks(abi),
    ...openBlocks(abi, isOwn ? NOTIFY : undefined),
    ...(asks && isOwn ? askedBlocks(abi) : []),
    ...sendBlocks(target),
  ]);
  if (isOwn) for (const call of MEDIATED_CALLS) blocks.set(call, [jump(NOTIFY)]);
  if (isOwn && abi < ABI_WITH_SIGNALS) for (const call of MEDIATED_SIGNALS) blocks.set(call, [jump(NOTIFY)]);
  if (isOwn && (network.mode === 'ports' || network.mode === 'loopback')) blocks.set('listen', [jump(NOTIFY)]);
  if (network.mode === 'loopback') blocks.set('setsockopt', routeBlock());
  // No filter can see the name of a socket, and behind one may be a way to the network or out of the sandbox (D-Bus,
  // docker, a resolver). Without a mediator of its own, who needs to connect by name is refused with who must not.
  if (!isOwn && network.mode === 'blocked') blocks.set('connect', [jump(errnoLabel('EACCES'))]);
  return blocks;
}

/** Where the arguments of each sending call are: its flags, and an address that is a pointer in a register. */
const SENDS: readonly (readonly [call: CallName, flags: number, address: number | undefined])[] = [
  ['sendto', 3, 4],
  ['sendmsg', 2, undefined],
  ['sendmmsg', 3, undefined],
];

/** What a send may reach by itself, past connect(2). */
function sendBlocks({
  network,
  mediator,
  datagrams = false,
}: SeccompTarget): readonly (readonly [CallName, readonly Statement[]])[] {
  const isMediated = mediator === 'own' && datagrams;
  const isTcpOnly = network.mode === 'ports' || network.mode === 'loopback';
  return SENDS.flatMap(([call, flags, address]) => {
    const fastOpen = [loadArgument(flags), is('anyBit', MSG_FASTOPEN, { yes: errnoLabel('EOPNOTSUPP') })];
    const before = isTcpOnly ? fastOpen : [];
    if (isMediated)
      return [[call, [...before, ...(address === undefined ? [jump(NOTIFY)] : unlessNull(address, NOTIFY))]] as const];
    if (network.mode === 'blocked' && address !== undefined) return [[call, unlessNull(address, errnoLabel('EACCES'))] as const];
    return isTcpOnly ? [[call, [...fastOpen, jump('allow')]] as const] : [];
  });
}

/**
 * No leases: one can be had of any file of the user's, by a descriptor that reads nothing, and holds up all programs outside that open it.
 *
 * @param hasOwners Whether it is looked at who gets the signals of a descriptor; to take that away is always allowed.
 */
function fcntlBlock(hasOwners: boolean): readonly Statement[] {
  const refused = [F_SETLEASE, F_SETDELEG].map((command) => is('equal', command, { yes: errnoLabel('EACCES') }));
  if (!hasOwners) return [loadArgument(1), ...refused, jump('allow')];
  return [
    loadArgument(1),
    ...refused,
    is('equal', F_SETOWN_EX, { yes: NOTIFY }),
    is('equal', F_SETOWN, { no: 'allow' }),
    loadArgument(2),
    is('equal', 0, { yes: 'allow' }),
    jump(NOTIFY),
  ];
}

/**
 * What is opened as a path only is never asked about, and needs no look. Where Landlock knows no truncating, what that
 * refuses is refused before anybody is asked.
 */
function askedBlocks(abi: number): readonly (readonly [CallName, readonly Statement[]])[] {
  const known = new Map([...truncateBlocks(abi), ...openBlocks(abi, NOTIFY)]);
  for (const call of ASKED_CALLS) {
    const at = FLAGS_ARGUMENT[call];
    const look = at === undefined ? [] : [loadArgument(at), is('anyBit', O_PATH, { yes: 'allow' })];
    known.set(call, [...look, ...(known.get(call) ?? [jump('allow')]).map(allowedToNotify)]);
  }
  return [...known];
}

/** The same statement, with the mediator where it lets pass. */
function allowedToNotify(statement: Statement): Statement {
  const other = (to: string | undefined): string | undefined => (to === 'allow' ? NOTIFY : to);
  if (statement.kind === 'jump') return { ...statement, to: other(statement.to) ?? statement.to };
  return statement.kind === 'branch' ? { ...statement, yes: other(statement.yes), no: other(statement.no) } : statement;
}

/** Of openat2(2) they are behind a pointer. */
const FLAGS_ARGUMENT: Readonly<Partial<Record<CallName, number>>> = { open: 1, openat: 2 };

/** Setting limits of another process takes no more than its user id: a file size of 0 would break any of them. */
function prlimitBlock(): readonly Statement[] {
  return [loadArgument(0), is('equal', 0, { yes: 'allow' }), ...unlessNull(2, errnoLabel('EPERM'))];
}

/** Of a pointer both halves count. */
function unlessNull(index: number, to: string): readonly Statement[] {
  return [loadArgument(index), is('equal', 0, { no: to }), loadUpperHalf(index), is('equal', 0, { no: to }), jump('allow')];
}

/** The kernel takes the low 32 bits as the command, so nothing in the high ones can hide it (CVE-2019-10063). */
function ioctlBlock(abi: number, mediator: MediatedBy): readonly Statement[] {
  const owners = mediator === 'own' && abi < ABI_WITH_SIGNALS ? [FIOSETOWN, SIOCSPGRP] : [];
  const commands = [TIOCSTI, TIOCLINUX, TIOCSETD, TIOCCONS, TIOCEXCL, ...READ_ONLY_CHANGES, ...owners];
  const mediated = mediator === 'own' ? [TIOCGPTPEER, TIOCGPTN] : [];
  const cases = [
    ...commands.map((command) => [command, errnoLabel('EPERM')] as const),
    ...mediated.map((command) => [command, NOTIFY] as const),
  ];
  return [
    loadArgument(1),
    ...switchOn('ioctl-command', cases, 'ioctl-other'),
    label('ioctl-other'),
    and(IOCTL_KIND_MASK),
    is('equal', BCACHEFS_IOCTLS, { yes: errnoLabel('EPERM') }),
    loadArgument(1),
    and(CONSOLE_IOCTL_MASK),
    // As other terminals answer, by which programs know that they are on no console.
    ...CONSOLE_IOCTLS.map((kind) => is('equal', kind, { yes: errnoLabel('ENOTTY') })),
    loadArgument(1),
    ...otherIoctls(abi),
  ];
}
