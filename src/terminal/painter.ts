import type { ModeLedger } from './mode-ledger.ts';
import type { TerminalModel } from './model.ts';
import { HAS_EXTENDED } from './pen.ts';
import { isWideAt, RowWriter, wideBackground } from './row-writer.ts';
import type { XtermBuffer, XtermLine, XtermPen } from './xterm.ts';

export interface PaintOptions {
  /** The number of the first line of the history that the terminal has not had, as TerminalModel counts. */
  readonly historyFrom: number;
  /** The terminal shows what is its user's: that goes into its scrollback first. */
  readonly isFirst: boolean;
  /** So many rows at the top may be its user's, which it has taken out of its scrollback to fill a larger screen: they go back there first. */
  readonly takenBack?: number;
}

/** Takes a piece of a drawing. */
export type Give = (piece: Uint8Array) => void;

/** Lines that are scrolled through before the screen is shown; more of them come behind it, so that one sees it at once. */
const SHOWN_FIRST_LINES = 200;
export const SYNC_BEGIN = '\x1b[?2026h';
const SYNC_END = '\x1b[?2026l';
/** So much is given away at a time: a client shows the one piece while the next is drawn. */
const PIECE_BYTES = 64 * 1024;
const TAB_WIDTH = 8;

/**
 * Draws all that the model knows on a terminal of the model's size: history into the terminal's own scrollback, the normal
 * screen, the alternate one over it, and every mode. The terminal has its default modes and pen; what it shows is replaced
 * row by row and never erased as a whole, since some terminals put an erased screen into their scrollback.
 *
 * @param give Is given pieces in order as soon as they are drawn; the first shows the screen.
 */
export function paint(model: TerminalModel, { historyFrom, isFirst, takenBack = 0 }: PaintOptions, give: Give): void {
  const painter = new Painter(model);
  // What the terminal has had of the history is on the screen again after it has grown.
  const first = Math.min(Math.max(historyFrom, model.historyStart), model.historyEnd);
  if (isFirst) painter.scrollAway();
  else if (takenBack > 0) painter.giveBack(takenBack);
  if (model.historyEnd - first > SHOWN_FIRST_LINES) give(painter.shownScreen());
  give(painter.everything(first, give));
  give(model.unfinished);
}

/**
 * Only what is to be seen, on a terminal that has its default modes and is to be drawn all of it later: nothing is scrolled, and no mode set.
 */
export function paintGlimpse(model: TerminalModel): Uint8Array {
  return new Painter(model).shownScreen();
}

/**
 * The row of the cursor with every mode, on a terminal whose cursor is at the start of an empty row and that shows what is
 * its user's above it: for a program that writes line by line.
 */
export function paintCursorRow(model: TerminalModel): readonly Uint8Array[] {
  return [new Painter(model).cursorRow(), model.unfinished];
}

/** Writes parts of what the model knows, one after the other. */
export class Painter {
  readonly #model: TerminalModel;
  readonly rows: RowWriter;

  constructor(model: TerminalModel) {
    this.#model = model;
    this.rows = new RowWriter(model);
  }

  /** From wherever the cursor is: exactly the rows down to it leave the screen, whatever their number. */
  scrollAway(): void {
    this.rows.write(`\r${'\n'.repeat(this.#model.size.rows)}`);
  }

  /** So many rows at the top leave the screen, wherever the cursor is. */
  giveBack(rows: number): void {
    this.rows.write(`\x1b[${this.#model.size.rows}H${'\n'.repeat(rows)}`);
  }

  /** Only what is to be seen, without history and modes: to be drawn over again. */
  shownScreen(): Uint8Array {
    const { active } = this.#model.buffers;
    this.rows.write(`${SYNC_BEGIN}\x1b[H`);
    this.lines(active, active.ybase, active.ybase + this.#model.size.rows);
    this.rows.write(this.rows.pen.reset() + SYNC_END);
    return this.rows.take();
  }

  /** History, the normal screen, and the alternate one where it is on, with every mode. @returns the last piece. */
  everything(historyFrom: number, give: Give): Uint8Array {
    const { buffers, size, historyStart } = this.#model;
    const { normal, alt, active } = buffers;
    const rows = this.rows;
    rows.write(`${SYNC_BEGIN}\x1b[H`);
    this.lines(normal, historyFrom - historyStart, normal.ybase + size.rows, give);
    rows.write(rows.pen.reset());
    if (active === alt) {
      this.#savedCursor(normal);
      this.alternate();
    }
    this.finalState();
    return rows.take();
  }

  /** The alternate screen, over the normal one. */
  alternate(): void {
    const { ledger, buffers, size } = this.#model;
    const { alt } = buffers;
    this.rows.write(`${keyPushes(ledger, 'normal')}\x1b[?${ledger.alternateScreen ?? 1049}h\x1b[H`);
    this.lines(alt, alt.ybase, alt.ybase + size.rows);
    this.rows.write(this.rows.pen.reset());
  }

  cursorRow(): Uint8Array {
    const { buffers, size } = this.#model;
    const { active } = buffers;
    const rows = this.rows;
    const line = active.lines.get(active.ybase + active.y);
    rows.write(`${SYNC_BEGIN}\r${this.tabStops(active)}\r`);
    if (line !== undefined) rows.row(line, false, { isContinued: false, isDirty: true, columns: size.columns });
    this.stateInRow();
    return rows.take();
  }

  /** Cursor, pen and modes, on a terminal whose cursor is on its row; the last of it ends the synchronized update. */
  stateInRow(): void {
    const { ledger, buffers, size } = this.#model;
    const { active } = buffers;
    const line = active.lines.get(active.ybase + active.y);
    const isBehind = line !== undefined && active.x >= size.columns;
    const column = isBehind ? lastColumn(line, size.columns) : Math.min(active.x, size.columns - 1);
    this.rows.write(`${this.rows.pen.reset()}\x1b[${column + 1}G${textState(ledger)}`);
    if (isBehind) this.rows.cell(line, column);
    this.modes();
  }

  /** Cursor, pen and modes; the last of it ends the synchronized update. */
  finalState(): void {
    const { ledger, core, buffers, size } = this.#model;
    const { active } = buffers;
    const rows = this.rows;
    rows.write(this.tabStops(active));
    this.#savedCursor(active);
    rows.write(textState(ledger));
    if (ledger.hasSideMargins) rows.write('\x1b[?69h');
    const { origin } = core.coreService.decPrivateModes;
    const isWholeScreen = active.scrollTop === 0 && active.scrollBottom === size.rows - 1;
    if (!isWholeScreen) rows.write(`\x1b[${active.scrollTop + 1};${active.scrollBottom + 1}r`);
    if (origin) rows.write('\x1b[?6h');
    this.#cursor(active, origin);
    this.modes();
  }

  modes(): void {
    const { ledger, core } = this.#model;
    const rows = this.rows;
    this.#pen(core._inputHandler._curAttrData);
    rows.write(this.#charsets());
    if (!core.coreService.decPrivateModes.wraparound) rows.write('\x1b[?7l');
    rows.write(modeState(ledger) + keyPushes(ledger, ledger.screen) + SYNC_END);
    if (ledger.isOn(2026)) rows.write(SYNC_BEGIN);
  }

  /**
   * One below the other from the first row on; the terminal scrolls by itself where they are more than its rows.
   *
   * @param give Is given what was drawn when it is much.
   */
  lines(buffer: XtermBuffer, from: number, to: number, give?: Give): void {
    const { columns, rows } = this.#model.size;
    let isContinuation = false;
    for (let at = from; at < to; at++) {
      const line = this.#model.line(buffer, at);
      if (line === undefined) break;
      const next = at + 1 < to ? this.#model.line(buffer, at + 1) : undefined;
      const isContinued = next?.isWrapped === true && line.length === columns;
      this.rows.nextWide = next === undefined ? undefined : wideBackground(next);
      // A row that wrapping has scrolled in has the background of what was wrapped.
      this.rows.row(line, isContinuation, { isContinued, isDirty: isContinuation || at - from < rows, columns });
      if (!isContinued && next !== undefined) this.rows.write(`${this.rows.pen.hasBackground ? this.rows.pen.reset() : ''}\r\n`);
      isContinuation = isContinued;
      if (give !== undefined && this.rows.bytes >= PIECE_BYTES) give(this.rows.take());
    }
  }

  #savedCursor(buffer: XtermBuffer): void {
    const row = this.#model.savedRow(buffer);
    this.rows.write(`\x1b[${row + 1};${buffer.savedX + 1}H`);
    const { fg, bg } = buffer.savedCurAttrData;
    this.rows.write(this.rows.pen.change(fg, bg & ~HAS_EXTENDED, undefined));
    const charset = designator(buffer.savedCharset);
    this.rows.write(charset === 'B' ? '\x1b7' : `\x1b(${charset}\x1b7\x1b(B`);
    this.rows.write(this.rows.pen.reset());
  }

  #cursor(buffer: XtermBuffer, isOrigin: boolean): void {
    const { columns } = this.#model.size;
    const row = buffer.y + 1 - (isOrigin ? buffer.scrollTop : 0);
    const line = buffer.lines.get(buffer.ybase + buffer.y);
    // Behind the last column: only writing it again makes the terminal wait there.
    if (buffer.x < columns || line === undefined) {
      this.rows.write(`\x1b[${row};${Math.min(buffer.x, columns - 1) + 1}H`);
      return;
    }
    const last = lastColumn(line, columns);
    this.rows.write(`\x1b[${row};${last + 1}H`);
    this.rows.cell(line, last);
  }

  #pen({ fg, bg, extended }: XtermPen): void {
    // The colour of underlines is kept while nothing is underlined.
    this.rows.write(this.rows.pen.change(fg, bg | HAS_EXTENDED, extended));
  }

  #charsets(): string {
    const { glevel, _charsets: charsets } = this.#model.core._charsetService;
    const designations = ['(', ')', '*', '+'].map((slot, at) => {
      const name = designator(charsets[at]);
      return name === 'B' ? '' : `\x1b${slot}${name}`;
    });
    return designations.join('') + (['', '\x0e', '\x1bn', '\x1bo'][glevel] ?? '');
  }

  tabStops({ tabs }: XtermBuffer): string {
    const { columns } = this.#model.size;
    const stops = Array.from({ length: columns }, (_, column) => column).filter((column) => tabs[column] === true);
    const usual = Array.from({ length: Math.ceil(columns / TAB_WIDTH) }, (_, at) => at * TAB_WIDTH);
    // Whether the first column is one shows nowhere.
    if (stops.filter(Boolean).join() === usual.filter(Boolean).join()) return '';
    return `\x1b[3g${stops.map((column) => `\x1b[${column + 1}G\x1bH`).join('')}`;
  }
}

function lastColumn(line: XtermLine, columns: number): number {
  return columns >= 2 && isWideAt(line, columns - 2) ? columns - 2 : columns - 1;
}

/** Titles, directory and colours. */
function textState({ title, iconTitle, titleStack, palette, dynamicColours, directory }: ModeLedger): string {
  return [
    ...titleStack.map((pushed) => `${titles(pushed)}\x1b[22;0t`),
    titles({ title, iconTitle }),
    ...[...palette].map(([index, colour]) => `\x1b]4;${index};${colour}\x1b\\`),
    ...[...dynamicColours].map(([number, colour]) => `\x1b]${number};${colour}\x1b\\`),
    directory === undefined ? '' : `\x1b]7;${directory}\x1b\\`,
  ].join('');
}

function titles({ title, iconTitle }: { readonly title: string | undefined; readonly iconTitle: string | undefined }): string {
  if (title !== undefined && title === iconTitle) return `\x1b]0;${title}\x1b\\`;
  return (iconTitle === undefined ? '' : `\x1b]1;${iconTitle}\x1b\\`) + (title === undefined ? '' : `\x1b]2;${title}\x1b\\`);
}

/** Modes that move nothing; those that xterm.js keeps for itself and that move the cursor are written elsewhere. */
function modeState(ledger: ModeLedger): string {
  const elsewhere: readonly number[] = [6, 7, 66, 2026];
  return [
    ledger.isInsert ? '\x1b[4h' : '',
    ledger.isNewline ? '\x1b[20h' : '',
    ledger.isOn(66) ? '\x1b=' : '',
    ...[...ledger.modes].filter(([mode]) => !elsewhere.includes(mode)).map(([mode, isOn]) => `\x1b[?${mode}${isOn ? 'h' : 'l'}`),
    ledger.otherKeys > 0 ? `\x1b[>4;${ledger.otherKeys}m` : '',
    ledger.cursorStyle > 0 ? `\x1b[${ledger.cursorStyle} q` : '',
    ledger.consoleCursor === '' ? '' : `\x1b[?${ledger.consoleCursor}c`,
  ].join('');
}

function keyPushes({ kittyKeys }: ModeLedger, screen: 'normal' | 'alternate'): string {
  return kittyKeys[screen].map((flags) => `\x1b[>${flags}u`).join('');
}

/** The final character that designates a set; xterm.js keeps its table of replacements only. */
function designator(charset: Readonly<Record<string, string>> | undefined): string {
  if (charset === undefined) return 'B';
  return NATIONAL_SETS.get(TOLD_APART_BY.map((key) => charset[key] ?? key).join('')) ?? 'B';
}

/** The replacement sets of xterm.js (Charsets.ts) by what they make of these characters. */
const TOLD_APART_BY = ['#', '@', '[', '\\', 'q', '{', '~'] as const;
const NATIONAL_SETS: ReadonlyMap<string, string> = new Map([
  ['#@[\\─π·', '0'],
  ['£@[\\q{~', 'A'],
  ['£¾ij½q¨´', '4'],
  ['#@ÄÖqäü', 'C'],
  ['£à°çqé¨', 'R'],
  ['#àâçqéû', 'Q'],
  ['#§ÄÖqäß', 'K'],
  ['£§°çqàì', 'Y'],
  ['#ÄÆØqæü', 'E'],
  ['£§¡Ñq°ç', 'Z'],
  ['#ÉÄÖqäü', 'H'],
  ['ùàéçqäû', '='],
]);
