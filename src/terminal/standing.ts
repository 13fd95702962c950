import type { TerminalSize } from '../ports/pty.ts';
import type { TerminalModel } from './model.ts';
import { Painter, SYNC_BEGIN } from './painter.ts';
import type { RowWatch } from './row-watch.ts';
import { isEmptyLine, RowWriter } from './row-writer.ts';
import type { XtermBuffer } from './xterm.ts';

/** The one that leaves the cursor of the normal screen where it was. */
const SCREEN_WITH_CURSOR = 1049;

/** With the cursor, the normal screen gets its pen and character sets back. */
const PLAIN = '\x1b[m\x0f\x1b(B\x1b)B';

/**
 * What a terminal that follows the session shows at one moment. A session begins in the midst of what is its user's, so that
 * nobody knows on which row of the terminal the first one of the model is: it can only be gone on with from the cursor.
 */
export interface Standing {
  readonly size: TerminalSize;
  readonly buffer: XtermBuffer;
  /** The number of the first line on the screen, as TerminalModel.historyEnd counts. */
  readonly line: number;
  /** Of the cursor of the normal screen, from there. */
  readonly cursorRow: number;
  /** What is drawn for each row of the normal screen. */
  readonly rows: readonly string[];
  /** The cursor comes back to its place with the normal screen, and nothing on it is tied to rows of the terminal. */
  readonly isMovable: boolean;
}

export function standingOf(model: TerminalModel): Standing {
  const { normal } = model.buffers;
  return {
    size: model.size,
    buffer: normal,
    line: model.historyEnd,
    cursorRow: cursorRow(model),
    rows: drawnRows(model, normal.ybase, normal.ybase + model.size.rows),
    isMovable: isMovable(model),
  };
}

/**
 * What came since then, on a terminal that shows what it showed then, with its default modes and pen.
 *
 * @returns undefined where the rows of the terminal that are to be drawn cannot be told from the cursor.
 */
export function paintSince(
  model: TerminalModel,
  standing: Standing,
  { isTied }: Pick<RowWatch, 'isTied'>,
): readonly Uint8Array[] | undefined {
  const { buffers, size, historyStart } = model;
  const { normal, alt, active } = buffers;
  const isSame = standing.buffer === normal && standing.size.columns === size.columns && standing.size.rows === size.rows;
  if (isTied || !isSame || !standing.isMovable || !isMovable(model) || standing.line < historyStart) return undefined;
  const from = standing.line - historyStart;
  const now = drawnRows(model, from, normal.ybase + size.rows);
  const cursor = normal.ybase - from + cursorRow(model);
  const different = now.findIndex((row, at) => row !== standing.rows[at]);
  const hasChanged = different >= 0 || now.length !== standing.rows.length || cursor > standing.cursorRow;
  let first = different < 0 ? standing.cursorRow : Math.min(different, standing.cursorRow);
  // A row that goes on from the one before it is drawn with that.
  while (first > 0 && model.line(normal, from + first)?.isWrapped === true) first -= 1;
  if (hasChanged && model.line(normal, from + first)?.isWrapped === true) return undefined;

  const painter = new Painter(model);
  const { rows } = painter;
  rows.write(SYNC_BEGIN + PLAIN);
  let row = standing.cursorRow;
  if (hasChanged) {
    rows.write(`${moveRows(first - row)}\r`);
    const end = Math.max(usedRows(now), usedRows(standing.rows), cursor + 1);
    painter.lines(normal, from + first, from + end);
    rows.write(rows.pen.reset());
    row = end - 1;
  }
  rows.write(moveRows(cursor - row));
  if (active === alt) {
    rows.write(`\x1b[${Math.min(normal.savedX, size.columns - 1) + 1}G`);
    painter.alternate();
    painter.finalState();
  } else {
    rows.write(painter.tabStops(active) + savedCursor(model, cursorRow(model)));
    painter.stateInRow();
  }
  return [rows.take(), model.unfinished];
}

function cursorRow(model: TerminalModel): number {
  const { normal, active } = model.buffers;
  return active === normal ? normal.y : model.savedRow(normal);
}

function isMovable({ buffers, size, core, ledger }: TerminalModel): boolean {
  const { normal, active } = buffers;
  if (active !== normal) return ledger.alternateScreen === SCREEN_WITH_CURSOR;
  const isWholeScreen = active.scrollTop === 0 && active.scrollBottom === size.rows - 1;
  return isWholeScreen && !ledger.hasSideMargins && !core.coreService.decPrivateModes.origin;
}

/** '' for rows on which nothing is. */
function drawnRows(model: TerminalModel, from: number, to: number): readonly string[] {
  const writer = new RowWriter(model);
  return Array.from({ length: to - from }, (_, at) => {
    const line = model.line(model.buffers.normal, from + at);
    if (line === undefined || isEmptyLine(line)) return '';
    writer.row(line, false, { isContinued: false, isDirty: false, columns: model.size.columns });
    writer.write(writer.pen.reset());
    return Buffer.from(writer.take()).toString('latin1');
  });
}

function usedRows(rows: readonly string[]): number {
  return rows.findLastIndex((row) => row !== '') + 1;
}

function moveRows(down: number): string {
  if (down === 0) return '';
  return down > 0 ? `\x1b[${down}B` : `\x1b[${-down}A`;
}

/** The cursor comes back to the row it is on. */
function savedCursor(model: TerminalModel, row: number): string {
  const { normal } = model.buffers;
  const saved = model.savedRow(normal);
  if (saved === 0 && normal.savedX === 0) return '';
  return `${moveRows(saved - row)}\x1b[${normal.savedX + 1}G\x1b7${moveRows(row - saved)}`;
}
