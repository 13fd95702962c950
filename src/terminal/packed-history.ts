import { CELL_WORDS } from './cell-layout.ts';
import { LinePacker, PackedLine } from './packed-line.ts';
import type { XtermBuffer, XtermLine } from './xterm.ts';

/** So many lines can be read at the same time. */
const COPIES = 4;

type WritableLine = { -readonly [Name in keyof XtermLine]: XtermLine[Name] };
type LineClass = new (length: number, cell: unknown) => XtermLine;

/** What is in the list of xterm.js, which takes it for lines of its own. */
type Kept = XtermLine | PackedLine | undefined;

/**
 * Keeps lines that have left the screen packed. xterm.js knows nothing of it: a line that it asks for, as it does when the
 * terminal is resized, is unpacked for good; one that it uses again at the bottom of the screen is replaced by a new one.
 */
export class PackedHistory {
  readonly #buffer: XtermBuffer;
  readonly #packer = new LinePacker();
  readonly #Line: LineClass;
  readonly #peek: (at: number) => Kept;
  readonly #put: (at: number, line: Kept) => void;
  /** Used again, the oldest first. */
  readonly #copies: { readonly packed: PackedLine; readonly line: WritableLine }[] = [];
  /** All lines before this one are packed, or are not to be. */
  #packedTo = 0;

  constructor(buffer: XtermBuffer) {
    this.#buffer = buffer;
    const { lines } = buffer;
    this.#Line = buffer.getBlankLine().constructor as LineClass;
    this.#peek = lines.get.bind(lines);
    this.#put = lines.set.bind(lines) as (at: number, line: Kept) => void;
    const recycle: () => Exclude<Kept, undefined> = lines.recycle.bind(lines);
    lines.get = (at) => {
      const line = this.#peek(at);
      return line instanceof PackedLine ? this.#unpackForGood(at, line) : line;
    };
    lines.recycle = () => {
      const line = recycle();
      if (!(line instanceof PackedLine)) return line;
      const blank = buffer.getBlankLine();
      this.#put(lines.length - 1, blank);
      return blank;
    };
    lines.onTrim((amount) => (this.#packedTo = Math.max(0, this.#packedTo - amount)));
  }

  /** To be read only, and until three others were read: then its copy is used again. */
  line(at: number): XtermLine | undefined {
    const line = this.#peek(at);
    return line instanceof PackedLine ? this.#copyOf(line) : line;
  }

  /** What is kept beside the cells, which is the same in a packed line. */
  beside(at: number): Pick<XtermLine, 'length' | '_combined' | '_extendedAttrs'> | undefined {
    return this.#peek(at);
  }

  /** So many lines have left the screen since, or were asked for. */
  get unpackedLines(): number {
    return this.#buffer.ybase - this.#packedTo;
  }

  /** Packs the next lines, no more than `count`. @param isToStay Tells of a line that it is needed as it is. */
  pack(count: number, isToStay: (line: XtermLine) => boolean): void {
    const end = Math.min(this.#buffer.ybase, this.#packedTo + count);
    for (let at = Math.min(this.#packedTo, end); at < end; at++) {
      const line = this.#peek(at);
      if (line !== undefined && !(line instanceof PackedLine) && !isToStay(line))
        this.#put(at, new PackedLine(line, this.#packer));
    }
    this.#packedTo = end;
  }

  #unpackForGood(at: number, packed: PackedLine): XtermLine {
    const line = this.#newLine(packed.length);
    packed.unpackTo(line._data);
    line.isWrapped = packed.isWrapped;
    // It may be written to.
    Object.assign(line._combined, packed._combined);
    Object.assign(line._extendedAttrs, packed._extendedAttrs);
    this.#put(at, line);
    this.#packedTo = Math.min(this.#packedTo, at);
    return line;
  }

  #copyOf(packed: PackedLine): XtermLine {
    const before = this.#copies.find((copy) => copy.packed === packed);
    if (before !== undefined) return before.line;
    const oldest = this.#copies.length < COPIES ? undefined : this.#copies.shift()?.line;
    const line = oldest?.length === packed.length ? oldest : this.#newLine(packed.length);
    packed.unpackTo(line._data);
    line.isWrapped = packed.isWrapped;
    line._combined = packed._combined;
    line._extendedAttrs = packed._extendedAttrs;
    this.#copies.push({ packed, line });
    return line;
  }

  #newLine(length: number): WritableLine {
    const line: WritableLine = new this.#Line(0, this.#buffer.getNullCell());
    line.length = length;
    line._data = new Uint32Array(length * CELL_WORDS);
    return line;
  }
}
