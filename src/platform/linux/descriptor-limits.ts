import { addressOf, fixedBuffer, trySyscall } from './syscalls.ts';

/** include/uapi/asm-generic/resource.h; struct rlimit64: soft, hard. */
const RLIMIT_NOFILE = 7;
const LIMIT_WORDS = 4;
/** prlimit(2) takes it for the process that calls. */
export const SELF = 0;

/** How many descriptors a process may have, and how many it may ask for. */
export interface DescriptorLimits {
  readonly soft: number;
  readonly hard: number;
}

/** By halves: to read a word of 64 bits makes a bigint each time. @returns undefined of another user's process. */
export function descriptorLimits(pid: number): DescriptorLimits | undefined {
  const words = new Uint32Array(fixedBuffer(LIMIT_WORDS * Uint32Array.BYTES_PER_ELEMENT).buffer);
  if (trySyscall('prlimit64', pid, RLIMIT_NOFILE, 0, addressOf(new Uint8Array(words.buffer))) < 0) return undefined;
  const [softLow = 0, softHigh = 0, hardLow = 0, hardHigh = 0] = words;
  return { soft: softHigh * 2 ** 32 + softLow, hard: hardHigh * 2 ** 32 + hardLow };
}
