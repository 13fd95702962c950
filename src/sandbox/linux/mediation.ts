import { type Bytes, putBytes } from '../../bytes.ts';
import type { ForbiddenPlace, Network, PathRule, Plan, RuleOrigin } from '../plan.ts';
import type { CallName } from './seccomp-uapi.ts';

/** What the mediator is told: a part of the plan, in the form that its C code reads. */
export interface Mediation {
  /** Writable directories and files: metadata is changed, and local sockets are connected to, only there. */
  readonly writable: readonly { readonly path: Bytes; readonly isDirectory: boolean }[];
  /** Sockets, and directories of sockets, that the command may connect to wherever they are. */
  readonly sockets: readonly Bytes[];
  readonly network: Network;
  /** What the plan gives and what no yes may open; undefined where an open outside the plan just fails. */
  readonly asking?: Asking | undefined;
}

/** What an open is measured by before somebody is asked. */
export interface Asking {
  readonly rules: readonly Pick<PathRule, 'path' | 'isDirectory' | 'access'>[];
  readonly forbidden: readonly ForbiddenPlace[];
}

/** Who carries out the calls that no rule can decide: a mediator of this sandbox, or that of a nono around it, under that one's plan. */
export type MediatedBy = 'own' | 'outer';

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
/** The calls that are looked at too where somebody is asked about what the plan does not give. */
export const ASKED_CALLS = ['open', 'creat', 'openat', 'openat2'] as const satisfies readonly CallName[];

/** Devices and the files that are standard streams are written to, and keep their mode and owner. */
const GRANTED: readonly RuleOrigin[] = ['grant', 'profile', 'temporary'];

/** What of a plan the mediator has to know. */
export function mediationOf({
  rules,
  sockets,
  network,
  asks = false,
  forbidden = [],
}: Pick<Plan, 'rules' | 'sockets' | 'network'> & Partial<Pick<Plan, 'asks' | 'forbidden'>>): Mediation {
  const writable = rules.filter(({ access, origin }) => access.write && GRANTED.includes(origin));
  return {
    writable: writable.map(({ path, isDirectory }) => ({ path, isDirectory })),
    sockets,
    network,
    asking: asks ? { rules, forbidden } : undefined,
  };
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
/** What only a mediator answers to the question of another nono; no kernel does. */
export const MEDIATOR_ANSWER = 'ENOTUNIQ';

const WORD_BYTES = 8;
const HEADER_WORDS = 6;
const GRANT_WORDS = 5;
const NETWORKS = { allowed: 0, blocked: 1, ports: 2, loopback: 3 } as const;
const KINDS = { tree: 0, file: 1, socket: 2 } as const;
const CONNECT = 1 << 16;
const BIND = 1 << 17;
const PLACE_WORDS = 3;
/** ACCESS_* of asked.c. */
export const ASKED_ACCESS = { read: 1, write: 2, tree: 4, forbidden: 8, connect: 16, create: 32, directory: 64 } as const;

/**
 * `struct configuration` of platform/linux/mediator/base.c: words of 64 bits, little-endian. First its size in bytes, the
 * network, the number of grants, that of ports, 1 where there are local datagram sockets, and where the places begin (0 for none); then for each grant its
 * kind, where its path is, how long that is, and two words for the mediator's own use; then the ports with a bit for what they are for; then, where somebody
 * is asked, the number of places and for each what it gives or forbids, where its path is and how long that is; then the paths, each ended by NUL.
 */
export function encodeMediation({ writable, sockets, network, asking }: Mediation): Uint8Array<ArrayBuffer> {
  const grants = [
    ...writable.map(({ path, isDirectory }) => ({ path, kind: isDirectory ? KINDS.tree : KINDS.file })),
    ...sockets.map((path) => ({ path, kind: KINDS.socket })),
  ];
  const ports =
    network.mode === 'ports'
      ? [...network.connect.map((port) => port | CONNECT), ...network.bind.map((port) => port | BIND)]
      : [];
  const places = asking === undefined ? [] : placesOf(asking);
  const placesAt = (HEADER_WORDS + GRANT_WORDS * grants.length + ports.length) * WORD_BYTES;
  const textAt = placesAt + (asking === undefined ? 0 : (1 + PLACE_WORDS * places.length) * WORD_BYTES);
  let sizeBytes = textAt;
  for (const { path } of [...grants, ...places]) sizeBytes += path.length + 1;
  const bytes = new Uint8Array(new ArrayBuffer(sizeBytes));
  const view = new DataView(bytes.buffer);
  let word = 0;
  const put = (...values: readonly number[]): void => {
    for (const value of values) view.setBigInt64(word++ * WORD_BYTES, BigInt(value), true);
  };
  put(sizeBytes, NETWORKS[network.mode], grants.length, ports.length);
  put(hasDatagrams({ sockets }) ? 1 : 0, asking === undefined ? 0 : placesAt);
  let at = textAt;
  for (const { path, kind } of grants) {
    put(kind, at, path.length, -1, 0);
    putBytes(bytes, path, at);
    at += path.length + 1;
  }
  put(...ports);
  if (asking !== undefined) put(places.length);
  for (const { path, access } of places) {
    put(access, at, path.length);
    putBytes(bytes, path, at);
    at += path.length + 1;
  }
  return bytes;
}

function placesOf({ rules, forbidden }: Asking): readonly { readonly path: Bytes; readonly access: number }[] {
  const { read, write, tree, forbidden: no } = ASKED_ACCESS;
  return [
    ...rules.map(({ path, isDirectory, access }) => ({
      path,
      access: (access.read ? read : 0) | (access.write ? write : 0) | (isDirectory ? tree : 0),
    })),
    ...forbidden.map(({ path, isWriteOnly }) => ({ path, access: no | tree | write | (isWriteOnly ? 0 : read) })),
  ];
}
