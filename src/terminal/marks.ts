import type { XtermBuffer, XtermLine } from './xterm.ts';

/** A shell's word about where a prompt, a command or its output begins (OSC 133), and the column it was said at. */
export interface Mark {
  readonly column: number;
  readonly text: string;
}

const KEPT_REGEXP = /^[ABCDP](?:;|$)/;
/** Of what a shell may say with it, the command line at most; of a longer one only what it marks is kept. */
const TEXT_MAXIMUM = 4096;
const KIND_LENGTH = 1;
/** Of one that is kept, beside its text. */
const MARK_BYTES = 64;

/** The marks of lines, each gone with its line. While there is none, to ask costs nothing: most programs make none. */
export class Marks {
  readonly #marks = new WeakMap<object, readonly Mark[]>();
  #isEmpty = true;

  get isEmpty(): boolean {
    return this.#isEmpty;
  }

  /** On the line that the cursor is on; no more of them than the line has columns. */
  add({ lines, ybase, x, y }: XtermBuffer, text: string): void {
    const line = lines.get(ybase + y);
    if (line === undefined || !KEPT_REGEXP.test(text)) return;
    this.#isEmpty = false;
    const marks = this.#marks.get(line) ?? [];
    if (marks.length >= line.length) return;
    const kept = text.length > TEXT_MAXIMUM ? text.slice(0, KIND_LENGTH) : text;
    this.#marks.set(line, [...marks, { column: Math.min(x, line.length - 1), text: kept }]);
  }

  /** What those of a line take. */
  bytesOf(line: object): number {
    if (this.#isEmpty) return 0;
    return (this.#marks.get(line) ?? []).reduce((bytes, { text }) => bytes + MARK_BYTES + 2 * text.length, 0);
  }

  has(line: XtermLine): boolean {
    return !this.#isEmpty && this.#marks.has(line);
  }

  of(line: XtermLine): readonly Mark[] {
    if (this.#isEmpty) return [];
    const marks = this.#marks.get(line) ?? [];
    // The line may be narrower by now.
    return marks.map(({ column, text }) => ({ column: Math.min(column, line.length - 1), text }));
  }

  /** The line is used again for something else. */
  forget(line: XtermLine): void {
    this.#marks.delete(line);
  }
}
