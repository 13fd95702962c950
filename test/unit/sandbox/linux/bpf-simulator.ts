import { CODE, type Instruction, MAXIMUM_INSTRUCTIONS } from '../../../../src/sandbox/linux/bpf.ts';
import { DATA } from '../../../../src/sandbox/linux/seccomp-uapi.ts';

/** struct seccomp_data: number, architecture, instruction pointer, six arguments. */
const DATA_BYTES = 64;

export interface SystemCall {
  readonly number: number;
  readonly architecture: number;
  readonly arguments?: readonly (number | bigint)[];
}

/** Runs a filter as the kernel does. @returns what it answers, how many instructions that took, and what it looked at. */
export function simulate(
  program: readonly Instruction[],
  call: SystemCall,
): { readonly value: number; readonly steps: number; readonly offsets: readonly number[] } {
  const data = new DataView(new ArrayBuffer(DATA_BYTES));
  data.setUint32(DATA.number, call.number >>> 0, true);
  data.setUint32(DATA.architecture, call.architecture, true);
  (call.arguments ?? []).forEach((argument, index) => {
    data.setBigUint64(DATA.arguments + index * 8, BigInt.asUintN(64, BigInt(argument)), true);
  });
  let accumulator = 0;
  let steps = 0;
  const offsets: number[] = [];
  for (let at = 0; ; at++) {
    steps++;
    const [code, jumpTrue, jumpFalse, constant] = program[at] ?? fail(`ran off the end at ${at}`);
    const choose = (isTrue: boolean): number => (isTrue ? jumpTrue : jumpFalse);
    if (code === CODE.load) {
      accumulator = data.getUint32(constant, true);
      offsets.push(constant);
    } else if (code === CODE.and) accumulator = (accumulator & constant) >>> 0;
    else if (code === CODE.jump) at += constant;
    else if (code === CODE.equal) at += choose(accumulator === constant);
    else if (code === CODE.greater) at += choose(accumulator > constant);
    else if (code === CODE.atLeast) at += choose(accumulator >= constant);
    else if (code === CODE.anyBit) at += choose((accumulator & constant) !== 0);
    else if (code === CODE.return) return { value: constant, steps, offsets };
    else fail(`does not know the code ${code}`);
  }
}

/** What bpf_check_classic() of net/core/filter.c and seccomp_check_filter() of kernel/seccomp.c would refuse. */
export function checkAsKernel(program: readonly Instruction[]): void {
  if (program.length === 0 || program.length > MAXIMUM_INSTRUCTIONS) fail('has a wrong length');
  program.forEach(([code, jumpTrue, jumpFalse, constant], at) => {
    const isInside = (distance: number): boolean => at + distance + 1 < program.length;
    if (!Number.isInteger(constant) || constant < 0 || constant > 0xffffffff) fail(`has no word at ${at}`);
    if (code === CODE.load && (constant % 4 !== 0 || constant >= DATA_BYTES)) fail(`loads from nowhere at ${at}`);
    if (code === CODE.jump && !isInside(constant)) fail(`jumps out at ${at}`);
    for (const distance of [jumpTrue, jumpFalse]) {
      if (!Number.isInteger(distance) || distance < 0 || distance > 255 || !isInside(distance - 1)) fail(`jumps out at ${at}`);
    }
  });
  if (program.at(-1)?.[0] !== CODE.return) fail('does not end in a return');
}

function fail(what: string): never {
  throw new Error(`The filter ${what}`);
}
