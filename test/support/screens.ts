import type { Memory } from '../../src/ports/memory.ts';
import { measureBy } from '../../src/terminal/fit.ts';
import { TerminalModel } from '../../src/terminal/model.ts';
import { type PaintOptions, paint } from '../../src/terminal/painter.ts';
import { isAsWide } from '../../src/terminal/row-writer.ts';
import type { XtermBuffer, XtermPen } from '../../src/terminal/xterm.ts';

/** Nothing is ever given back. */
export const IDLE_MEMORY: Memory = { residentBytes: () => 0, collectGarbage: () => undefined };

export function createModel(
  size = { columns: 20, rows: 6 },
  scrollbackLines = 50,
): TerminalModel & { readonly answers: string[] } {
  const answers: string[] = [];
  const model = new TerminalModel({ size, scrollbackLines, onQuery: (_, answer) => answers.push(answer) });
  return Object.assign(model, { answers });
}

/** All pieces of a drawing. */
export function painted(model: TerminalModel, options: PaintOptions): readonly Uint8Array[] {
  const pieces: Uint8Array[] = [];
  paint(model, options, (piece) => pieces.push(piece));
  return pieces;
}

/** A terminal that was drawn on by what `model` knows. */
export function redrawn(model: TerminalModel, options: Partial<PaintOptions> = {}): TerminalModel {
  const other = createModel(model.size, 200);
  for (const piece of painted(model, { historyFrom: 0, isFirst: false, ...options })) other.write(piece);
  return other;
}

/** All that two terminals that show the same have in common, to be compared. */
export function describeScreen(model: TerminalModel): Record<string, unknown> {
  const { active, normal, alt } = model.buffers;
  const { core, ledger } = model;
  const whole = describeLines(model, normal, 0);
  const other = active === alt ? describeLines(model, alt, alt.ybase) : undefined;
  const shown = other === undefined ? whole[active.ybase + active.y] : other[active.y];
  // To wait behind the last column something has to be written there.
  if (active.x === model.size.columns) shown?.cells.push((shown.cells.pop() ?? '').replace(/^\|1\|(.*)$/, ' |1|$1'));
  return {
    normal: whole,
    alternate: other,
    cursor: [active.x, active.y],
    // Restored, it waits behind the last column no longer.
    saved: [
      Math.min(active.savedX, model.size.columns - 1),
      model.savedRow(active),
      describePen(model, active.savedCurAttrData, false),
    ],
    region: [active.scrollTop, active.scrollBottom],
    pen: describePen(model, core._inputHandler._curAttrData, true),
    tabs: Array.from({ length: model.size.columns - 1 }, (_, at) => active.tabs[at + 1] === true),
    modes: sortedModes(ledger.modes),
    origin: core.coreService.decPrivateModes.origin,
    wraparound: core.coreService.decPrivateModes.wraparound,
    insert: core.coreService.modes.insertMode,
    charsets: [core._charsetService.glevel, ...[0, 1, 2, 3].map((slot) => core._charsetService._charsets[slot])],
    // Those of a screen that is not shown cannot be set.
    keys: [ledger.kittyKeys.normal, ledger.screen === 'alternate' && ledger.kittyKeys.alternate],
    otherKeys: ledger.otherKeys,
    style: [ledger.cursorStyle, ledger.consoleCursor],
    sideMargins: ledger.hasSideMargins,
    titles: [ledger.title, ledger.iconTitle, ledger.titleStack],
    colours: [[...ledger.palette], [...ledger.dynamicColours]],
    directory: ledger.directory,
    screen: ledger.alternateScreen,
    unfinished: Buffer.from(model.unfinished).toString('hex'),
  };
}

/** The order in which they were set matters only among the encodings of mouse reports. */
function sortedModes(modes: ReadonlyMap<number, boolean>) {
  const encodings = [1005, 1006, 1015, 1016];
  const entries = [...modes];
  const others = entries.filter(([mode]) => !encodings.includes(mode)).sort(([a], [b]) => a - b);
  return [...others, ...entries.filter(([mode]) => encodings.includes(mode))];
}

function describePen(model: TerminalModel, { fg, bg, extended }: XtermPen, hasMore: boolean) {
  // A saved pen has no more.
  return [
    colour(fg),
    colour(bg & ~0x10000000),
    underlineOf(fg, hasMore ? extended._ext : 0),
    hasMore ? model.links.textOf(extended._urlId) : '',
  ];
}

export function describeLines(
  model: TerminalModel,
  buffer: XtermBuffer,
  from: number,
): { readonly cells: string[]; readonly isWrapped: boolean; readonly marks: unknown }[] {
  return Array.from({ length: buffer.lines.length - from }, (_, row) => {
    const line = buffer.lines.get(from + row);
    if (line === undefined) throw new TypeError('Expected a line');
    // Beyond its end a list gives its first line again.
    const isLast = from + row + 1 >= buffer.lines.length;
    const isContinued = !isLast && buffer.lines.get(from + row + 1)?.isWrapped === true;
    const cells = Array.from({ length: line.length }, (_, column) => describeCell(model, line, column, isContinued));
    const isWrapped = row > 0 && line.isWrapped;
    return { cells, isWrapped, marks: isContinued && isWrapped ? [] : model.marksOf(line) };
  });
}

/** The cells of a row. One that went on with the next when it was drawn, and does not any more, keeps the space that made the terminal wrap. */
export function lastBlankOrSpace(cells: readonly string[]): readonly string[] {
  return cells.map((cell, column) => (column === cells.length - 1 ? cell.replace(/^ (?=\|1\|0\|)/, '') : cell));
}

type Line = NonNullable<ReturnType<XtermBuffer['lines']['get']>>;

function textAt(line: Line, column: number): string | undefined {
  const content = line._data[column * 3] ?? 0;
  if ((content & 0x200000) !== 0) return line._combined[column];
  return (content & 0x1fffff) === 0 ? '' : String.fromCodePoint(content & 0x1fffff);
}

function describeCell(model: TerminalModel, line: Line, column: number, isContinued: boolean): string {
  const [content = 0, foreground = 0, background = 0] = line._data.subarray(column * 3, column * 3 + 3);
  const width = content >>> 22;
  const text = textAt(line, column);
  // Of a cell that nothing was written to only the background shows; and the terminal wraps only behind a character.
  if (text === '' && width === 1)
    return `${isContinued && column === line.length - 1 ? ' ' : ''}|1|0|${colour(background & 0x3ffffff)}|0|`;
  const before = (line._data[(column - 1) * 3] ?? 0) >>> 22;
  const isOdd = (one: string | undefined, columns: number) => !isAsWide(measureBy(model), one ?? '', columns);
  const hasOddBefore = before === 2 && isOdd(textAt(line, column - 1), 2);
  if (text === '' && width === 0 && before === 2 && !hasOddBefore) return 'rest';
  const isBroken = width === 0 || (width === 2 && line._data[(column + 1) * 3] !== 0) || isOdd(text, width);
  const extended = (background & 0x10000000) === 0 ? undefined : line._extendedAttrs[column];
  const link = extended === undefined ? '' : model.links.textOf(extended._urlId);
  // The colour of an underline that is not there shows nowhere.
  const style = (foreground & 0x10000000) === 0 ? 0 : underlineOf(foreground, extended?._ext ?? 0);
  return `${isBroken ? ' |1' : `${text}|${width}`}|${colour(foreground)}|${colour(background & ~0x10000000)}|${style}|${link}`;
}

/** A colour by number leaves bits of one by components behind, which mean nothing. */
function colour(word: number): number {
  return ((word & 0x3000000) === 0x3000000 ? word : word & ~0xffff00) >>> 0;
}

/** An underline without a style is a single one. */
function underlineOf(foreground: number, extended: number): number {
  // The colour of the text, said by SGR 59, is white to xterm.js.
  if ((extended & 0x3ffffff) === 0x3ffffff) return underlineOf(foreground, extended & ~0x3ffffff);
  const style = (foreground & 0x10000000) === 0 ? 0 : extended & 0x1c000000 || 1 << 26;
  return (colour(extended & 0x3ffffff) | style) >>> 0;
}
