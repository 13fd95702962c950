import * as fs from 'node:fs';
import { follow } from './follow.ts';

/** What a system call is made to answer, or to be the last one of its process. */
export interface Fault {
  readonly call: string;
  /** A name of errno, or `KILL`. */
  readonly answer: string;
  /** The how manieth of each process and thread is hit. */
  readonly turn: number;
}

/** Writes down what a command calls, and makes it meet a fault. */
export interface Injector {
  /** What goes before a command. */
  readonly words: readonly string[];
  /** Follows a process that runs already, and all that it starts from now on, until it is disposed of. */
  follow(pid: number): Promise<AsyncDisposable>;
}

/** What the kernel may answer to the calls that nono makes. What it may answer to memory and threads the runtime has to bear. */
const ANSWERS: Readonly<Record<string, readonly string[]>> = {
  openat: ['ENOSPC', 'EIO', 'EMFILE', 'ENOMEM'],
  openat2: ['ENOSPC', 'EIO', 'EMFILE', 'ENOMEM', 'EAGAIN'],
  statx: ['EIO', 'ENOMEM'],
  newfstatat: ['EIO', 'ENOMEM'],
  readlinkat: ['EIO', 'ENOMEM'],
  getdents64: ['EIO', 'ENOMEM'],
  fsync: ['EIO', 'ENOSPC', 'EINTR'],
  syncfs: ['EIO', 'ENOSPC'],
  renameat2: ['ENOSPC', 'EIO', 'ENOMEM'],
  linkat: ['ENOSPC', 'EIO', 'EMLINK'],
  symlinkat: ['ENOSPC', 'EIO'],
  mkdirat: ['ENOSPC', 'EIO'],
  unlinkat: ['EIO', 'ENOMEM'],
  ftruncate: ['EIO', 'EINTR'],
  fchmod: ['EIO'],
  fchmodat: ['EIO'],
  utimensat: ['EIO'],
  flock: ['ENOLCK', 'EINTR', 'ENOMEM'],
  socket: ['EMFILE', 'ENOMEM'],
  socketpair: ['EMFILE', 'ENOMEM'],
  bind: ['ENOSPC', 'EIO', 'ENOMEM'],
  listen: ['ENOMEM'],
  connect: ['EAGAIN', 'EINTR', 'ENOMEM'],
  accept4: ['EAGAIN', 'EINTR', 'EMFILE', 'ENOMEM'],
  sendto: ['EAGAIN', 'EINTR', 'ENOMEM'],
  sendmsg: ['EAGAIN', 'EINTR', 'ENOMEM'],
  recvfrom: ['EAGAIN', 'EINTR', 'ENOMEM'],
  recvmsg: ['EAGAIN', 'EINTR', 'ENOMEM'],
  poll: ['EINTR', 'ENOMEM'],
  ppoll: ['EINTR', 'ENOMEM'],
  epoll_pwait2: ['EINTR'],
  epoll_create1: ['EMFILE', 'ENOMEM'],
  eventfd2: ['EMFILE', 'ENOMEM'],
  inotify_init1: ['EMFILE', 'ENOMEM'],
  inotify_add_watch: ['ENOSPC', 'ENOMEM'],
  nanosleep: ['EINTR'],
  clock_nanosleep: ['EINTR'],
  pipe2: ['EMFILE', 'ENOMEM'],
  memfd_create: ['EMFILE', 'ENOMEM'],
  pidfd_open: ['EMFILE', 'ENOMEM'],
  mmap: ['ENOMEM'],
  clone: ['EAGAIN', 'ENOMEM'],
  clone3: ['EAGAIN', 'ENOMEM'],
  execve: ['ENOMEM', 'EIO', 'EMFILE'],
  landlock_create_ruleset: ['EMFILE', 'ENOMEM'],
  landlock_add_rule: ['ENOMEM'],
  seccomp: ['ENOMEM', 'EMFILE'],
};
/** Calls whose answers depend on what the descriptor is: a pipe is never full as a disk is, and a file is always there. */
const MOVING = new Set(['read', 'pread64', 'readv', 'preadv2', 'write', 'pwrite64', 'writev', 'pwritev2']);
const OF_DISKS = { read: ['EIO'], write: ['ENOSPC', 'EIO'] } as const;
const OF_STREAMS = ['EINTR', 'EAGAIN'];
/** The first calls of a kind, where most happens, and then fewer and fewer. */
const TURNS = [1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377];
/** What ends a process, or cannot be told from its start, is no place for a fault. */
const NEVER = new Set(['exit', 'exit_group', 'rt_sigreturn', 'rt_sigsuspend', 'tgkill', 'kill']);

type Kind = 'disk' | 'stream' | 'other';

/** @param trace Where strace writes. Without a fault it writes down all calls. */
export function createInjector(trace: string, fault?: Fault): Injector {
  const words = ['-y', '-o', trace, ...(fault === undefined ? [] : injection(fault))];
  return { words: ['strace', '-f', ...words], follow: (pid) => follow(pid, words) };
}

function injection({ call, answer, turn }: Fault): readonly string[] {
  const what = answer === 'KILL' ? 'signal=KILL' : `error=${answer}`;
  return ['-e', `trace=${call}`, '-e', `inject=${call}:${what}:when=${turn}`];
}

interface Call {
  readonly pid: string;
  readonly name: string;
  readonly kind: Kind;
  readonly isInjected: boolean;
}

/** The calls of a trace in the order in which they began, or ended where another came between. */
export function readCalls(trace: string): readonly Call[] {
  const begun = new Map<string, Omit<Call, 'isInjected'>>();
  const calls: Call[] = [];
  for (const line of trace.split('\n')) {
    const [, pid = '', rest = ''] = /^(\d+) +(.*)/.exec(line) ?? [];
    const isInjected = line.endsWith('(INJECTED)');
    const start = /^(\w+)\((?:\d+<([^>]*)>)?/.exec(rest);
    if (start !== null) {
      const call = { pid, name: start[1] ?? '', kind: kindOf(start[2] ?? '') };
      if (rest.endsWith('<unfinished ...>')) begun.set(pid, call);
      calls.push({ ...call, isInjected });
    } else if (isInjected && /^<\.\.\. \w+ resumed>/.test(rest)) {
      const call = begun.get(pid);
      if (call !== undefined) calls.push({ ...call, isInjected });
    }
  }
  return calls;
}

function kindOf(path: string): Kind {
  // Those to pipes are of one byte, or one record, which a pipe takes or gives at once.
  if (/^(?:socket:|UNIX|\/dev\/pts\/)/.test(path)) return 'stream';
  return path.startsWith('/') && !/^\/(?:dev\/(?!shm\/)|proc\/|sys\/|memfd:)/.test(path) ? 'disk' : 'other';
}

/** All the faults that a command can meet that made these calls: every kind of them that there was, at some of its turns. */
export function faultsIn(trace: string): readonly Fault[] {
  const kinds = new Map<string, Map<string, Kind[]>>();
  for (const { pid, name, kind } of readCalls(trace)) {
    if (NEVER.has(name)) continue;
    const byProcess = kinds.get(name) ?? new Map<string, Kind[]>();
    kinds.set(name, byProcess);
    byProcess.set(pid, [...(byProcess.get(pid) ?? []), kind]);
  }
  return [...kinds].flatMap(([call, byProcess]) =>
    TURNS.flatMap((turn) => {
      const hit = [...byProcess.values()].flatMap((turns) => turns[turn - 1] ?? []);
      if (hit.length === 0) return [];
      const answers = MOVING.has(call) ? answersOfMoving(call, hit) : (ANSWERS[call] ?? []);
      return [...answers, 'KILL'].map((answer) => ({ call, answer, turn }));
    }),
  );
}

function answersOfMoving(call: string, hit: readonly Kind[]): readonly string[] {
  if (hit.every((kind) => kind === 'disk')) return OF_DISKS[call.includes('read') ? 'read' : 'write'];
  return hit.every((kind) => kind === 'stream') ? OF_STREAMS : [];
}

/** Whether anything was hit, and whether all of it was what a kernel could answer so. */
export function whatWasHit(trace: string, { call, answer }: Fault): 'nothing' | 'real' | 'unreal' {
  if (answer === 'KILL') return trace.includes('+++ killed by SIGKILL') ? 'real' : 'nothing';
  const hit = readCalls(trace).filter(({ isInjected }) => isInjected);
  if (hit.length === 0) return 'nothing';
  if (!MOVING.has(call)) return 'real';
  return answersOfMoving(
    call,
    hit.map(({ kind }) => kind),
  ).includes(answer)
    ? 'real'
    : 'unreal';
}

/** @returns what strace wrote, which is taken away. */
export function takeTrace(path: string): string {
  const text = fs.existsSync(path) ? fs.readFileSync(path, 'latin1') : '';
  fs.rmSync(path, { force: true });
  return text;
}
