import { CFunction, FFIType, type Pointer } from 'bun:ffi';
import type { Bytes } from '../../bytes.ts';
import { cString } from '../../bytes.ts';
import { SystemError } from '../../errors.ts';
import { loadCode } from './machine-code.ts';
import { Pins } from './pins.ts';
import { addressOf, errnoName, fixedBuffer, syscall } from './syscalls.ts';

/**
 * `spawn(path, argv, envp, channel)`: clone(CLONE_VM | CLONE_VFORK | SIGCHLD) twice, so that the process is nobody's
 * child when its parent has been waited for; then setsid(2), `channel` as descriptor 0 and no other, and execve(2).
 * Only registers are used: the memory is the caller's until execve(2).
 */
// biome-ignore format: one instruction in a line
const X64: readonly number[] = [
  0x49, 0x89, 0xf8, // mov r8, rdi
  0x49, 0x89, 0xf1, // mov r9, rsi
  0x49, 0x89, 0xca, // mov r10, rcx
  0xb8, 56, 0, 0, 0, // mov eax, 56 (clone)
  0xbf, 0x11, 0x41, 0, 0, // mov edi, CLONE_VM | CLONE_VFORK | SIGCHLD
  0x31, 0xf6, // xor esi, esi
  0x0f, 0x05, // syscall
  0x85, 0xc0, // test eax, eax
  0x74, 0x01, // jz to the child
  0xc3, // ret
  0xb8, 56, 0, 0, 0, // mov eax, 56
  0xbf, 0x11, 0x41, 0, 0, // mov edi, CLONE_VM | CLONE_VFORK | SIGCHLD
  0x31, 0xf6, // xor esi, esi
  0x0f, 0x05, // syscall
  0x85, 0xc0, // test eax, eax
  0x75, 0x3b, // jnz to the end
  0x49, 0x89, 0xd4, // mov r12, rdx
  0xb8, 112, 0, 0, 0, // mov eax, 112 (setsid)
  0x0f, 0x05, // syscall
  0x4c, 0x89, 0xd7, // mov rdi, r10
  0x31, 0xf6, // xor esi, esi
  0x31, 0xd2, // xor edx, edx
  0xb8, 0x24, 0x01, 0, 0, // mov eax, 292 (dup3)
  0x0f, 0x05, // syscall
  0xbf, 1, 0, 0, 0, // mov edi, 1
  0xbe, 0xff, 0xff, 0xff, 0xff, // mov esi, -1
  0x31, 0xd2, // xor edx, edx
  0xb8, 0xb4, 0x01, 0, 0, // mov eax, 436 (close_range)
  0x0f, 0x05, // syscall
  0x4c, 0x89, 0xc7, // mov rdi, r8
  0x4c, 0x89, 0xce, // mov rsi, r9
  0x4c, 0x89, 0xe2, // mov rdx, r12
  0xb8, 59, 0, 0, 0, // mov eax, 59 (execve)
  0x0f, 0x05, // syscall
  0x31, 0xff, // xor edi, edi
  0xb8, 0xe7, 0, 0, 0, // mov eax, 231 (exit_group)
  0x0f, 0x05, // syscall
];

// biome-ignore format: one instruction in a line
const ARM64: readonly number[] = [
  0xaa0003e9, // mov x9, x0
  0xaa0103ea, // mov x10, x1
  0xaa0203eb, // mov x11, x2
  0xaa0303ec, // mov x12, x3
  0xd2882220, // mov x0, CLONE_VM | CLONE_VFORK | SIGCHLD
  0xd2800001, // mov x1, 0
  0xd2801b88, // mov x8, 220 (clone)
  0xd4000001, // svc 0
  0xb4000040, // cbz x0, to the child
  0xd65f03c0, // ret
  0xd2882220, // mov x0, CLONE_VM | CLONE_VFORK | SIGCHLD
  0xd2800001, // mov x1, 0
  0xd2801b88, // mov x8, 220
  0xd4000001, // svc 0
  0xb5000240, // cbnz x0, to the end
  0xd28013a8, // mov x8, 157 (setsid)
  0xd4000001, // svc 0
  0xaa0c03e0, // mov x0, x12
  0xd2800001, // mov x1, 0
  0xd2800002, // mov x2, 0
  0xd2800308, // mov x8, 24 (dup3)
  0xd4000001, // svc 0
  0xd2800020, // mov x0, 1
  0x92800001, // mov x1, -1
  0xd2800002, // mov x2, 0
  0xd2803688, // mov x8, 436 (close_range)
  0xd4000001, // svc 0
  0xaa0903e0, // mov x0, x9
  0xaa0a03e1, // mov x1, x10
  0xaa0b03e2, // mov x2, x11
  0xd2801ba8, // mov x8, 221 (execve)
  0xd4000001, // svc 0
  0xd2800000, // mov x0, 0
  0xd2800bc8, // mov x8, 94 (exit_group)
  0xd4000001, // svc 0
].flatMap((word) => [word & 0xff, (word >>> 8) & 0xff, (word >>> 16) & 0xff, word >>> 24]);

/** include/uapi/linux/wait.h */
const P_PID = 1;
const WEXITED = 4;
const SIGINFO_BYTES = 128;

export interface DetachedProcess {
  readonly file: Bytes;
  /** Arguments, the zeroth included. */
  readonly arguments: readonly Bytes[];
  /** All of the environment, `NAME=VALUE`. */
  readonly environment: readonly Bytes[];
  /** Becomes its descriptor 0. */
  readonly channel: number;
}

/**
 * Starts a process in a session of its own that is no child of this one and has none of its streams: what this process
 * becomes must not find it among its own, and whoever waits for its output must not wait for that process.
 *
 * @throws {SystemError}
 */
export function startDetached({ file, arguments: words, environment, channel }: DetachedProcess): void {
  const address = loadCode(new Uint8Array(process.arch === 'arm64' ? ARM64 : X64));
  const spawn = CFunction({
    ptr: address as Pointer,
    args: [FFIType.i64_fast, FFIType.i64_fast, FFIType.i64_fast, FFIType.i64_fast],
    returns: FFIType.i64_fast,
  });
  const pins = new Pins();
  const path = pins.address(cString(file));
  const result = Number(spawn(path, pins.vector(words), pins.vector(environment), channel));
  pins.release();
  if (result < 0) throw new SystemError('clone', errnoName(-result));
  syscall('waitid', P_PID, result, addressOf(fixedBuffer(SIGINFO_BYTES)), WEXITED);
}
