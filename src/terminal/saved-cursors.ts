import type { Xterm, XtermBuffer } from './xterm.ts';

/** What DECSC, SCOSC and 1048 keep, where xterm.js 6.0.0 keeps something else: the cursor of each screen. */
export class SavedCursors {
  readonly #terminal: Xterm['terminal'];
  readonly #core: Xterm['core'];
  /** The row of the screen that each buffer's saved cursor is on: xterm.js keeps the line instead, which scrolls away. */
  readonly #rows = new WeakMap<XtermBuffer, number>();

  constructor({ core, terminal }: Xterm) {
    this.#terminal = terminal;
    this.#core = core;
    const { parser } = terminal;
    const save = () => this.#save();
    const restore = () => this.#prepareRestoreOf(this.#active);
    parser.registerEscHandler({ final: '7' }, save);
    parser.registerEscHandler({ final: '8' }, restore);
    parser.registerCsiHandler({ final: 's' }, save);
    parser.registerCsiHandler({ final: 'u' }, restore);
  }

  /** The row of the screen that the saved cursor is on; 0 where none was saved. */
  row(buffer: XtermBuffer): number {
    // Restored on a screen that is lower by now, it comes to the last row.
    return Math.min(this.#rows.get(buffer) ?? 0, this.#terminal.rows - 1);
  }

  /** A private mode is about to be set (`h`) or reset (`l`). */
  beforeMode(mode: number, final: string): void {
    if (mode !== 1048 && mode !== 1049) return;
    if (final === 'h') this.#save();
    // Read before the switch: 1049 restores what the normal screen has saved.
    if (final === 'l') this.#prepareRestoreOf(mode === 1049 ? this.#core._bufferService.buffers.normal : this.#active);
  }

  get #active(): XtermBuffer {
    return this.#core._bufferService.buffers.active;
  }

  #save(): false {
    this.#rows.set(this.#active, this.#active.y);
    return false;
  }

  /** What goes on is xterm.js's own, with what it finds then. */
  #prepareRestoreOf(buffer: XtermBuffer): false {
    buffer.savedY = buffer.ybase + this.row(buffer);
    // A terminal restores what is designated; xterm.js the set in use only, until the next shift.
    const { glevel, _charsets: charsets } = this.#core._charsetService;
    charsets[glevel] = buffer.savedCharset;
    // A saved cursor has no link. xterm.js would keep one that is open, unseen until the next underline.
    const pen = this.#core._inputHandler._curAttrData;
    if (pen.extended._urlId === 0) return false;
    pen.extended = pen.extended.clone();
    pen.extended._urlId = 0;
    pen.updateExtended();
    return false;
  }
}
