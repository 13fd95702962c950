import { readLines } from '../terminal/history.ts';
import type { TerminalModel } from '../terminal/model.ts';
import type { Shown } from './display.ts';

/** That were here and left, and may come again. */
const REMEMBERED_TERMINALS = 32;

/** What was shown on terminals when they left, by their ids. */
export class KnownTerminals {
  readonly #shownOn = new Map<string, Shown>();

  /** The history is this one's to dispose of from now on. */
  remember(terminalId: string, shown: Shown): void {
    this.#forget(terminalId);
    this.#shownOn.set(terminalId, shown);
    for (const [first] of this.#shownOn) if (this.#shownOn.size > REMEMBERED_TERMINALS) this.#forget(first);
  }

  /**
   * Of what was on its screen when it left, the rows count that are in the history now as they were.
   *
   * @returns the line from which on the terminal has not had the history, as TerminalModel.historyEnd counts; undefined for one that was never here.
   */
  unseenFrom(terminalId: string, model: TerminalModel): number | undefined {
    const shown = this.#shownOn.get(terminalId);
    if (shown === undefined) return undefined;
    const from = shown.history.line();
    const now = readLines(model, from, Math.min(model.historyEnd, from + shown.rows.length));
    const changed = now.findIndex((row, at) => row !== shown.rows[at]);
    return from + (changed < 0 ? now.length : changed);
  }

  #forget(terminalId: string): void {
    this.#shownOn.get(terminalId)?.history[Symbol.dispose]();
    this.#shownOn.delete(terminalId);
  }
}
