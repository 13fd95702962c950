import type { TerminalModel } from '../terminal/model.ts';

/** So much output leaves so much garbage that it is collected at once; the engine would let it grow to several times that. */
const COLLECTED_BYTES = 32 * 1024 * 1024;
/** When nothing was parsed for so long, memory is given back. */
const REST_MS = 500;
/** What less than this leaves behind is not worth it. */
const COLLECTED_AT_REST_BYTES = 4 * 1024 * 1024;
const PACKED_AT_REST_LINES = 500;
/** In one turn of the loop: about a millisecond before the code is compiled, a quarter of it afterwards. */
const PACKED_AT_ONCE_LINES = 100;
/** Of each column of a line that is packed. */
const GARBAGE_COLUMN_BYTES = 12;

export interface TidyingDeps {
  readonly collectGarbage: () => void;
  /** Once it is loaded. */
  readonly model: () => TerminalModel | undefined;
  readonly dropSpareBlocks: () => void;
}

/** Gives back the memory that output has left behind, when there is time for it or too much of it. */
export class Tidying {
  readonly #deps: TidyingDeps;
  #garbageBytes = 0;
  #isResting = true;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(deps: TidyingDeps) {
    this.#deps = deps;
  }

  /** So much was parsed, or left out. */
  parsed(bytes: number): void {
    this.#garbageBytes += bytes;
    if (this.#garbageBytes > COLLECTED_BYTES) this.#collect();
    this.#isResting = false;
    this.#timer ??= setTimeout(() => this.#look(), REST_MS);
  }

  /** A timer for each piece of output would be moved all the time. */
  #look(): void {
    const hasRested = this.#isResting;
    this.#isResting = true;
    this.#timer = hasRested ? undefined : setTimeout(() => this.#look(), REST_MS);
    if (!hasRested) return;
    this.#deps.dropSpareBlocks();
    if ((this.#deps.model()?.unpackedLines ?? 0) > PACKED_AT_REST_LINES) this.#pack();
    else this.#collectAtRest();
  }

  /** All of them, as long as nothing comes. */
  #pack(): void {
    const model = this.#deps.model();
    if (!this.#isResting || model === undefined) return;
    const lines = Math.min(model.unpackedLines, PACKED_AT_ONCE_LINES);
    if (lines > 0) {
      model.packLines(lines);
      this.#garbageBytes += lines * model.size.columns * GARBAGE_COLUMN_BYTES;
      setImmediate(() => this.#pack());
    } else {
      this.#collectAtRest();
    }
  }

  #collectAtRest(): void {
    if (this.#garbageBytes > COLLECTED_AT_REST_BYTES) this.#collect();
  }

  #collect(): void {
    this.#garbageBytes = 0;
    this.#deps.collectGarbage();
  }
}
