import { readLines } from '../terminal/history.ts';
import type { TerminalModel } from '../terminal/model.ts';
import type { Give } from '../terminal/painter.ts';
import type { Display } from './display.ts';
import type { Drawing } from './screen.ts';

/** On the terminal of its user for the first time, once more where it is shown already, or only the row of the cursor. */
export type Occasion = 'first' | 'again' | 'row' | Grown;

/** Shown already, on a screen that has more rows now: see PaintOptions. */
interface Grown {
  readonly takenBack: number;
}

/** The rows of the normal screen down to that of the cursor. */
export function rowsAboveCursor(model: TerminalModel): readonly string[] {
  const { historyEnd: end, buffers } = model;
  return readLines(model, end, end + buffers.normal.y);
}

/** On a terminal that shows what is its user's. */
export function occasionBelow(
  { historySeen }: Pick<Display, 'historySeen'>,
  model: TerminalModel,
  { isWritingLines }: Drawing,
): Occasion {
  const isAtEnd = (historySeen?.line() ?? 0) >= model.historyEnd;
  return isAtEnd && isWritingLines(model) ? 'row' : 'first';
}

/** @param give Is given pieces in order as soon as they are drawn. */
export function paintFor(
  occasion: Occasion,
  { historySeen }: Pick<Display, 'historySeen'>,
  model: TerminalModel,
  { paint, paintCursorRow }: Drawing,
  give: Give,
): void {
  if (occasion === 'row') for (const piece of paintCursorRow(model)) give(piece);
  else {
    const { takenBack } = typeof occasion === 'object' ? occasion : { takenBack: 0 };
    paint(model, { historyFrom: historySeen?.line() ?? 0, isFirst: occasion === 'first', takenBack }, give);
  }
}
