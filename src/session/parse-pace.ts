/** With more than this unparsed, as much is parsed at once as comes: the terminal is not read meanwhile. */
const UNPARSED_BYTES_MAXIMUM = 16 * 1024 * 1024;
/** So far ahead a terminal is read. */
const TAKEN_BYTES_MAXIMUM = 4 * 1024 * 1024;
/** What programs write, coloured lines and screens that change, is parsed several times as fast. */
const SLOW_BYTES_PER_MS = 2500;
/** Of what is slower no more waits, and no more is taken at a time, than is parsed in these. */
const BEHIND_MS = 2000;
const TURN_MS = 100;
const UNPARSED_BYTES_MINIMUM = 64 * 1024;
const TAKEN_BYTES_MINIMUM = 8 * 1024;
/** What is less says nothing about what comes next: a key's echo. */
const MEASURED_BYTES_MINIMUM = 4 * 1024;
const MEASURED_MS = 20;

interface PaceDeps {
  /** Milliseconds from an arbitrary start. */
  readonly nowMs: () => number;
  /** Bytes that wait. */
  readonly unparsed: () => number;
  /** The terminal is to be read no further ahead than this. */
  readonly readAhead: (bytes: number) => void;
}

/**
 * How fast output is parsed: tens of megabytes in a second as a rule, and a hundredth of that where a few bytes change a whole screen. What is taken and
 * kept of the latter is bounded by it, so that the loop is there for clients whatever a command writes.
 */
export class ParsePace {
  readonly #deps: PaceDeps;
  #bytes = 0;
  #ms = 0;
  #bytesPerMs = Number.POSITIVE_INFINITY;
  #takenBytes = TAKEN_BYTES_MAXIMUM;

  constructor(deps: PaceDeps) {
    this.#deps = deps;
  }

  /** @param parse Parses some, or leaves it out. */
  measure(parse: () => void): void {
    const { nowMs, unparsed } = this.#deps;
    const [beforeMs, before] = [nowMs(), unparsed()];
    parse();
    const bytes = before - unparsed();
    if (bytes < MEASURED_BYTES_MINIMUM) return;
    this.#bytes += bytes;
    this.#ms += nowMs() - beforeMs;
    if (this.#ms < MEASURED_MS) return;
    this.#bytesPerMs = this.#bytes / this.#ms;
    this.#bytes = 0;
    this.#ms = 0;
    this.#take();
  }

  /** Rounded, so that it is rarely another one. */
  #take(): void {
    const bytes = 2 ** Math.floor(Math.log2(this.#bytesPerMs * TURN_MS));
    const takenBytes = this.#isSlow ? Math.max(TAKEN_BYTES_MINIMUM, bytes) : TAKEN_BYTES_MAXIMUM;
    if (takenBytes !== this.#takenBytes) this.#deps.readAhead(takenBytes);
    this.#takenBytes = takenBytes;
  }

  get #isSlow(): boolean {
    return this.#bytesPerMs < SLOW_BYTES_PER_MS;
  }

  /** So much may wait. */
  mayWait(maximum = UNPARSED_BYTES_MAXIMUM): number {
    return this.#isSlow ? Math.min(maximum, Math.max(UNPARSED_BYTES_MINIMUM, this.#bytesPerMs * BEHIND_MS)) : maximum;
  }

  /** Of too much, no more than twice what has come is parsed at once: all of it may take minutes. @param parse Parses some. */
  keepUp(cameBytes: number, parse: () => void): void {
    const { unparsed } = this.#deps;
    const before = unparsed();
    while (unparsed() > this.mayWait() && before - unparsed() < 2 * Math.min(cameBytes, this.#takenBytes)) parse();
  }
}
