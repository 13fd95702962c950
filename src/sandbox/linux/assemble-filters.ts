import { type Bytes, bytesFromBuffer } from '../../bytes.ts';
import type { Instruction } from './bpf.ts';
import { filterName } from './known-filters.ts';
import { NEWEST_ABI } from './landlock.ts';
import { encodeSeccomp, type SeccompTarget } from './seccomp.ts';
import type { Architecture } from './seccomp-uapi.ts';

/** The oldest Landlock whose filters the build makes ahead of time: with it signals need no mediator. */
const FIRST_ABI = 6;
/** struct sock_filter of include/uapi/linux/filter.h: 16 bits of code, 8 and 8 of jumps, 32 of constant. */
const INSTRUCTION_BYTES = 8;

/** encodeSeccomp() as the kernel reads it. */
export function assembleFilter(target: SeccompTarget): Bytes {
  return encodeFilter(encodeSeccomp(target));
}

/** Instructions as the kernel reads them: an array of struct sock_filter, little-endian. */
export function encodeFilter(instructions: readonly Instruction[]): Bytes {
  const view = new DataView(new ArrayBuffer(instructions.length * INSTRUCTION_BYTES));
  for (const [index, [code, jumpTrue, jumpFalse, constant]] of instructions.entries()) {
    const at = index * INSTRUCTION_BYTES;
    view.setUint16(at, code, true);
    view.setUint8(at + 2, jumpTrue);
    view.setUint8(at + 3, jumpFalse);
    view.setUint32(at + 4, constant, true);
  }
  return bytesFromBuffer(new Uint8Array(view.buffer));
}

/** The filters of plans without sockets and questions, on the kernels of today: a name and base64 in each line, an empty line before. */
export function encodeKnownFilters(architecture: Architecture): string {
  return knownTargets(architecture)
    .map((target) => `\n${filterName(target)}=${btoa(assembleFilter(target))}`)
    .concat('\n')
    .join('');
}

/** Those whose filters the build assembles: what most calls ask for, on each ABI. */
export function knownTargets(architecture: Architecture): readonly SeccompTarget[] {
  const abis = Array.from({ length: NEWEST_ABI - FIRST_ABI + 1 }, (_, at) => FIRST_ABI + at);
  return abis.flatMap((abi) =>
    (['allowed', 'blocked'] as const).map((mode) => ({ network: { mode }, architecture, abi, mediator: 'own' as const })),
  );
}
