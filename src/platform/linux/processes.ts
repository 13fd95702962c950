import type { Processes } from '../../ports/processes.ts';
import { readSmallFile, readSymbolicLink, readUnlessGone } from './small-files.ts';

/** Fields of /proc/PID/stat after the command name, which may hold spaces (proc(5)): field 22 is the start time. */
const START_FIELD = 19;

let bootId: string | undefined;

/** Processes by /proc. */
export function createLinuxProcesses(): Processes {
  return {
    self: () => ({
      pid: process.pid,
      startTicks: startTicks('self') ?? 0,
      pidNamespace: namespaceOf(readSymbolicLink('/proc/self/ns/pid')),
      // Not every process that has an identity writes it down.
      get bootId() {
        bootId ??= readSmallFile('/proc/sys/kernel/random/boot_id').trim();
        return bootId;
      },
    }),
    startTicks,
  };
}

/** The inode number in `pid:[4026531836]`. */
function namespaceOf(link: string): number {
  return Number(link.slice(link.indexOf('[') + 1, -1));
}

function startTicks(pid: number | 'self'): number | undefined {
  const stat = readUnlessGone(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // A zombie holds nothing any more: it is dead for whoever asks.
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : Number(fields[START_FIELD]);
}
