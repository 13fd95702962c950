import type { TerminalModel } from './model.ts';
import { type StyledRun, styledRow } from './styled-lines.ts';

export const SCREEN_FORMAT = 1;

/** What a session shows, as `nono screen --json` prints it and `sessions/<id>.screen.json` keeps it. */
export interface ScreenDocument {
  readonly format: number;
  readonly columns: number;
  readonly rows: number;
  readonly title: string;
  /** A full-screen program has a screen of its own. */
  readonly alternate: boolean;
  /** From 0. */
  readonly cursor: { readonly row: number; readonly column: number; readonly visible: boolean };
  readonly lines: readonly { readonly wrapped: boolean; readonly runs: readonly StyledRun[] }[];
}

export function screenDocument(model: TerminalModel): ScreenDocument {
  const { active, alt } = model.buffers;
  const { columns, rows } = model.size;
  return {
    format: SCREEN_FORMAT,
    columns,
    rows,
    title: model.ledger.title ?? '',
    alternate: active === alt,
    cursor: { row: active.y, column: Math.min(active.x, columns - 1), visible: model.ledger.isOn(25) },
    lines: Array.from({ length: rows }, (_, row) => {
      const line = active.lines.get(active.ybase + row);
      return { wrapped: row > 0 && line?.isWrapped === true, runs: line === undefined ? [] : styledRow(model, line) };
    }),
  };
}
