import type { TerminalSize } from '../ports/pty.ts';

/** Output is gathered in blocks, which are used again: each piece that a terminal gives would be garbage of its own. */
const BLOCK_BYTES = 64 * 1024;
const SPARE_BLOCKS_MAXIMUM = 160;
const DONE_STEPS_MAXIMUM = 1024;

/** Whose terminal shows what the command writes, and so answers what it asks. */
export type Reader = object;

/** Of the block, the bytes from `from` to `length` are still to be parsed. */
export interface DataStep {
  readonly kind: 'data';
  readonly block: Uint8Array;
  from: number;
  length: number;
  reader: Reader | undefined;
}

type Step<Tell> =
  | DataStep
  | { readonly kind: 'resize'; readonly size: TerminalSize }
  | { readonly kind: 'tell'; readonly tell: Tell }
  /** The same, for who need not be told before what is in front of it would be left out. */
  | { readonly kind: 'mark'; readonly tell: Tell };

/** What has still to be parsed, in order, with what happened in between and who wants to know when it is reached. */
export class Backlog<Tell> {
  #steps: Step<Tell>[] = [];
  /** Those before it are done. */
  #next = 0;
  readonly #spareBlocks: Uint8Array[] = [];
  /** Of output. */
  bytes = 0;
  /** So many want to know. */
  waiting = 0;

  get isEmpty(): boolean {
    return this.#next === this.#steps.length;
  }

  /** Takes a copy. */
  output(data: Uint8Array, reader: Reader | undefined): void {
    this.bytes += data.length;
    for (let at = 0; at < data.length; ) {
      const last = this.isEmpty ? undefined : this.#steps.at(-1);
      if (last?.kind !== 'data' || last.reader !== reader || last.length === BLOCK_BYTES) {
        const block = this.#spareBlocks.pop() ?? new Uint8Array(BLOCK_BYTES);
        this.#steps.push({ kind: 'data', block, from: 0, length: 0, reader });
        continue;
      }
      const piece = data.subarray(at, at + BLOCK_BYTES - last.length);
      last.block.set(piece, last.length);
      last.length += piece.length;
      at += piece.length;
    }
  }

  resize(size: TerminalSize): void {
    this.#steps.push({ kind: 'resize', size });
  }

  tell(tell: Tell): void {
    this.waiting += 1;
    this.#steps.push({ kind: 'tell', tell });
  }

  mark(tell: Tell): void {
    this.#steps.push({ kind: 'mark', tell });
  }

  /** The next step. */
  get first(): Step<Tell> | undefined {
    return this.#steps[this.#next];
  }

  /** So much of the first step, which is this one, is parsed or left out. */
  consume(step: DataStep, bytes: number): void {
    step.from += bytes;
    this.bytes -= bytes;
    if (step.from < step.length) return;
    if (this.#spareBlocks.length < SPARE_BLOCKS_MAXIMUM) this.#spareBlocks.push(step.block);
    this.firstIsDone();
  }

  firstIsDone(): void {
    if (this.first?.kind === 'tell') this.waiting -= 1;
    this.#next += 1;
    // Not one by one, which would move all the others each time.
    if (this.#next >= DONE_STEPS_MAXIMUM || this.isEmpty) {
      this.#steps = this.#steps.slice(this.#next);
      this.#next = 0;
    }
  }

  dropSpareBlocks(): void {
    this.#spareBlocks.length = 0;
  }

  /** The output up to the next step that is neither that nor a mark. */
  pieces(): readonly Uint8Array[] {
    const pieces: Uint8Array[] = [];
    for (const step of this.#steps.slice(this.#next)) {
      if (step.kind === 'mark') continue;
      if (step.kind !== 'data') break;
      pieces.push(step.block.subarray(step.from, step.length));
    }
    return pieces;
  }

  /** Leaves out so much of pieces(). @param onMark Is given each mark that was in the midst of it. */
  skip(bytes: number, onMark: (tell: Tell) => void): void {
    for (let left = bytes; left > 0; ) {
      const step = this.first;
      if (step?.kind === 'mark') {
        this.firstIsDone();
        onMark(step.tell);
        continue;
      }
      if (step?.kind !== 'data') throw new TypeError('Expected the bytes that are skipped to be there');
      const skipped = Math.min(left, step.length - step.from);
      left -= skipped;
      this.consume(step, skipped);
    }
  }

  /** All of the output; from now on `reader` has it. */
  handOver(reader: Reader): readonly Uint8Array[] {
    return this.#steps.slice(this.#next).flatMap((step) => {
      if (step.kind !== 'data') return [];
      step.reader = reader;
      return [step.block.subarray(step.from, step.length)];
    });
  }
}
