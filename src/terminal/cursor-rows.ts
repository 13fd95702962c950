import type { TerminalModel } from './model.ts';
import { isEmptyLine } from './row-writer.ts';

/** Whether a program that is there writes line by line: nothing of its screen is below the cursor, or stays where it is. */
export function isWritingLines(model: TerminalModel): boolean {
  const { buffers, size, core, ledger } = model;
  const { active, normal } = buffers;
  const isWholeScreen = active.scrollTop === 0 && active.scrollBottom === size.rows - 1;
  const isUsual = isWholeScreen && !ledger.hasSideMargins && !core.coreService.decPrivateModes.origin;
  return active === normal && isUsual && rowsBelowCursor(model) <= 1;
}

/** How far down from the cursor of the normal screen a row is on which, as below it, nothing is to be seen; 0 to its height. */
export function rowsBelowCursor(model: TerminalModel): number {
  const { normal, active } = model.buffers;
  const cursorRow = active === normal ? normal.y : model.savedRow(normal);
  for (let row = model.size.rows - 1; row >= cursorRow; row--) {
    const line = normal.lines.get(normal.ybase + row);
    if (line !== undefined && !isEmptyLine(line)) return row + 1 - cursorRow;
  }
  return 0;
}
