import { readFileSync, readlinkSync } from 'node:fs';
import type { Processes } from '../../ports/processes.ts';

/** Fields of /proc/PID/stat after the command name, which may hold spaces (proc(5)): field 22 is the start time. */
const START_FIELD = 19;

/** Processes by /proc. */
export function createLinuxProcesses(): Processes {
  return {
    self: () => ({
      pid: process.pid,
      startTicks: startTicks('self') ?? 0,
      pidNamespace: Number(/\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? 0),
      bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim(),
    }),
    startTicks,
  };
}

function startTicks(pid: number | 'self'): number | undefined {
  const stat = readUnlessGone(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // A zombie holds nothing any more: it is dead for whoever asks.
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : Number(fields[START_FIELD]);
}

function readUnlessGone(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
}
