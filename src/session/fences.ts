import type { Shortcut } from '../ports/shortcut.ts';

/** An answer takes a turn of the loop on both sides. */
const INTERVAL_MS = 10;

export interface FenceFrames {
  /** The fence of this number. */
  readonly ask: (number: number) => Uint8Array;
  /** The answer to the other side's fence of this number. */
  readonly answer: (number: number) => Uint8Array;
}

/**
 * Asks the other side by a fence whether it has all that was sent to it: from its answer on it need not wake up for what is plain (PROTOCOL.md,
 * "Without the connection"). Answers its fences when there is nothing left to do with what came before.
 */
export class Fences {
  readonly #frames: FenceFrames;
  #number = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The last fence that came, while it is not answered. */
  #asked: number | undefined;

  constructor(frames: FenceFrames) {
    this.#frames = frames;
  }

  /** All that has come is handled. */
  isIdle(shortcut: Shortcut | undefined): void {
    if (this.#timer !== undefined || shortcut?.isFenceDue() !== true) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const number = (this.#number + 1) >>> 0;
      if (shortcut.sendFence(this.#frames.ask(number))) this.#number = number;
      else this.isIdle(shortcut);
    }, INTERVAL_MS);
  }

  answered(shortcut: Shortcut | undefined, number: number): void {
    shortcut?.fenceAnswered(number === this.#number);
  }

  /** The other side has asked, which an earlier fence of it is forgotten with. */
  asked(number: number): void {
    this.#asked = number;
  }

  /**
   * Answers what was asked and not answered, where it may: else at the next call, since who asked waits for it.
   *
   * @param mayAnswer Nothing is left to do with what came before the fence. Asked only where one is to be answered.
   */
  answer(shortcut: Shortcut | undefined, mayAnswer: () => boolean): void {
    const number = this.#asked;
    if (number === undefined || shortcut === undefined || !mayAnswer()) return;
    if (shortcut.answerFence(this.#frames.answer(number))) this.#asked = undefined;
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
