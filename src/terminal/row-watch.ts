import { ControlScanner } from './control-scanner.ts';
import { ALTERNATE_SCREENS } from './mode-ledger.ts';
import type { TerminalModel } from './model.ts';

/** Finals of what names a row, or makes some of them a region. */
const TO_ROWS = 'Hfdr';
const RESET = 'c';
/** Sees whether a program goes to a row of the terminal by its number: from then on the rows of model and terminal are no longer the same. */
export class RowWatch {
  #isTied = false;
  #isAlternate = false;
  /** What came before it was known on which screen. */
  #early: Uint8Array[] | undefined = [];
  readonly #scanner = new ControlScanner({
    csi: (prefix, parameters, middle, final) => {
      if (prefix === '?' && ALTERNATE_SCREENS.some((mode) => parameters.split(';').includes(String(mode))))
        this.#isAlternate = final === 'h';
      else if (prefix === '' && middle === '' && TO_ROWS.includes(final) && !this.#isAlternate) this.#isTied = true;
      return undefined;
    },
    escape: (middle, final) => {
      this.#isTied ||= middle === '' && final === RESET;
    },
  });

  /** Where the model was when the watch began. */
  begin({ ledger }: Pick<TerminalModel, 'ledger'>): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    this.#isAlternate = ledger.screen === 'alternate';
    for (const piece of early) this.push(piece);
  }

  push(data: Uint8Array): void {
    if (this.#early !== undefined) this.#early.push(data.slice());
    else if (!this.#isTied) this.#scanner.push(data);
  }

  get isTied(): boolean {
    return this.#isTied;
  }
}
