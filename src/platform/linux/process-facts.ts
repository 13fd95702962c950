import type { SignalState } from '../../sandbox/launch.ts';
import { parseSignals } from '../../signal-state.ts';
import { readIfThere, readSmallFile } from './small-files.ts';
import { addressOf, fixedBuffer, trySyscall } from './syscalls.ts';

/** include/uapi/asm-generic/resource.h; struct rlimit64: soft, hard. */
const RLIMIT_NOFILE = 7;
const LIMIT_WORDS = 4;
const SELF = 0;

interface Limits {
  readonly soft: number;
  readonly hard: number;
}

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

/** By halves: to read a word of 64 bits makes a bigint each time. @returns undefined of another user's process. */
function descriptorLimits(pid: number): Limits | undefined {
  const words = new Uint32Array(fixedBuffer(LIMIT_WORDS * Uint32Array.BYTES_PER_ELEMENT).buffer);
  if (trySyscall('prlimit64', pid, RLIMIT_NOFILE, 0, addressOf(new Uint8Array(words.buffer))) < 0) return undefined;
  const [softLow = 0, softHigh = 0, hardLow = 0, hardHigh = 0] = words;
  return { soft: softHigh * 2 ** 32 + softLow, hard: hardHigh * 2 ** 32 + hardLow };
}

/** The same as everybody may read it. */
function readDescriptorLimits(pid: number): Limits | undefined {
  const [, soft, hard] = /^Max open files +(\d+) +(\d+)/m.exec(readIfThere(`/proc/${pid}/limits`) ?? '') ?? [];
  return soft === undefined ? undefined : { soft: Number(soft), hard: Number(hard) };
}
