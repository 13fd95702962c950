/** Output that comes faster than this is a flood, and goes on being one through pauses that are shorter than those of a person, also where processors are scarce. */
const WINDOW_BYTES = 128 * 1024;
const WINDOW_MS = 10;
const PAUSE_MS_MAXIMUM = 60;

/** Tells whether output comes faster than anybody could read it. */
export class FloodGauge {
  readonly #nowMs: () => number;
  #windowStartMs = 0;
  #windowBytes = 0;
  #floodMs = Number.NEGATIVE_INFINITY;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  came(bytes: number): void {
    const nowMs = this.#nowMs();
    if (nowMs - this.#windowStartMs > WINDOW_MS) {
      this.#windowStartMs = nowMs;
      this.#windowBytes = 0;
    }
    this.#windowBytes += bytes;
    if (this.#windowBytes > WINDOW_BYTES) this.#floodMs = nowMs;
  }

  /** To be asked now and then: nothing tells of output that does not come. */
  isFlood(): boolean {
    return this.#nowMs() - this.#floodMs < PAUSE_MS_MAXIMUM;
  }
}
