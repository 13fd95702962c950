import type { TerminalSize } from '../ports/pty.ts';
import { TerminalModel } from './model.ts';
import { joinedLines, plainText, type StyledRun } from './styled-lines.ts';

/** Between two looks no more rows can leave the screen than the model keeps; of a wide terminal each takes as much room as many. */
const PIECE_BYTES = 16 * 1024;
const PIECE_CELLS = 2 * 1024 * 1024;

/** Reads a log as a terminal would: lines that were drawn over are gone, wrapped ones are whole. Full-screen programs leave none. */
export class LogRenderer {
  readonly #model: TerminalModel;
  readonly #pieceBytes: number;
  /** Rows of the history that were given, as the model counts. */
  #given = 0;

  constructor(size: TerminalSize) {
    this.#pieceBytes = Math.min(PIECE_BYTES, Math.ceil(PIECE_CELLS / size.columns));
    this.#model = new TerminalModel({ size, scrollbackLines: this.#pieceBytes + 16, onQuery: () => undefined });
  }

  /** @returns the lines that nothing can be drawn over any more: they have left the screen. */
  *push(data: Uint8Array): Generator<readonly StyledRun[], void, undefined> {
    for (let at = 0; at < data.length; at += this.#pieceBytes) {
      this.#model.write(data.subarray(at, at + this.#pieceBytes));
      yield* this.#take(this.#model.buffers.normal.ybase);
    }
  }

  /** The lines that were finished, though they are on the screen still: for somebody who does not want to wait. */
  *pushNow(data: Uint8Array): Generator<readonly StyledRun[], void, undefined> {
    yield* this.push(data);
    const { normal, active } = this.#model.buffers;
    if (active === normal) yield* this.#take(normal.ybase + normal.y);
  }

  /** What is left: the screen down to its last line. */
  *finish(): Generator<readonly StyledRun[], void, undefined> {
    const { normal } = this.#model.buffers;
    const lines = [...this.#lines(normal.ybase + this.#model.size.rows)];
    while (lines.length > 0 && plainText(lines.at(-1) ?? []) === '') lines.pop();
    yield* lines;
  }

  /** A line that goes on in the row at `to` waits for its end. */
  *#take(to: number): Generator<readonly StyledRun[], void, undefined> {
    const { normal } = this.#model.buffers;
    let end = to;
    while (end > this.#from() && this.#model.line(normal, end)?.isWrapped === true) end--;
    if (end <= this.#from()) return;
    yield* this.#lines(end);
    this.#given = this.#model.historyStart + end;
  }

  #lines(to: number) {
    return joinedLines(this.#model, this.#model.buffers.normal, this.#from(), to);
  }

  #from(): number {
    return Math.max(0, this.#given - this.#model.historyStart);
  }
}
