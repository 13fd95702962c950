import type { Memory } from '../ports/memory.ts';
import type { TerminalModel } from '../terminal/model.ts';

const MEGABYTE = 1024 * 1024;
/**
 * What may be added to the memory there was before anything was parsed: the code of the model, its history, output that is
 * not parsed yet and the log that is not written take 50 MB, garbage the rest. The engine would let it grow to several times that.
 */
const GROWTH_BYTES = 80 * MEGABYTE;
/** And since it was collected last, where more than that is in use. */
const GROWTH_BYTES_MINIMUM = 16 * MEGABYTE;
/** Parsed between two looks at the memory, of which one takes 50 µs. */
const LOOK_BYTES = MEGABYTE / 2;

/** When nothing was parsed for so long, memory is given back. */
const REST_MS = 500;
/** What less than this leaves behind is not worth it. */
const COLLECTED_AT_REST_BYTES = 4 * MEGABYTE;
const PACKED_AT_REST_LINES = 500;
/** In one turn of the loop: about a millisecond before the code is compiled, a quarter of it afterwards. */
const PACKED_AT_ONCE_LINES = 100;
/** Of each column of a line that is packed. */
const GARBAGE_COLUMN_BYTES = 12;

export interface TidyingDeps {
  readonly memory: Memory;
  /** Once it is loaded. */
  readonly model: () => TerminalModel | undefined;
  readonly dropSpareBlocks: () => void;
}

/** Gives back the memory that output has left behind, when there is time for it or too much of it. */
export class Tidying {
  readonly #deps: TidyingDeps;
  /** Left behind since the last collection, at least. */
  #garbageBytes = 0;
  #unlookedBytes = 0;
  /** Collected when it is more. */
  #residentMaximum = Number.POSITIVE_INFINITY;
  #isResting = true;
  #isWatched = false;

  constructor(deps: TidyingDeps) {
    this.#deps = deps;
  }

  /** The model is going to be loaded. */
  begin(): void {
    this.#residentMaximum = this.#deps.memory.residentBytes() + GROWTH_BYTES;
  }

  /** So much was parsed, or left out. */
  parsed(bytes: number): void {
    this.#garbageBytes += bytes;
    this.#unlookedBytes += bytes;
    if (this.#unlookedBytes > LOOK_BYTES) this.#lookAtMemory();
    if (!this.#isWatched) this.#watch();
    this.#isResting = false;
  }

  #lookAtMemory(): void {
    this.#unlookedBytes = 0;
    const { memory } = this.#deps;
    if (memory.residentBytes() < this.#residentMaximum) return;
    this.#collect();
    this.#residentMaximum = Math.max(this.#residentMaximum, memory.residentBytes() + GROWTH_BYTES_MINIMUM);
  }

  /** Looks now and then whether something came, which is less work than a timer that each piece of output moves. */
  #watch(): void {
    this.#isWatched = true;
    this.#isResting = true;
    setTimeout(() => {
      if (!this.#isResting) {
        this.#watch();
        return;
      }
      this.#isWatched = false;
      this.#rest();
    }, REST_MS);
  }

  #rest(): void {
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
    this.#deps.memory.collectGarbage();
  }
}
