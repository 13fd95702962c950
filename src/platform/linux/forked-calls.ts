import { SystemError } from '../../errors.ts';
import { functionAt } from './foreign.ts';
import { loadCode } from './machine-code.ts';
import { withSignalsBlocked } from './signal-mask.ts';
import { addressOf, errnoName, type SyscallName, syscallNumber } from './syscalls.ts';

/** A system call and its arguments: numbers, or memory that the caller keeps alive until the fork. */
export type PreparedCall = readonly [name: SyscallName, ...arguments: (number | bigint)[]];

const WORDS_A_CALL = 7;

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
  const pid = withSignalsBlocked(() => Number(run(addressOf(list))));
  if (pid < 0) throw new SystemError('clone', errnoName(-pid));
  return pid;
}

function encode(calls: readonly PreparedCall[]): Uint8Array {
  const words = new BigInt64Array(new ArrayBuffer(calls.length * WORDS_A_CALL * 8));
  calls.forEach(([name, ...values], at) => {
    words[at * WORDS_A_CALL] = BigInt(syscallNumber(name));
    values.forEach((value, index) => {
      words[at * WORDS_A_CALL + 1 + index] = BigInt(value);
    });
  });
  return new Uint8Array(words.buffer);
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
