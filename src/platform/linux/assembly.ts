import { callAt } from './launch/load.ts';
import { loadCode } from './machine-code.ts';

/**
 * What C cannot say, for each processor: one system call that answers -errno and touches nothing of a C library, the
 * return from a signal handler (which x64 wants from the program), and clone(2) onto a stack of its own, where the
 * new thread or process finds the address at which it begins.
 */
interface Code {
  readonly system: readonly number[];
  readonly restorer: readonly number[] | undefined;
  readonly clone: readonly number[];
}

// biome-ignore format: one instruction in a line
const x64 = (): Code => ({
  system: [
    0x48, 0x89, 0xf8, // mov rax, rdi
    0x48, 0x89, 0xf7, // mov rdi, rsi
    0x48, 0x89, 0xd6, // mov rsi, rdx
    0x48, 0x89, 0xca, // mov rdx, rcx
    0x4d, 0x89, 0xc2, // mov r10, r8
    0x4d, 0x89, 0xc8, // mov r8, r9
    0x4c, 0x8b, 0x4c, 0x24, 0x08, // mov r9, [rsp + 8]
    0x0f, 0x05, // syscall
    0xc3, // ret
  ],
  restorer: [
    0xb8, 15, 0, 0, 0, // mov eax, 15 (rt_sigreturn)
    0x0f, 0x05, // syscall
  ],
  clone: [
    0xb8, 56, 0, 0, 0, // mov eax, 56 (clone); flags and stack are in place
    0x31, 0xd2, // xor edx, edx
    0x45, 0x31, 0xd2, // xor r10d, r10d
    0x45, 0x31, 0xc0, // xor r8d, r8d
    0x0f, 0x05, // syscall
    0xc3, // ret: on the new stack, to the address on top of it
  ],
});

const arm64 = (): Code => ({
  system: words(
    0xaa0003e8, // mov x8, x0
    0xaa0103e0, // mov x0, x1
    0xaa0203e1, // mov x1, x2
    0xaa0303e2, // mov x2, x3
    0xaa0403e3, // mov x3, x4
    0xaa0503e4, // mov x4, x5
    0xaa0603e5, // mov x5, x6
    0xd4000001, // svc 0
    0xd65f03c0, // ret
  ),
  restorer: undefined,
  clone: words(
    0xd2800002, // mov x2, 0
    0xd2800003, // mov x3, 0
    0xd2800004, // mov x4, 0
    0xd2801b88, // mov x8, 220 (clone)
    0xd4000001, // svc 0
    0xb5000060, // cbnz x0, to the ret
    0xf94003e9, // ldr x9, [sp]
    0xd61f0120, // br x9
    0xd65f03c0, // ret
  ),
});

function words(...values: readonly number[]): readonly number[] {
  return values.flatMap((value) => [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24]);
}

/** Room for each piece. */
const PIECE_BYTES = 64;

export interface LoadedAssembly {
  /** Of the page that holds it all. */
  readonly address: number;
  readonly system: number;
  /** 0 where the kernel brings it. */
  readonly restorer: number;
  readonly cloneAddress: number;
  /** @returns the new thread's or process's id, or the errno negated. */
  readonly clone: (flags: number, stack: number) => number;
}

let loaded: LoadedAssembly | undefined;

/** Once for the whole process. */
export function loadAssembly(): LoadedAssembly {
  loaded ??= load();
  return loaded;
}

function load(): LoadedAssembly {
  const { system, restorer, clone } = process.arch === 'arm64' ? arm64() : x64();
  const page = new Uint8Array(3 * PIECE_BYTES);
  page.set(system, 0);
  page.set(restorer ?? [], PIECE_BYTES);
  page.set(clone, 2 * PIECE_BYTES);
  const address = loadCode(page);
  return {
    address,
    system: address,
    restorer: restorer === undefined ? 0 : address + PIECE_BYTES,
    cloneAddress: address + 2 * PIECE_BYTES,
    clone: (flags, stack) => callAt(address + 2 * PIECE_BYTES, flags, stack),
  };
}
