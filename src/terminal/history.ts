import type { TerminalModel } from './model.ts';

/** A place in the history that stays with its line when the terminal is resized. */
export interface HistoryPlace extends Disposable {
  /** As TerminalModel.historyEnd counts; the oldest line that is kept when its own is kept no longer. */
  line(): number;
}

/** @param line As TerminalModel.historyEnd counts. */
export function placeInHistory(model: TerminalModel, line: number): HistoryPlace {
  const buffer = model.buffers.normal;
  const marker = buffer.addMarker(Math.max(0, Math.min(line - model.historyStart, buffer.lines.length - 1)));
  return {
    // After a full reset all that is there was written since.
    line: () => model.historyStart + (buffer === model.buffers.normal ? Math.max(0, marker.line) : 0),
    [Symbol.dispose]: () => marker.dispose(),
  };
}

/** What is to be read on lines of the normal screen and its history. @param from As TerminalModel.historyEnd counts. */
export function readLines(model: TerminalModel, from: number, to: number): readonly string[] {
  const text = (line: number) => model.line(model.buffers.normal, line - model.historyStart)?.translateToString(true) ?? '';
  return Array.from({ length: Math.max(0, to - from) }, (_, at) => text(from + at));
}
