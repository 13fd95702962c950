import { CELL_WORDS, ONE_COLUMN } from './cell-layout.ts';

const FIRST_SIZE_BYTES = 64 * 1024;
export const ASCII_MASK = 0x7f;

/** Bytes that are written one after the other: a drawing of a long history is a million single characters. */
export class ByteWriter {
  #buffer = Buffer.allocUnsafeSlow(FIRST_SIZE_BYTES);
  #length = 0;

  /**
   * The characters of the cells from `column` on that are ASCII and have this pen; three words are a cell of @xterm/headless.
   *
   * @returns the column behind them.
   */
  asciiCells(
    words: Uint32Array,
    column: number,
    run: { readonly end: number; readonly foreground: number; readonly background: number },
  ): number {
    const { end, foreground, background } = run;
    if (this.#length + end - column > this.#buffer.length) this.#grow(end - column);
    const buffer = this.#buffer;
    let length = this.#length;
    let at = column * CELL_WORDS;
    for (const stop = end * CELL_WORDS; at < stop; at += CELL_WORDS) {
      const content = words[at] ?? 0;
      if ((content & ~ASCII_MASK) !== ONE_COLUMN || content === ONE_COLUMN) break;
      if (words[at + 1] !== foreground || words[at + 2] !== background) break;
      buffer[length++] = content & ASCII_MASK;
    }
    this.#length = length;
    return at / CELL_WORDS;
  }

  /** As UTF-8. */
  text(text: string): void {
    // No character takes more than three bytes for each unit.
    if (this.#length + text.length * 3 > this.#buffer.length) this.#grow(text.length * 3);
    for (let at = 0; at < text.length; at++) {
      const unit = text.charCodeAt(at);
      if (unit >= 0x80) {
        this.#length += this.#buffer.write(text.slice(at), this.#length, 'utf8');
        return;
      }
      this.#buffer[this.#length++] = unit;
    }
  }

  /** Written since the last take(). */
  get bytes(): number {
    return this.#length;
  }

  /** A copy of what was written since the last call. */
  take(): Uint8Array {
    const taken = new Uint8Array(this.#buffer.subarray(0, this.#length));
    this.#length = 0;
    return taken;
  }

  #grow(bytes: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, this.#length + bytes));
    larger.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = larger;
  }
}
