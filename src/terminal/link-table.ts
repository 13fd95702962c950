/** So many addresses are told apart; programs that link every word to a place of its own are rare. */
const LINKS_MAXIMUM = 4096;

/** The addresses of OSC 8, by number: what cells carry. xterm.js would keep a marker for each, and move all of them with each line. */
export class LinkTable {
  readonly #byNumber = new Map<number, string>();
  readonly #byText = new Map<string, number>();
  #next = 1;

  /** @param text `PARAMETERS;ADDRESS`. @param inUse The numbers that cells have. @returns 0 for no link. */
  open(text: string, inUse: () => ReadonlySet<number>): number {
    const at = text.indexOf(';');
    if (at < 0 || at === text.length - 1) return 0;
    const known = this.#byText.get(text);
    if (known !== undefined) return known;
    if (this.#byNumber.size >= LINKS_MAXIMUM) this.#forgetAllBut(inUse());
    if (this.#byNumber.size >= LINKS_MAXIMUM) return 0;
    const number = this.#next++;
    this.#byNumber.set(number, text);
    this.#byText.set(text, number);
    return number;
  }

  /** `PARAMETERS;ADDRESS`, '' for none. */
  textOf(number: number): string {
    return this.#byNumber.get(number) ?? '';
  }

  #forgetAllBut(used: ReadonlySet<number>): void {
    for (const [number, text] of this.#byNumber) {
      if (used.has(number)) continue;
      this.#byNumber.delete(number);
      this.#byText.delete(text);
    }
  }
}
