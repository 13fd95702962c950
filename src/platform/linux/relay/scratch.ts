import type { RelayMemory } from './relay-memory.ts';

const NOTHING = new Uint8Array();
/** Memory that less than this was needed of is kept; of more, so long after the last of it. */
const KEPT_BYTES = 64 * 1024;
const REST_MS = 500;

/** What is given to a handler. What a flood needs of it, and of the relay's own memory, is given back after it. */
export class Scratch implements Disposable {
  readonly #memory: RelayMemory;
  #bytes: Uint8Array = NOTHING;
  #usedBytes = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(memory: RelayMemory) {
    this.#memory = memory;
  }

  /** Takes a copy of what has come from the terminal. Under the lock. */
  take(from: number, to: number): void {
    const length = to - from;
    if (this.#bytes.length < length) this.#bytes = new Uint8Array(Math.max(KEPT_BYTES, length));
    this.#bytes.set(this.#memory.up(from, to));
    this.#needed(to);
  }

  /** Of what was taken last. */
  part(from: number, to: number): Uint8Array {
    return this.#bytes.subarray(from, to);
  }

  #needed(bytes: number): void {
    this.#usedBytes = Math.max(this.#usedBytes, bytes);
    if (bytes > KEPT_BYTES || (this.#usedBytes > KEPT_BYTES && this.#timer === undefined)) {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#rest(), REST_MS);
    }
  }

  #rest(): void {
    this.#timer = undefined;
    this.#bytes = NOTHING;
    this.#memory.locked(() => {
      if (this.#memory.get('upHead') > 0) return;
      this.#memory.dropUp();
      this.#usedBytes = 0;
    });
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
