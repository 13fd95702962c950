import { EXIT, NonoError } from '../../errors.ts';
import type { Processes } from '../../ports/processes.ts';
import { readBootId } from './host-name.ts';
import { statFields } from './process-stat.ts';
import { readSmallFile, readSymbolicLink, readUnlessGone } from './small-files.ts';
import { errnoName, trySyscall } from './syscalls.ts';

/** Of statFields(): field 22 of all, the start time. */
const START_FIELD = 19;

/** USER_HZ of include/asm-generic/param.h: in /proc it is the same on all machines. */
const TICKS_PER_SECOND = 100;

/** Processes by /proc. */
export function createLinuxProcesses(): Processes {
  return {
    self: () => ({
      pid: process.pid,
      startTicks: ownStartTicks(),
      pidNamespace: namespaceOf(readSymbolicLink('/proc/self/ns/pid')),
      // Not every process that has an identity writes it down.
      get bootId() {
        return readBootId();
      },
    }),
    startTicks,
    wallSeconds: (ticks) => Date.now() / 1000 - (Number.parseFloat(readSmallFile('/proc/uptime')) - ticks / TICKS_PER_SECOND),
  };
}

/** The inode number in `pid:[4026531836]`. */
function namespaceOf(link: string): number {
  return Number(link.slice(link.indexOf('[') + 1, -1));
}

/**
 * @throws {NonoError} where /proc was mounted in another namespace: the numbers of processes in it are not those that the kernel tells here, and what is looked
 *   up by one is some other process's.
 */
function ownStartTicks(): number {
  const stat = readSmallFile('/proc/self/stat');
  if (Number.parseInt(stat, 10) === process.pid) return startOf(stat) ?? 0;
  throw new NonoError('E_SYSTEM', EXIT.nonoFailed, 'Cannot go on: /proc shows the processes of another pid namespace', {
    hint: 'Mount one for this namespace: unshare --mount-proc, bwrap --proc /proc, or mount -t proc proc /proc',
  });
}

function startTicks(pid: number): number | undefined {
  const stat = readUnlessGone(`/proc/${pid}/stat`);
  if (stat !== undefined) return startOf(stat);
  // Out of sight (hidepid): of whom the Landlock domain that a run is in keeps apart, too. The kernel tells that there is one.
  return errnoName(-trySyscall('kill', pid, 0)) === 'ESRCH' ? undefined : Number.NaN;
}

function startOf(stat: string): number | undefined {
  const fields = statFields(stat);
  // A zombie holds nothing any more: it is dead for whoever asks.
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : Number(fields[START_FIELD]);
}
