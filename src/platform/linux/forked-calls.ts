import { SystemError } from '../../errors.ts';
import { functionAt } from './foreign.ts';
import { loadCode, mapMemory } from './machine-code.ts';
import { withSignalsBlocked } from './signal-mask.ts';
import { addressOf, errnoName, fixedBuffer, type SyscallName, syscallNumber, trySyscall } from './syscalls.ts';

/** A system call and its arguments: numbers, or memory, of which the process gets a copy. */
export type PreparedCall = readonly [name: SyscallName, ...arguments: (number | bigint | Uint8Array)[]];

const WORDS_A_CALL = 7;
const WORD_BYTES = 8;
/** include/uapi/asm-generic/mman-common.h */
const MADV_DONTFORK = 10;
const MADV_DOFORK = 11;
/** The allocator of the runtime reserves so much at once. */
const HEAP_BYTES = 2 ** 30;
/** A heap that is nearer to what else there is, which is mapped by the kernel's choice or at the beginning of all, is not left out. */
const NEAR_BYTES = 2 ** 42;
const LOW_BYTES = 2 ** 33;

/**
 * Forks a process that makes these calls one after the other, whatever they answer; the last one has to end it. It shares
 * no memory with this one, runs nothing of the runtime, and has all signals blocked that can be: 0.3 ms, and 2 MB at most,
 * where another process of nono's executable takes 4 ms and 15 MB. Its end sends no signal, and only waitid(2) with __WALL
 * finds it: nobody takes it for one of the children that a command left behind.
 *
 * @returns its pid.
 */
export function forkCalls(calls: readonly PreparedCall[]): number {
  const list = encode(calls);
  const run = functionAt(loadCode(forkCode()), 1);
  const pid = withSignalsBlocked(() => withoutHeap(list, () => Number(run(list))));
  if (pid < 0) throw new SystemError('clone', errnoName(-pid));
  return pid;
}

/** The calls and their memory in a mapping of their own, which stays. @returns its address. */
function encode(calls: readonly PreparedCall[]): number {
  const arraysAt = calls.length * WORDS_A_CALL * WORD_BYTES;
  let sizeBytes = arraysAt;
  for (const [, ...values] of calls) for (const value of values) sizeBytes += roomFor(value);
  const { address, bytes } = mapMemory(sizeBytes);
  const view = new DataView(bytes.buffer);
  let free = arraysAt;
  calls.forEach(([name, ...values], at) => {
    const call = at * WORDS_A_CALL * WORD_BYTES;
    view.setBigInt64(call, BigInt(syscallNumber(name)), true);
    values.forEach((value, index) => {
      const word = typeof value === 'object' ? address + free : value;
      view.setBigInt64(call + (1 + index) * WORD_BYTES, BigInt(word), true);
      if (typeof value === 'object') bytes.set(value, free);
      free += roomFor(value);
    });
  });
  return address;
}

/** In whole words. */
function roomFor(value: number | bigint | Uint8Array): number {
  return typeof value === 'object' ? Math.ceil(value.length / WORD_BYTES) * WORD_BYTES : 0;
}

/**
 * The new process needs nothing of the heap. To leave it out saves a fork half of its time, and this process a fault at each page that it writes to afterwards: 0.5 ms.
 * Where there is a gap in the range, the rest is done all the same (madvise(2), ENOMEM).
 *
 * @param mappedAddress Where the kernel maps what it is not told a place for.
 */
function withoutHeap<T>(mappedAddress: number, fork: () => T): T {
  const heap = addressOf(fixedBuffer(1));
  if (heap < LOW_BYTES || Math.abs(mappedAddress - heap) < NEAR_BYTES) return fork();
  const from = heap - (heap % HEAP_BYTES) - HEAP_BYTES;
  trySyscall('madvise', from, 3 * HEAP_BYTES, MADV_DONTFORK);
  try {
    return fork();
  } finally {
    trySyscall('madvise', from, 3 * HEAP_BYTES, MADV_DOFORK);
  }
}

/** `long run(long *list) { pid = clone(0); if (pid != 0) return pid; for (;; list += 7) syscall(list[0], …, list[6]); }` */
function forkCode(): Uint8Array {
  return process.arch === 'arm64' ? arm64Code() : x64Code();
}

// biome-ignore format: one instruction a line
const x64Code = () => new Uint8Array([
  0x53, // push rbx
  0x48, 0x89, 0xfb, // mov rbx, rdi
  0xb8, 0x38, 0, 0, 0, // mov eax, 56 (clone)
  0xbf, 0, 0, 0, 0, // mov edi, 0
  0x31, 0xf6, // xor esi, esi
  0x31, 0xd2, // xor edx, edx
  0x45, 0x31, 0xd2, // xor r10d, r10d
  0x45, 0x31, 0xc0, // xor r8d, r8d
  0x0f, 0x05, // syscall
  0x48, 0x85, 0xc0, // test rax, rax
  0x75, 0x23, // jnz to the pop
  0x48, 0x8b, 0x03, // mov rax, [rbx]
  0x48, 0x8b, 0x7b, 0x08, // mov rdi, [rbx + 8]
  0x48, 0x8b, 0x73, 0x10, // mov rsi, [rbx + 16]
  0x48, 0x8b, 0x53, 0x18, // mov rdx, [rbx + 24]
  0x4c, 0x8b, 0x53, 0x20, // mov r10, [rbx + 32]
  0x4c, 0x8b, 0x43, 0x28, // mov r8, [rbx + 40]
  0x4c, 0x8b, 0x4b, 0x30, // mov r9, [rbx + 48]
  0x48, 0x83, 0xc3, 0x38, // add rbx, 56
  0x0f, 0x05, // syscall
  0xeb, 0xdd, // jmp to mov rax
  0x5b, // pop rbx
  0xc3, // ret
]);

const arm64Code = () =>
  new Uint8Array(
    new Uint32Array([
      0xaa0003e9, // mov x9, x0
      0xd2800000, // mov x0, 0
      0xd2800001, // mov x1, 0
      0xd2800002, // mov x2, 0
      0xd2800003, // mov x3, 0
      0xd2800004, // mov x4, 0
      0xd2801b88, // mov x8, 220 (clone)
      0xd4000001, // svc 0
      0xb50000e0, // cbnz x0, to the ret, 7 instructions on
      0xa8c10128, // ldp x8, x0, [x9], 16
      0xa8c10921, // ldp x1, x2, [x9], 16
      0xa8c11123, // ldp x3, x4, [x9], 16
      0xf8408525, // ldr x5, [x9], 8
      0xd4000001, // svc 0
      0x17fffffb, // b to the first ldp, 5 instructions back
      0xd65f03c0, // ret
    ]).buffer,
  );
