import { CELL_WORDS } from './cell-layout.ts';
import type { XtermBuffer, XtermLine } from './xterm.ts';

/** Ten thousand lines of 500 columns, or of 120 in a script with an accent on every second letter. */
const BYTES_MAXIMUM = 64 * 1024 * 1024;
/** Who wants more lines than these gives as much more memory for them. */
const USUAL_LINES = 10_000;
const CELL_BYTES = CELL_WORDS * Uint32Array.BYTES_PER_ELEMENT;
/** Of a line, and, as measured, of what is kept beside its cells: several characters in one, a look with a link or an underline, and that of the cell before. */
const LINE_BYTES = 100;
const COMBINED_BYTES = 64;
const LOOK_BYTES = 256;
const SAME_LOOK_BYTES = 16;

/** What of a line takes room, packed or not: a line of the history is unpacked when the terminal is resized. */
type Weighed = Pick<XtermLine, 'length' | '_combined' | '_extendedAttrs'>;

interface BoundOptions {
  /** Gives a line without unpacking it. */
  readonly lineAt: (at: number) => Weighed | undefined;
  /** What a shell has said about the line takes. */
  readonly marksBytes: (line: Weighed) => number;
  /** How many are wanted. */
  readonly lines: number;
}

/**
 * Keeps what the lines above the screen take within bounds, whatever a program writes and however wide the terminal is: the oldest go first, as they do
 * when there are too many.
 */
export class HistoryBound {
  readonly #buffer: XtermBuffer;
  readonly #lineAt: (at: number) => Weighed | undefined;
  readonly #marksBytes: (line: Weighed) => number;
  readonly #maximum: number;
  /** Of the first lines of the history; those before `#first` are gone. */
  #weights: number[] = [];
  #first = 0;
  #bytes = 0;

  constructor(buffer: XtermBuffer, { lineAt, marksBytes, lines }: BoundOptions) {
    this.#buffer = buffer;
    this.#lineAt = lineAt;
    this.#marksBytes = marksBytes;
    this.#maximum = BYTES_MAXIMUM * Math.max(1, lines / USUAL_LINES);
    buffer.lines.onTrim((amount) => this.#forget(amount));
  }

  /** To be called before more has left the screen than may be too much. */
  keep(): void {
    const { ybase } = this.#buffer;
    // Lines that the screen has taken back when it grew.
    while (this.#count > ybase) this.#bytes -= this.#weights.pop() ?? 0;
    for (let at = this.#count; at < ybase; at++) {
      const line = this.#lineAt(at);
      const bytes = line === undefined ? 0 : weigh(line) + this.#marksBytes(line);
      this.#weights.push(bytes);
      this.#bytes += bytes;
    }
    let tooMuch = this.#bytes - this.#maximum;
    let lines = 0;
    for (; tooMuch > 0 && lines < this.#count; lines++) tooMuch -= this.#weights[this.#first + lines] ?? 0;
    this.#drop(lines);
  }

  /** Before a resize, which takes each line apart: with those that stay there is room for all of them. */
  makeRoom(columns: number): void {
    const lines = Math.floor(this.#maximum / (columns * CELL_BYTES + LINE_BYTES));
    this.#drop(Math.min(this.#buffer.ybase, this.#buffer.lines.length - lines));
  }

  /** All lines are other ones. */
  anew(): void {
    this.#weights = [];
    this.#first = 0;
    this.#bytes = 0;
    this.keep();
  }

  get #count(): number {
    return this.#weights.length - this.#first;
  }

  #drop(lines: number): void {
    if (lines <= 0) return;
    const buffer = this.#buffer;
    // Their places in the list are not used again before it is full.
    for (let at = 0; at < lines; at++) buffer.lines.set(at, undefined);
    buffer.lines.trimStart(lines);
    buffer.ybase -= lines;
    buffer.ydisp = Math.max(0, buffer.ydisp - lines);
    buffer.savedY = Math.max(0, buffer.savedY - lines);
  }

  #forget(lines: number): void {
    const end = Math.min(this.#weights.length, this.#first + lines);
    for (let at = this.#first; at < end; at++) this.#bytes -= this.#weights[at] ?? 0;
    this.#first = end;
    // Not one by one, which would move all the others each time.
    if (this.#first < USUAL_LINES) return;
    this.#weights = this.#weights.slice(this.#first);
    this.#first = 0;
  }
}

function weigh(line: Weighed): number {
  let bytes = line.length * CELL_BYTES + LINE_BYTES;
  for (const at in line._combined) bytes += COMBINED_BYTES + 2 * (line._combined[at]?.length ?? 0);
  let before: unknown;
  for (const at in line._extendedAttrs) {
    const look = line._extendedAttrs[at];
    bytes += look === before ? SAME_LOOK_BYTES : LOOK_BYTES;
    before = look;
  }
  return bytes;
}
