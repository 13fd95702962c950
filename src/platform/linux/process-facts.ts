import type { SignalState } from '../../sandbox/launch.ts';
import { parseSignals } from '../../signal-state.ts';
import { readIfThere, readSmallFile } from './small-files.ts';
import { addressOf, fixedBuffer, syscall } from './syscalls.ts';

/** include/uapi/asm-generic/resource.h; struct rlimit64: soft, hard. */
const RLIMIT_NOFILE = 7;
const LIMITS_BYTES = 16;
const HARD_AT = 8;

/** Signal settings inherited from the caller. Call before this process changes its own. */
export function readCallerSignals(): SignalState {
  return parseSignals(readSmallFile('/proc/self/status'));
}

/**
 * The runtime has raised this process's own to the hard limit before a line of it runs, for itself alone: programs close, or make room for, as many as they
 * may have. Nobody remembers what it was, but who started this process has it still, unless it has raised its own, or the hard limit was changed in between.
 */
export function readCallerDescriptors(): number | undefined {
  const limits = fixedBuffer(LIMITS_BYTES);
  const view = new DataView(limits.buffer);
  syscall('prlimit64', 0, RLIMIT_NOFILE, 0, addressOf(limits));
  // Nothing for that of a process of another namespace.
  const [, soft = '', hard] = /^Max open files +(\d+) +(\d+)/m.exec(readIfThere(`/proc/${process.ppid}/limits`) ?? '') ?? [];
  if (hard !== String(view.getBigUint64(HARD_AT, true)) || BigInt(soft) >= view.getBigUint64(0, true)) return undefined;
  return Number(soft);
}
