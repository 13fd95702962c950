import type { Shortcut } from '../ports/shortcut.ts';

/** An answer takes a turn of the loop on both sides. */
const INTERVAL_MS = 10;

/**
 * Asks the other side by a fence whether it has all that was sent to it: from its answer on it need not wake up for what is plain (PROTOCOL.md,
 * "Without the connection").
 */
export class Fences {
  readonly #frame: (number: number) => Uint8Array;
  #number = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param frame The fence of this number. */
  constructor(frame: (number: number) => Uint8Array) {
    this.#frame = frame;
  }

  /** All that has come is handled. */
  isIdle(shortcut: Shortcut | undefined): void {
    if (this.#timer !== undefined || shortcut?.isFenceDue() !== true) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const number = (this.#number + 1) >>> 0;
      if (shortcut.sendFence(this.#frame(number))) this.#number = number;
      else this.isIdle(shortcut);
    }, INTERVAL_MS);
  }

  answered(shortcut: Shortcut | undefined, number: number): void {
    shortcut?.fenceAnswered(number === this.#number);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
