import type { SignalState } from '../../sandbox/launch.ts';
import { parseSignals } from '../../signal-state.ts';
import { type DescriptorLimits, descriptorLimits, SELF } from './descriptor-limits.ts';
import { readSmallFile, readUnlessGone } from './small-files.ts';

/** Signal settings inherited from the caller. Call before this process changes its own. */
export function readCallerSignals(): SignalState {
  return parseSignals(readSmallFile('/proc/self/status'));
}

/**
 * The runtime has raised this process's own to the hard limit before a line of it runs, for itself alone: programs close, or make room for, as many as they
 * may have. Nobody remembers what it was, but who started this process has it still, unless it has raised its own, or the hard limit was changed in between.
 */
export function readCallerDescriptors(): number | undefined {
  const { ppid } = process;
  // It is in no namespace of this process's, and 0 would stand for this one.
  if (ppid === 0) return undefined;
  const own = descriptorLimits(SELF);
  const callers = descriptorLimits(ppid) ?? readDescriptorLimits(ppid);
  return own === undefined || callers === undefined || callers.hard !== own.hard || callers.soft >= own.soft
    ? undefined
    : callers.soft;
}

/** Of another user's process, as everybody may read it. */
function readDescriptorLimits(pid: number): DescriptorLimits | undefined {
  const [, soft, hard] = /^Max open files +(\d+) +(\d+)/m.exec(readUnlessGone(`/proc/${pid}/limits`) ?? '') ?? [];
  return soft === undefined ? undefined : { soft: Number(soft), hard: Number(hard) };
}
