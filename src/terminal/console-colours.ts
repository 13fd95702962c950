const RESET = 0x52;
const COLOUR = 0x50;
/** Which of sixteen, and red, green and blue. */
const DIGITS = 7;
const ESCAPE = 0x1b;
const BEGINNING = Buffer.from('\x1b]');

/**
 * The console of Linux has two sequences that begin like an OSC and end by themselves (console_codes(4)): ESC ] R, and ESC ] P with seven hex digits. Programs
 * send the first whenever they leave their screen (`oc` of terminfo); whoever waited for a terminator would take what follows for its text.
 *
 * @param from Behind the bracket.
 * @returns where it ends, -1 while that has not come, undefined for any other OSC.
 */
export function endOfConsoleColour(input: Uint8Array, from: number): number | undefined {
  const kind = input[from];
  if (kind === undefined) return -1;
  if (kind === RESET) return from + 1;
  if (kind !== COLOUR) return undefined;
  for (let at = from + 1; at <= from + DIGITS; at++) {
    const digit = input[at];
    if (digit === undefined) return -1;
    if (!isHexDigit(digit)) return undefined;
  }
  return from + 1 + DIGITS;
}

/** Finds them in a stream that arrives in pieces of any length. */
export class ConsoleColours {
  /** The beginning of what may become one. */
  #held: Uint8Array = new Uint8Array();

  /** @returns where in `data` one has ended. */
  push(data: Uint8Array): readonly number[] {
    const input =
      this.#held.length === 0 ? Buffer.from(data.buffer, data.byteOffset, data.length) : Buffer.concat([this.#held, data]);
    const heldLength = this.#held.length;
    this.#held = input.at(-1) === ESCAPE ? Uint8Array.of(ESCAPE) : new Uint8Array();
    const ends: number[] = [];
    for (let at = input.indexOf(BEGINNING); at >= 0; at = input.indexOf(BEGINNING, at + BEGINNING.length)) {
      const end = endOfConsoleColour(input, at + BEGINNING.length);
      if (end === -1) this.#held = input.slice(at);
      else if (end !== undefined) ends.push(end - heldLength);
    }
    return ends;
  }
}

function isHexDigit(byte: number): boolean {
  const letter = byte | 0x20;
  return (byte >= 0x30 && byte <= 0x39) || (letter >= 0x61 && letter <= 0x66);
}
