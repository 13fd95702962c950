import { SystemError } from '../../../errors.ts';
import { loadAssembly } from '../assembly.ts';
import { mapMemory } from '../machine-code.ts';
import { startRawThread } from '../raw-thread.ts';
import { addressOf, errnoName, fixedBuffer, syscall, trySyscall } from '../syscalls.ts';
import * as uapi from '../uapi.ts';
import { loadRelay } from './load.ts';

/** include/uapi/linux/eventfd.h, asm-generic/mman-common.h */
const EFD_SEMAPHORE = 1;
const MADV_DONTNEED = 4;

/** `struct relay` of state.c: what stands in which word of 64 bits. */
const WORDS = {
  system: 0,
  lock: 1,
  nudge: 2,
  tell: 3,
  isSession: 4,
  frameOut: 5,
  frameIn: 6,
  patience: 7,
  eagerness: 8,
  pause: 9,
  longest: 10,
  number: 11,
  isOver: 12,
  terminal: 13,
  wire: 14,
  fromTerminal: 15,
  toTerminal: 16,
  hasPen: 17,
  isTold: 18,
  terminalEnded: 19,
  wireEnded: 20,
  wantsRoom: 21,
  up: 22,
  upSize: 23,
  upHead: 24,
  given: 25,
  sent: 26,
  mine: 27,
  headerLeft: 28,
  frameLeft: 29,
  header: 30,
  down: 31,
  downSize: 32,
  downHead: 33,
  start: 34,
  pending: 35,
  pendingEnd: 36,
  heldLength: 37,
  held: 38,
  special: 46,
  direct: 78,
  permit: 79,
  fares: 80,
  typedAt: 81,
  isDirect: 82,
  isDirectLost: 83,
  cameCount: 84,
  came: 85,
} as const;
type Word = keyof typeof WORDS;

export const WORD_BYTES = 8;
const PAGE_BYTES = 4096;
const STACK_BYTES = 16 * 1024;
/** What comes from the terminal: so much that a flood need not wait for a turn of the loop. */
export const UP_BYTES = 4 * 1024 * 1024;
/** Twice as much as the longest frame that passes, and what may be held before it. */
export const DOWN_BYTES = 320 * 1024;
/** The relay and its stack; then what comes from the terminal; then what comes from the connection. */
const UP_AT = PAGE_BYTES + STACK_BYTES;
const DOWN_AT = UP_AT + UP_BYTES;
const ALL_BYTES = DOWN_AT + DOWN_BYTES;
const HIGH_BITS = 2 ** 32;
const IS_GONE = 2;
const ESCAPE = 0x1b;
const CURSOR_UP = '\x1b[A';
/** Of `special`. */
const IS_SPECIAL = 1;
const IS_ESCAPE_OF_KEYS = 2;
/** What passes is known to JavaScript by then: nobody sees it but viewers and the model, while an echo is on its way. */
const PATIENCE_NS = 2_000_000;
/** Of little output: keys come at least so far apart, mostly, also of a key that is held down; what comes without a pause is known so soon nevertheless. */
const PAUSE_NS = 20_000_000;
const LONGEST_NS = 100_000_000;
/** An echo takes less, and to sleep meanwhile takes longer; a session's own relay has the processor that writes the echo beside it. */
const EAGERNESS_NS = 150_000;
/** struct timespec: 50 µs. */
const A_MOMENT = new Uint8Array(BigInt64Array.of(0n, 50_000n).buffer);

/** What JavaScript and the thread have in common. All is read and written under the lock, but for what is set before start(). */
export class RelayMemory {
  readonly #memory = mapMemory(ALL_BYTES);
  readonly #words = new Int32Array(this.#memory.bytes.buffer);
  readonly #count = fixedBuffer(WORD_BYTES);
  readonly #one = fixedBuffer(WORD_BYTES);
  readonly #countAt = addressOf(this.#count);
  readonly #oneAt = addressOf(this.#one);
  readonly #lockFd: number;
  readonly #nudgeFd: number;
  #isHeld = false;

  /** @throws {SystemError} */
  constructor(descriptors: DisposableStack) {
    this.#one[0] = 1;
    const own = (descriptor: number) => descriptors.adopt(descriptor, () => void trySyscall('close', descriptor));
    this.#lockFd = own(syscall('eventfd2', 0, EFD_SEMAPHORE | uapi.O_CLOEXEC));
    this.#nudgeFd = own(syscall('eventfd2', 0, uapi.O_NONBLOCK | uapi.O_CLOEXEC));
    this.set('lock', this.#lockFd);
    this.set('nudge', this.#nudgeFd);
    this.set('up', this.#memory.address + UP_AT);
    this.set('upSize', UP_BYTES);
    this.set('down', this.#memory.address + DOWN_AT);
    this.set('downSize', DOWN_BYTES);
  }

  /** The thread has begun when this returns. @throws {SystemError} */
  start(): void {
    const { address, bytes } = this.#memory;
    this.set('system', loadAssembly().system);
    const result = startRawThread({ address, bytes: bytes.subarray(0, UP_AT) }, loadRelay()(address));
    if (result < 0) throw new SystemError('clone', errnoName(-result));
    // It was created locked.
    this.locked(() => undefined);
  }

  /** The thread has ended, or will not do anything more, when this returns. */
  stop(): void {
    this.#lock();
    this.#isHeld = false;
    this.set('isOver', 1);
    this.nudge();
    this.#unlock();
    // Only when it has seen that may its descriptors be another's.
    for (this.#lock(); this.get('isOver') !== IS_GONE; this.#lock()) {
      this.#unlock();
      syscall('nanosleep', addressOf(A_MOMENT), 0);
    }
  }

  get(word: Word): number {
    return this.#words[2 * WORDS[word]] ?? 0;
  }

  set(word: Word, value: number): void {
    this.#words[2 * WORDS[word]] = value;
    this.#words[2 * WORDS[word] + 1] = Math.floor(value / HIGH_BITS);
  }

  /** Before start(). */
  setTimes(isSession: boolean): void {
    this.set('patience', PATIENCE_NS);
    this.set('eagerness', isSession ? 0 : EAGERNESS_NS);
    this.setWatched(false);
  }

  /** @param isWatched Whether others look at what is shown, too. */
  setWatched(isWatched: boolean): void {
    this.set('pause', isWatched ? PATIENCE_NS : PAUSE_NS);
    this.set('longest', isWatched ? 0 : LONGEST_NS);
  }

  /** @param isPlain A byte that is typed, or all of a key of the cursor, may pass. */
  setSpecial(isPlain: (typed: string) => boolean): void {
    const at = WORDS.special * WORD_BYTES;
    for (let byte = 0; byte < 256; byte++) this.#memory.bytes[at + byte] = isPlain(String.fromCharCode(byte)) ? 0 : IS_SPECIAL;
    if (isPlain(CURSOR_UP)) this.#memory.bytes[at + ESCAPE] = IS_ESCAPE_OF_KEYS;
  }

  /** A copy of bytes in the relay itself. */
  bytesOf(word: Word, from: number, length: number): Uint8Array {
    const at = WORDS[word] * WORD_BYTES + from;
    return this.#memory.bytes.slice(at, at + length);
  }

  /** What has come from the terminal. Valid under the lock. */
  up(from: number, to: number): Uint8Array {
    return this.#memory.bytes.subarray(UP_AT + from, UP_AT + to);
  }

  /** What has come from the connection. Valid under the lock. */
  down(from: number, to: number): Uint8Array {
    return this.#memory.bytes.subarray(DOWN_AT + from, DOWN_AT + to);
  }

  /** Gives back what nothing is in. */
  dropUp(): void {
    trySyscall('madvise', this.#memory.address + UP_AT, UP_BYTES, MADV_DONTNEED);
  }

  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** Keeps the thread from doing anything, until release(). */
  hold(): void {
    this.#lock();
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
    this.#unlock();
  }

  locked<T>(act: () => T): T {
    this.#lock();
    try {
      return act();
    } finally {
      this.#unlock();
    }
  }

  /** The thread looks anew at what it waits for. */
  nudge(): void {
    syscall('write', this.#nudgeFd, this.#oneAt, WORD_BYTES);
  }

  /** A semaphore of the kernel's orders what both sides write, on every processor. The thread has it for some microseconds at a time. */
  #lock(): void {
    if (!this.#isHeld) syscall('read', this.#lockFd, this.#countAt, WORD_BYTES);
  }

  #unlock(): void {
    if (!this.#isHeld) syscall('write', this.#lockFd, this.#oneAt, WORD_BYTES);
  }
}
