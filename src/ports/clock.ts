/** Wall-clock and monotonic time; fakes advance them by hand. */
export interface Clock {
  /** Milliseconds since 1970. */
  nowMs(): number;
  /** Milliseconds from an arbitrary start; never goes back. */
  monotonicMs(): number;
  /** Minutes that local time is ahead of UTC at that moment. */
  utcOffsetMinutes(epochMs: number): number;
}
