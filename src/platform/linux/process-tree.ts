import { SystemError } from '../../errors.ts';
import { landlockAbi } from './confine.ts';
import * as confine from './confine-uapi.ts';
import { readSmallFile } from './small-files.ts';
import { addressOf, errnoName, fixedBuffer, syscall, trySyscall } from './syscalls.ts';

/** include/uapi/linux/prctl.h */
const PR_SET_CHILD_SUBREAPER = 36;
/** include/uapi/linux/landlock.h: LANDLOCK_SCOPE_SIGNAL, and the ABI that has it. */
const SCOPE_SIGNAL = 2;
const SCOPE_ABI = 6;
const SCOPED_AT = 16;
const RULESET_BYTES = 24;

/** include/uapi/linux/wait.h */
const P_ALL = 0;
const P_PID = 1;
const WNOHANG = 1;
const WEXITED = 4;
const WNOWAIT = 0x01000000;
/** siginfo_t and the offset of its pid. */
const SIGINFO_BYTES = 128;
const PID_AT = 16;

const SIGKILL = 9;
const SIGSTOP = 19;
/** A tree that forks faster than it is killed is stopped first, process by process, so often at most. */
const ROUNDS_MAXIMUM = 100;

/** All that descends from this process, whatever it called to get away. */
export interface ProcessTree {
  /** Sends a signal to every process of the tree but this one. */
  signalAll(signal: number): void;
  /** Reaps what was left by its parent. @returns whether any child is left, dead or alive. */
  reap(): boolean;
}

/**
 * Makes this process the one that orphans of its tree come to. Where the kernel can (Landlock ABI 6), it also takes a
 * domain that confines nothing but signals: kill(-1) then reaches the tree, all of it at once, and nothing else.
 *
 * @param ownedPid A child that somebody else here waits for.
 */
export function createProcessTree(ownedPid: () => number | undefined): ProcessTree {
  adoptOrphans();
  const isScoped = takeSignalDomain();
  return {
    signalAll(signal) {
      if (isScoped) signalDomain(signal);
      else signalDescendants(process.pid, signal);
    },
    reap: () => reap(ownedPid()),
  };
}

/** Orphans of this process's tree become its children. */
export function adoptOrphans(): void {
  syscall('prctl', PR_SET_CHILD_SUBREAPER, 1);
}

function takeSignalDomain(): boolean {
  if (landlockAbi() < SCOPE_ABI) return false;
  syscall('prctl', confine.PR_SET_NO_NEW_PRIVS, 1);
  const attributes = fixedBuffer(RULESET_BYTES);
  new DataView(attributes.buffer).setUint32(SCOPED_AT, SCOPE_SIGNAL, true);
  const ruleset = syscall('landlock_create_ruleset', addressOf(attributes), attributes.length, 0);
  syscall('landlock_restrict_self', ruleset, 0);
  syscall('close', ruleset);
  return true;
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

function childrenOf(pid: number): readonly number[] {
  try {
    return readSmallFile(`/proc/${pid}/task/${pid}/children`)
      .split(' ')
      .filter((word) => word !== '')
      .map(Number);
  } catch (error) {
    if (error instanceof SystemError) return []; // It has just ended.
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
