import { type Bytes, cString } from '../../bytes.ts';
import { collect } from '../../collect.ts';
import { SystemError } from '../../errors.ts';
import type { KeepTree, ProcessTree } from '../../ports/process-tree.ts';
import { forkCalls, type PreparedCall } from './forked-calls.ts';
import { createLinuxPathFacts } from './path-facts.ts';
import { makePipe } from './pipe.ts';
import { readSmallFile } from './small-files.ts';
import { addressOf, errnoName, fixedBuffer, syscall, trySyscall } from './syscalls.ts';
import { takeSignalDomain } from './tree-domain.ts';

/** include/uapi/linux/prctl.h */
const PR_SET_CHILD_SUBREAPER = 36;
const PR_SET_NAME = 15;
const ALL_DESCRIPTORS = 0x7fffffff;
const PAUSE_NANOSECONDS = 20_000_000n;

/** include/uapi/linux/wait.h */
const P_ALL = 0;
const P_PID = 1;
const WNOHANG = 1;
const WEXITED = 4;
const WNOWAIT = 0x01000000;
const WALL = 0x40000000;
/** siginfo_t and the offset of its pid. */
const SIGINFO_BYTES = 128;
const PID_AT = 16;

const SIGKILL = 9;
const SIGSTOP = 19;
/** A tree that forks faster than it is killed is stopped first, process by process, so often at most. */
const ROUNDS_MAXIMUM = 100;

/**
 * Makes this process the one that orphans of its tree come to. Where the kernel can (Landlock ABI 6), it also takes a
 * domain that confines nothing but signals: kill(-1) then reaches the tree, all of it at once, and nothing else.
 *
 * @param ownedPid A child that somebody else here waits for.
 */
export function createProcessTree(ownedPid: () => number | undefined): ProcessTree {
  adoptOrphans();
  const isScoped = takeSignalDomain();
  return treeOf(isScoped, ownedPid, undefined);
}

/**
 * The same for a process that may be killed itself and has nobody above it: where it has the domain, a process of a few
 * system calls stands by in it, which ends the tree when this one is gone.
 */
export const keepTree: KeepTree = (ownedPid) => {
  adoptOrphans();
  const isScoped = takeSignalDomain();
  const standBy = isScoped ? startStandBy() : undefined;
  return treeOf(isScoped, ownedPid, standBy);
};

interface StandBy extends Disposable {
  /** Lets it go without waiting for its end. */
  dismiss(): void;
}

function treeOf(isScoped: boolean, ownedPid: () => number | undefined, standBy: StandBy | undefined): ProcessTree {
  return {
    signalAll(signal) {
      if (isScoped) signalDomain(signal);
      else signalDescendants(process.pid, signal);
    },
    reap: () => reap(ownedPid()),
    over: () => standBy?.dismiss(),
    [Symbol.dispose]: () => standBy?.[Symbol.dispose](),
  };
}

/**
 * Only within a signal domain: kill(-1) would reach every process of the user. It waits for the end of a pipe whose other
 * end is this process's alone (close-on-exec), and lets go of everything else that it inherited.
 */
function startStandBy(): StandBy {
  const { source, sink } = makePipe();
  const pause = new BigInt64Array([0n, PAUSE_NANOSECONDS]);
  const killAll: PreparedCall = ['kill', -1, SIGKILL];
  const wait: PreparedCall = ['nanosleep', new Uint8Array(pause.buffer), 0];
  const pid = forkCalls([
    ['prctl', PR_SET_NAME, cString('nono-stand-by' as Bytes)],
    ['dup3', source, 0, 0],
    ['close_range', 1, ALL_DESCRIPTORS, 0],
    ['read', 0, fixedBuffer(8), 1],
    // A process in the middle of fork(2) has to notice the first one before its child exists; the others are for certainty.
    killAll,
    wait,
    killAll,
    wait,
    killAll,
    ['exit_group', 0],
  ]);
  syscall('close', source);
  let isDismissed = false;
  let isDisposed = false;
  // Before the pipe is closed: at its end it would end this process too. Until it was waited for no other process has its pid.
  const dismiss = (): void => {
    if (!isDismissed) trySyscall('kill', pid, SIGKILL);
    isDismissed = true;
  };
  return {
    dismiss,
    [Symbol.dispose]() {
      if (isDisposed) return;
      isDisposed = true;
      dismiss();
      trySyscall('waitid', P_PID, pid, addressOf(fixedBuffer(SIGINFO_BYTES)), WEXITED | WALL);
      trySyscall('close', sink);
    },
  };
}

/** Orphans of this process's tree become its children. */
export function adoptOrphans(): void {
  syscall('prctl', PR_SET_CHILD_SUBREAPER, 1);
}

/** kill(-1) leaves out the caller; the domain keeps it from all processes outside. */
function signalDomain(signal: number): void {
  const result = trySyscall('kill', -1, signal);
  const errno = errnoName(-result);
  // ESRCH: there is none left. EPERM: only others are.
  if (result < 0 && errno !== 'ESRCH' && errno !== 'EPERM') throw new SystemError('kill', errno);
}

/** Ends everything below `pid`, for whoever is left when the guardian has been killed. */
export function killDescendants(pid: number): void {
  signalDescendants(pid, SIGKILL);
}

/** One after the other; for SIGKILL what is found is stopped first, until a look finds nothing new. */
function signalDescendants(pid: number, signal: number): void {
  const seen = new Set<number>();
  for (let round = 0; round < ROUNDS_MAXIMUM; round++) {
    const fresh = descendants(pid).filter((found) => !seen.has(found));
    for (const found of fresh) {
      seen.add(found);
      trySyscall('kill', found, signal === SIGKILL ? SIGSTOP : signal);
    }
    if (fresh.length === 0 || signal !== SIGKILL) break;
  }
  if (signal === SIGKILL) for (const found of seen) trySyscall('kill', found, SIGKILL);
}

/** Children of children, as /proc has them at this moment (CONFIG_PROC_CHILDREN). */
function descendants(pid: number): readonly number[] {
  const found: number[] = [];
  const open = [pid];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const children = childrenOf(at);
    found.push(...children);
    open.push(...children);
  }
  return found;
}

/** Each thread has those that it started. */
function childrenOf(pid: number): readonly number[] {
  return collect(threadsOf(pid), (thread) => {
    try {
      return readSmallFile(`/proc/${pid}/task/${thread}/children`)
        .split(' ')
        .filter((word) => word !== '')
        .map(Number);
    } catch (error) {
      if (error instanceof SystemError) return []; // It has just ended.
      throw error;
    }
  });
}

/** Their numbers, that of the process among them. */
export function threadsOf(pid: number): readonly Bytes[] {
  try {
    return createLinuxPathFacts().names(`/proc/${pid}/task` as Bytes);
  } catch (error) {
    if (error instanceof SystemError) return []; // The same.
    throw error;
  }
}

/** The owned child is left to whoever waits for it. */
function reap(ownedPid: number | undefined): boolean {
  const details = fixedBuffer(SIGINFO_BYTES);
  const view = new DataView(details.buffer);
  for (;;) {
    view.setInt32(PID_AT, 0, true);
    if (trySyscall('waitid', P_ALL, 0, addressOf(details), WEXITED | WNOHANG | WNOWAIT) < 0) return false;
    const pid = view.getInt32(PID_AT, true);
    if (pid === 0 || pid === ownedPid) return true;
    trySyscall('waitid', P_PID, pid, addressOf(details), WEXITED | WNOHANG);
  }
}
