import { addressOf, syscall, trySyscall } from '../syscalls.ts';
import * as uapi from '../uapi.ts';

const AGAIN_AFTER_MS = 20;
const A_MOMENT_NS = 50_000;
/** struct timespec. */
const A_MOMENT = new Uint8Array(BigInt64Array.of(0n, BigInt(A_MOMENT_NS)).buffer);
const TRIES_PER_MS = 1_000_000 / A_MOMENT_NS;

/**
 * Keeps another process from doing something, which it does only while it has the lock (flock(2)) of the same file by a description of its own. Neither can
 * make the other wait for long, and who dies has nothing any more.
 */
export class Permit implements Disposable {
  readonly #descriptor: number;
  readonly #tries: number;
  #isWanted = false;
  #isHeld = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param descriptor Its own from now on.
   * @param patienceMs Whoever else has it needs it for some microseconds, unless it was stopped with it or has no processor: how long to wait then, at least.
   */
  constructor(descriptor: number, patienceMs: number) {
    this.#descriptor = descriptor;
    this.#tries = patienceMs * TRIES_PER_MS;
  }

  /** When this returns, or in a moment where the other one was stopped in the midst of it, nothing more is done. */
  withdraw(): void {
    this.#isWanted = true;
    for (let tries = 0; tries < this.#tries; tries++) {
      if (this.#take()) return;
      trySyscall('nanosleep', addressOf(A_MOMENT), 0);
    }
    this.#wait();
  }

  give(): void {
    this.#isWanted = false;
    clearTimeout(this.#timer);
    if (this.#isHeld) syscall('flock', this.#descriptor, uapi.LOCK_UN);
    this.#isHeld = false;
  }

  /** For good. */
  void(): void {
    this.withdraw();
    // Who has the lock finds it, whoever it is of.
    trySyscall('ftruncate', this.#descriptor, 1);
    this[Symbol.dispose]();
  }

  #take(): boolean {
    this.#isHeld ||= trySyscall('flock', this.#descriptor, uapi.LOCK_EX | uapi.LOCK_NB) >= 0;
    return this.#isHeld;
  }

  #wait(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (this.#isWanted && !this.#take()) this.#wait();
    }, AGAIN_AFTER_MS);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#isWanted = false;
    trySyscall('close', this.#descriptor);
  }
}
