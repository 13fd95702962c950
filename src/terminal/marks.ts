import type { XtermBuffer, XtermLine } from './xterm.ts';

/** A shell's word about where a prompt, a command or its output begins (OSC 133), and the column it was said at. */
export interface Mark {
  readonly column: number;
  readonly text: string;
}

const KEPT_REGEXP = /^[ABCDP](?:;|$)/;

/** The marks of lines, each gone with its line. While there is none, to ask costs nothing: most programs make none. */
export class Marks {
  readonly #marks = new WeakMap<XtermLine, readonly Mark[]>();
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
    if (marks.length < line.length) this.#marks.set(line, [...marks, { column: Math.min(x, line.length - 1), text }]);
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
