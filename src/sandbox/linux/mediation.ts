import { type Bytes, bufferFromBytes } from '../../bytes.ts';
import type { Network, Plan, RuleOrigin } from '../plan.ts';
import type { CallName } from './seccomp-uapi.ts';

/** What the mediator is told: a part of the plan, in the form that its C code reads. */
export interface Mediation {
  /** Writable directories and files: metadata is changed, and local sockets are connected to, only there. */
  readonly writable: readonly { readonly path: Bytes; readonly isDirectory: boolean }[];
  /** Sockets, and directories of sockets, that the command may connect to wherever they are. */
  readonly sockets: readonly Bytes[];
  readonly network: Network;
}

/** Who carries out the calls that no rule can decide: a mediator of this sandbox, or that of a nono around it, under that one's plan. */
export type Mediator = 'own' | 'outer';

/** The calls that are carried out by the mediator whatever their arguments. Where the machine has no such call it is left out. */
export const MEDIATED_CALLS: readonly CallName[] = [
  'connect',
  'chmod',
  'fchmod',
  'fchmodat',
  'fchmodat2',
  'chown',
  'lchown',
  'fchown',
  'fchownat',
  'utime',
  'utimes',
  'futimesat',
  'utimensat',
  'setxattr',
  'lsetxattr',
  'fsetxattr',
  'setxattrat',
  'removexattr',
  'lremovexattr',
  'fremovexattr',
  'removexattrat',
];

/** Those that are handed over only with some arguments, or for some plans. */
export const MEDIATED_BY_ARGUMENTS: readonly CallName[] = [
  'fcntl',
  'ioctl',
  'listen',
  'open',
  'openat',
  'sendmmsg',
  'sendmsg',
  'sendto',
  'socketpair',
];

/** Where Landlock does not keep signals inside. */
export const MEDIATED_SIGNALS: readonly CallName[] = [
  'kill',
  'tkill',
  'tgkill',
  'rt_sigqueueinfo',
  'rt_tgsigqueueinfo',
  'pidfd_send_signal',
];

/** Devices and the files that are standard streams are written to, and keep their mode and owner. */
const GRANTED: readonly RuleOrigin[] = ['grant', 'profile', 'temporary'];

export function mediationOf({ rules, sockets, network }: Pick<Plan, 'rules' | 'sockets' | 'network'>): Mediation {
  const writable = rules.filter(({ access, origin }) => access.write && GRANTED.includes(origin));
  return { writable: writable.map(({ path, isDirectory }) => ({ path, isDirectory })), sockets, network };
}

/** A local datagram socket can send to any name, so each of its sends is mediated: only where a socket was granted by name. */
export function hasDatagrams({ sockets }: Pick<Mediation, 'sockets'>): boolean {
  return sockets.length > 0;
}

/**
 * An address that is none. connect(2) of it answers so when a mediator is there, and EBADF without: is_question() of
 * platform/linux/mediator/sockets.c.
 */
export const MEDIATOR_QUESTION = '\0\0nono: is there a mediator?\0';
export const MEDIATOR_ANSWER = 'ENOTUNIQ';

const WORD_BYTES = 8;
const HEADER_WORDS = 5;
const GRANT_WORDS = 4;
const NETWORKS = { allowed: 0, blocked: 1, ports: 2, loopback: 3 } as const;
const KINDS = { tree: 0, file: 1, socket: 2 } as const;
const CONNECT = 1 << 16;
const BIND = 1 << 17;

/**
 * `struct configuration` of platform/linux/mediator/base.c: words of 64 bits, little-endian. First its size in bytes, the
 * network, the number of grants, that of ports, and 1 where there are local datagram sockets; then for each grant its kind, where its path is, how long that is, and a
 * word for the mediator's own use; then the ports with a bit for what they are for; then the paths, each ended by NUL.
 */
export function encodeMediation({ writable, sockets, network }: Mediation): Uint8Array<ArrayBuffer> {
  const grants = [
    ...writable.map(({ path, isDirectory }) => ({ path, kind: isDirectory ? KINDS.tree : KINDS.file })),
    ...sockets.map((path) => ({ path, kind: KINDS.socket })),
  ];
  const ports =
    network.mode === 'ports'
      ? [...network.connect.map((port) => port | CONNECT), ...network.bind.map((port) => port | BIND)]
      : [];
  const textAt = (HEADER_WORDS + GRANT_WORDS * grants.length + ports.length) * WORD_BYTES;
  const sizeBytes = grants.reduce((sum, { path }) => sum + path.length + 1, textAt);
  const bytes = new Uint8Array(new ArrayBuffer(sizeBytes));
  const view = new DataView(bytes.buffer);
  let word = 0;
  const put = (...values: readonly number[]): void => {
    for (const value of values) view.setBigInt64(word++ * WORD_BYTES, BigInt(value), true);
  };
  put(sizeBytes, NETWORKS[network.mode], grants.length, ports.length, hasDatagrams({ sockets }) ? 1 : 0);
  let at = textAt;
  for (const { path, kind } of grants) {
    put(kind, at, path.length, -1);
    bytes.set(bufferFromBytes(path), at);
    at += path.length + 1;
  }
  put(...ports);
  return bytes;
}
