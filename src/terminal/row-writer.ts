import { ASCII_MASK, ByteWriter } from './byte-writer.ts';
import { CELL_WORDS, CODE_MASK, COMBINED, CONTENT_MASK, ONE_COLUMN, WIDTH_SHIFT } from './cell-layout.ts';
import { type Measure, measureBy, widthOf } from './fit.ts';
import type { TerminalModel } from './model.ts';
import { COLOUR_BITS, HAS_EXTENDED, PenWriter } from './pen.ts';
import type { XtermExtended, XtermLine } from './xterm.ts';

/** Below it every terminal agrees on one column; what is wide below U+1F000 (CJK) all agree on too. */
const FIRST_UNSURE_CODE = 0x300;
const FIRST_WIDE_CODE = 0x1100;
const FIRST_PICTURE_CODE = 0x1f000;

/** Begins with what extends the character before it. */
const JOINING = /^[\p{M}\p{Grapheme_Extend}\p{Emoji_Modifier}\u200d]/u;

export interface RowOptions {
  /** The next row goes on with this one: the terminal has to wrap by itself. */
  readonly isContinued: boolean;
  /** What is on the row now has to go. */
  readonly isDirty: boolean;
  /** No more columns than this are written; less than the line has only where nothing wraps. */
  readonly columns: number;
}

/** Writes rows of cells from the first column on; the cursor stands there, or waits behind a full row that goes on. */
export class RowWriter {
  readonly pen: PenWriter;
  readonly #model: TerminalModel;
  readonly #measure: Measure;
  readonly #out = new ByteWriter();

  constructor(model: TerminalModel) {
    this.#model = model;
    this.#measure = measureBy(model);
    this.pen = new PenWriter(model.links);
  }

  write(text: string): void {
    this.#out.text(text);
  }

  /** Written since the last take(). */
  get bytes(): number {
    return this.#out.bytes;
  }

  /** What was written since the last call. */
  take(): Uint8Array {
    return this.#out.take();
  }

  /** @param isContinuation The row before it goes on with this one. */
  row(line: XtermLine, isContinuation: boolean, options: RowOptions): void {
    const columns = Math.min(options.columns, line.length);
    if (isContinuation && mustWrapFirst(line)) this.write(`${this.pen.reset()} \b\x1b[X`);
    const end = options.isContinued ? columns : this.#lastUsed(line, columns);
    if (!isContinuation) this.#marks(line);
    this.#cells(line, options.isContinued ? this.#endOfContinued(line, columns) : end, options);
    if (options.isContinued) return;
    // EL in the first column would make it a line of its own.
    const erase = isContinuation && end === 0 ? `\x1b[${columns}X` : '\x1b[K';
    if (end < columns && options.isDirty) this.write(this.pen.reset() + erase);
    // The cursor is not on a continuation before something is written there.
    if (isContinuation) this.#marks(line);
  }

  #marks(line: XtermLine): void {
    const marks = this.#model.marksOf(line);
    for (const { column, text } of marks) this.write(`\x1b[${column + 1}G\x1b]133;${text}\x1b\\`);
    if (marks.length > 0) this.write('\r');
  }

  /** One cell with its pen: to leave the cursor waiting at the end of a full row. */
  cell(line: XtermLine, column: number): void {
    const content = contentOf(line, column);
    const width = isWideAt(line, column) ? 2 : 1;
    const text = (content & CONTENT_MASK) === 0 || content >>> WIDTH_SHIFT > width ? ' ' : textOf(line, column, content);
    const isKnown = !isUnsure(content, text) || isAsWide(this.#measure, text, width);
    this.write(this.#penOf(line, column) + (isKnown ? text : ' '.repeat(width)));
  }

  #cells(line: XtermLine, end: number, { isContinued }: RowOptions): void {
    for (let column = 0; column < end; ) {
      const content = contentOf(line, column);
      if ((content & ~ASCII_MASK) === ONE_COLUMN && content !== ONE_COLUMN) {
        this.write(this.#penOf(line, column));
        column = this.#asciiCells(line, column, end);
        continue;
      }
      if ((content & CONTENT_MASK) === 0 && content >>> WIDTH_SHIFT > 0) {
        column = this.#blanks(line, column, end, isContinued);
        continue;
      }
      // Half of a wide character can be left over where nothing wraps.
      const isBroken = content >>> WIDTH_SHIFT === 2 ? !isRest(line, column + 1) : (content & CONTENT_MASK) === 0;
      if (isBroken) {
        this.write(`${this.#penOf(line, column)} `);
        column += 1;
        continue;
      }
      const width = content >>> WIDTH_SHIFT || 1;
      // A wide character that is cut off by the edge of the view.
      if (column + width > end) {
        this.write(`${this.#penOf(line, column)} `);
        return;
      }
      const text = textOf(line, column, content);
      const pen = this.#penOf(line, column);
      // Reflow leaves half of a character behind, or half of a flag in the columns of a whole one.
      if (isUnsure(content, text) && !isAsWide(this.#measure, text, width)) {
        this.write(pen + ' '.repeat(width));
        column += width;
        continue;
      }
      // What would join the character before it stands here alone: a sequence in between keeps them apart.
      const isApart = column > 0 && JOINING.test(text);
      this.write(isApart ? `${pen}\x1b[${column + 1}G${text}` : pen + text);
      column += width;
      if (isUnsure(content, text) && column < line.length) this.write(`\x1b[${column + 1}G`);
    }
  }

  #asciiCells(line: XtermLine, column: number, end: number): number {
    const foreground = line._data[column * CELL_WORDS + 1] ?? 0;
    const background = backgroundOf(line, column);
    // What else there is of the pen is beside the words, and differs from cell to cell.
    const isSimple = (background & HAS_EXTENDED) === 0;
    return this.#out.asciiCells(line._data, column, { end: isSimple ? end : column + 1, foreground, background });
  }

  /** Cells that nothing was written to: erased with their background, not filled with spaces. */
  #blanks(line: XtermLine, from: number, end: number, isContinued: boolean): number {
    const background = backgroundOf(line, from) & COLOUR_BITS;
    let to = from + 1;
    while (to < end && isBlank(line, to) && (backgroundOf(line, to) & COLOUR_BITS) === background) to++;
    const count = to - from;
    this.write(this.pen.change(0, background, undefined));
    // Only a character in the last column makes the terminal wrap.
    if (isContinued && to === line.length) {
      this.write(`${count > 1 ? `\x1b[${count - 1}X\x1b[${count - 1}C` : ''} `);
    } else {
      this.write(`\x1b[${count}X`);
      if (to < line.length) this.write(`\x1b[${count}C`);
    }
    return to;
  }

  /** A wide character that did not fit leaves the last column alone; the terminal does the same when it is written again. */
  #endOfContinued(line: XtermLine, columns: number): number {
    const isLeft = isBlank(line, columns - 1) && (backgroundOf(line, columns - 1) & COLOUR_BITS) === this.nextWide;
    return isLeft ? columns - 1 : columns;
  }

  /** Set by the caller: the background of the wide character that the row which follows begins with. */
  nextWide: number | undefined;

  #lastUsed(line: XtermLine, columns: number): number {
    let end = columns;
    while (end > 0 && isBlank(line, end - 1) && (backgroundOf(line, end - 1) & COLOUR_BITS) === 0) end--;
    return end;
  }

  #penOf(line: XtermLine, column: number): string {
    const extended: XtermExtended | undefined = line._extendedAttrs[column];
    return this.pen.change(line._data[column * CELL_WORDS + 1] ?? 0, backgroundOf(line, column), extended);
  }
}

/** The background of the wide character that a row begins with and that wraps by itself; undefined where there is none. */
export function wideBackground(line: XtermLine): number | undefined {
  return isWideAt(line, 0) && !mustWrapFirst(line) ? backgroundOf(line, 0) & COLOUR_BITS : undefined;
}

export function isWideAt(line: XtermLine, column: number): boolean {
  return contentOf(line, column) >>> WIDTH_SHIFT === 2 && isRest(line, column + 1);
}

/** Whether anything is to be seen or was written on the line. */
export function isEmptyLine(line: XtermLine): boolean {
  for (let column = 0; column < line.length; column++) {
    if (!isBlank(line, column) || (backgroundOf(line, column) & COLOUR_BITS) !== 0) return false;
  }
  return true;
}

/** Whether a terminal gives the text so many columns. A mark that stands alone has one, which no table says. */
export function isAsWide(measure: Measure, text: string, columns: number): boolean {
  const width = widthOf(measure, text);
  return width === 0 || width === columns;
}

/** Whether the first cell would not make the terminal wrap: nothing is written there, or it would join the last character of the row before. */
function mustWrapFirst(line: XtermLine): boolean {
  const content = contentOf(line, 0);
  return (content & CONTENT_MASK) === 0 || JOINING.test(textOf(line, 0, content));
}

function isBlank(line: XtermLine, column: number): boolean {
  const content = contentOf(line, column);
  return (content & CONTENT_MASK) === 0 && content >>> WIDTH_SHIFT > 0;
}

/** The second column of a wide character. */
function isRest(line: XtermLine, column: number): boolean {
  return contentOf(line, column) === 0 && column < line.length;
}

function contentOf(line: XtermLine, column: number): number {
  return line._data[column * CELL_WORDS] ?? 0;
}

function backgroundOf(line: XtermLine, column: number): number {
  return line._data[column * CELL_WORDS + 2] ?? 0;
}

function textOf(line: XtermLine, column: number, content: number): string {
  if ((content & COMBINED) !== 0) return line._combined[column] ?? ' ';
  return String.fromCodePoint(content & CODE_MASK);
}

/** Terminals disagree on the width of some: the column of the next cell is said then. */
function isUnsure(content: number, text: string): boolean {
  if ((content & COMBINED) !== 0) return true;
  const code = content & CODE_MASK;
  if (code < FIRST_UNSURE_CODE) return false;
  return code >= FIRST_PICTURE_CODE || code < FIRST_WIDE_CODE || (content >>> WIDTH_SHIFT === 1 && text.length > 0);
}
