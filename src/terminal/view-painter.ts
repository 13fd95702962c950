import { bytesFromBuffer, bytesFromText } from '../bytes.ts';
import type { TerminalSize } from '../ports/pty.ts';
import type { TerminalModel } from './model.ts';
import { RowWriter } from './row-writer.ts';

/** What a viewer is brought to first: a screen of its own, on which nothing wraps. */
const BEGIN = '\x1b[?1049h\x1b[?7l\x1b[2J';
const SYNC_BEGIN = '\x1b[?2026h';
const SYNC_END = '\x1b[?2026l';

/**
 * Draws the screen for somebody who only looks, at any size: what does not fit is cut off, so that the cursor is to be seen.
 * Each drawing writes the rows that have changed since the last one.
 */
export class ViewPainter {
  #size: TerminalSize;
  #shown: string[] = [];
  #cursor = '';
  #title = '';
  #isBegun = false;
  readonly #statusPlace: 'title' | 'row' | undefined;

  /** @param statusPlace Where a line about the session is shown, if anywhere. */
  constructor(size: TerminalSize, statusPlace?: 'title' | 'row') {
    this.#size = size;
    this.#statusPlace = statusPlace;
  }

  resize(size: TerminalSize): void {
    this.#size = size;
    this.#forget();
  }

  /**
   * @param status A line about the session, in ASCII.
   * @param over Text with colours that takes the place of the last rows; the cursor is not shown then.
   * @returns nothing when the viewer sees all that there is to see.
   */
  draw(model: TerminalModel, status = '', over: readonly string[] = []): Uint8Array | undefined {
    const { active } = model.buffers;
    const { columns } = this.#size;
    const hasRow = this.#statusPlace === 'row' && this.#size.rows > 1;
    const rows = hasRow ? this.#size.rows - 1 : this.#size.rows;
    const top = Math.max(0, Math.min(active.y - rows + 1, model.size.rows - rows));
    const writer = new RowWriter(model);
    const out: string[] = [];
    for (let row = 0; row < rows; row++) {
      const covering = over[row - rows + over.length];
      const isThere = top + row < model.size.rows;
      const text = isThere && covering === undefined ? drawRow(writer, model, { row: top + row, columns }) : '\x1b[K';
      // Erased first: behind the last column EL would take what was written there.
      out.push(this.#changed(row, covering === undefined ? text : `\x1b[0m\x1b[K${bytesFromText(covering)}\x1b[0m`));
    }
    if (hasRow) out.push(this.#changed(rows, `\x1b[0;7m${status.slice(0, columns).padEnd(columns)}\x1b[0m`));
    out.push(this.#titled(status));
    const cursor = over.length > 0 ? '\x1b[?25l' : cursorOf(model, { columns, row: active.y - top });
    if (out.join('') === '' && cursor === this.#cursor && this.#isBegun) return undefined;
    this.#cursor = cursor;
    const begin = this.#isBegun ? '' : BEGIN;
    this.#isBegun = true;
    return Buffer.from(`${begin}${SYNC_BEGIN}${out.join('')}${cursor}${SYNC_END}`, 'latin1');
  }

  #changed(row: number, text: string): string {
    if (text === this.#shown[row]) return '';
    this.#shown[row] = text;
    return `\x1b[${row + 1};1H${text}`;
  }

  #titled(status: string): string {
    if (this.#statusPlace !== 'title' || status === this.#title) return '';
    this.#title = status;
    return `\x1b]2;${status}\x1b\\`;
  }

  #forget(): void {
    this.#shown = [];
    this.#isBegun = false;
  }
}

function drawRow(
  writer: RowWriter,
  model: TerminalModel,
  { row, columns }: { readonly row: number; readonly columns: number },
): string {
  const { active } = model.buffers;
  const line = active.lines.get(active.ybase + row);
  if (line === undefined) return '\x1b[K';
  writer.row(line, false, { isContinued: false, isDirty: true, columns });
  writer.write(writer.pen.reset());
  if (line.length < columns) writer.write(`\x1b[${line.length + 1}G\x1b[K`);
  return bytesFromBuffer(writer.take());
}

function cursorOf(
  { ledger, buffers }: TerminalModel,
  { columns, row }: { readonly columns: number; readonly row: number },
): string {
  const style = `\x1b[${ledger.cursorStyle} q`;
  const place = `\x1b[${row + 1};${Math.min(buffers.active.x + 1, columns)}H`;
  return `${place}${style}${ledger.isOn(25) ? '\x1b[?25h' : '\x1b[?25l'}${ledger.isOn(5) ? '\x1b[?5h' : '\x1b[?5l'}`;
}
