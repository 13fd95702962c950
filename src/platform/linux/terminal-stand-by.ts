import { type Bytes, bufferFromBytes, cString } from '../../bytes.ts';
import { forkCalls } from './forked-calls.ts';
import { mapMemory } from './machine-code.ts';
import { makePipe } from './pipe.ts';
import { addressOf, fixedBuffer, syscall, trySyscall } from './syscalls.ts';

/** include/uapi/linux/prctl.h, asm-generic/ioctls.h, wait.h */
const PR_SET_NAME = 15;
const TCSETS = 0x5402;
const P_PID = 1;
const WEXITED = 4;
const WALL = 0x40000000;
const SIGINFO_BYTES = 128;
const SIGKILL = 9;
const ALL_DESCRIPTORS = 0x7fffffff;
const STDOUT = 1;
/** struct iovec: address and length. */
const VECTOR_BYTES = 16;
const LENGTH_AT = 8;
/** A drawing sets a few dozen modes; palettes and stacks of titles are bounded by the ledger. */
const TEXT_BYTES_MAXIMUM = 64 * 1024 - VECTOR_BYTES;
/** The first screen comes first. */
const START_AFTER_MS = 100;

/**
 * Puts the terminal back when this process is killed: a process of a few system calls waits for the end of a pipe whose other
 * end is this process's alone. What it then writes is in memory that both share.
 */
export class TerminalStandBy {
  readonly #settings: Bytes;
  #memory: ReturnType<typeof mapMemory> | undefined;
  #restore: Uint8Array = new Uint8Array();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stop: (() => void) | undefined;

  /** @param settings The terminal's, as they are to be again. */
  constructor(settings: Bytes) {
    this.#settings = settings;
  }

  start(): void {
    this.#timer ??= setTimeout(() => {
      this.#stop = this.#fork();
    }, START_AFTER_MS);
  }

  /** The terminal is the user's own again. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#stop?.();
    this.#stop = undefined;
  }

  /** What is to be written. */
  prepare(restore: Uint8Array): void {
    this.#restore = restore.subarray(0, TEXT_BYTES_MAXIMUM);
    this.#share();
  }

  /** The length last, and 0 meanwhile: half of an old text and half of a new one is never written. */
  #share(): void {
    if (this.#memory === undefined) return;
    const { address, bytes } = this.#memory;
    const vector = new DataView(bytes.buffer, bytes.byteOffset, VECTOR_BYTES);
    vector.setBigUint64(LENGTH_AT, 0n, true);
    vector.setBigUint64(0, BigInt(address + VECTOR_BYTES), true);
    bytes.set(this.#restore, VECTOR_BYTES);
    vector.setBigUint64(LENGTH_AT, BigInt(this.#restore.length), true);
  }

  #fork(): () => void {
    this.#memory ??= mapMemory(VECTOR_BYTES + TEXT_BYTES_MAXIMUM, { isShared: true });
    this.#share();
    const { source, sink } = makePipe();
    const pid = forkCalls([
      ['prctl', PR_SET_NAME, cString('nono-stand-by' as Bytes)],
      // A signal for the whole group of the client is none for it.
      ['setsid'],
      ['dup3', source, 0, 0],
      ['close_range', STDOUT + 1, ALL_DESCRIPTORS, 0],
      ['read', 0, fixedBuffer(8), 1],
      ['ioctl', STDOUT, TCSETS, bufferFromBytes(this.#settings)],
      ['writev', STDOUT, this.#memory.address, 1],
      ['exit_group', 0],
    ]);
    syscall('close', source);
    return () => {
      // First: at the end of the pipe it would write.
      trySyscall('kill', pid, SIGKILL);
      trySyscall('waitid', P_PID, pid, addressOf(fixedBuffer(SIGINFO_BYTES)), WEXITED | WALL);
      trySyscall('close', sink);
    };
  }
}
