/** So many addresses are told apart: more than a screen shows at once. */
const LINKS_MAXIMUM = 8192;
/** A longer address is none; terminals take less than that (VTE: 2083). */
const LENGTH_MAXIMUM = 4096;
/** Of all of them together. */
const CHARACTERS_MAXIMUM = 4 * 1024 * 1024;

/** The addresses of OSC 8, by number: what cells carry. xterm.js would keep a marker for each, and move all of them with each line. */
export class LinkTable {
  /** The one that was opened longest ago comes first. */
  readonly #byNumber = new Map<number, string>();
  readonly #byText = new Map<string, number>();
  #characters = 0;
  #next = 1;

  /**
   * What has no room is forgotten, the oldest first, and its cells have no link then: to look through the history for one that no cell has any more
   * would take as long for each link as a program needs to write thousands.
   *
   * @param text `PARAMETERS;ADDRESS`. @returns 0 for no link.
   */
  open(text: string): number {
    const at = text.indexOf(';');
    if (at < 0 || at === text.length - 1 || text.length > LENGTH_MAXIMUM) return 0;
    const known = this.#byText.get(text);
    if (known === undefined) this.#characters += text.length;
    else this.#byNumber.delete(known);
    const number = known ?? this.#next++;
    this.#byNumber.set(number, text);
    this.#byText.set(text, number);
    this.#forgetOldest();
    return number;
  }

  /** `PARAMETERS;ADDRESS`, '' for none. */
  textOf(number: number): string {
    return this.#byNumber.get(number) ?? '';
  }

  #forgetOldest(): void {
    for (const [number, text] of this.#byNumber) {
      if (this.#byNumber.size <= LINKS_MAXIMUM && this.#characters <= CHARACTERS_MAXIMUM) return;
      this.#byNumber.delete(number);
      this.#byText.delete(text);
      this.#characters -= text.length;
    }
  }
}
