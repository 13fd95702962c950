/** Output that comes faster than this may be a flood; it is over when nothing came for the time of a window. */
const WINDOW_BYTES = 128 * 1024;
export const FLOOD_WINDOW_MS = 10;

/** Tells whether output comes faster than anybody could read it. */
export class FloodGauge {
  readonly #nowMs: () => number;
  #windowStartMs = 0;
  #windowBytes = 0;
  isFlood = false;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  came(bytes: number): void {
    const nowMs = this.#nowMs();
    if (nowMs - this.#windowStartMs > FLOOD_WINDOW_MS) {
      this.#windowStartMs = nowMs;
      this.isFlood = this.#windowBytes > WINDOW_BYTES;
      this.#windowBytes = 0;
    }
    this.#windowBytes += bytes;
    this.isFlood ||= this.#windowBytes > WINDOW_BYTES;
  }

  /** To be called now and then: nothing tells of output that does not come. */
  look(): void {
    this.isFlood &&= this.#nowMs() - this.#windowStartMs <= 2 * FLOOD_WINDOW_MS;
  }
}
