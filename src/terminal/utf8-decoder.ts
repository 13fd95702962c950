const REPLACEMENT = 0xfffd;

/**
 * UTF-8 in pieces of any length to code points, as the Encoding Standard decodes it: what is no UTF-8 is U+FFFD. Without a
 * string in between, which for all the output of a flood would be gigabytes of garbage.
 */
export class Utf8Decoder {
  #code = 0;
  /** Bytes that the character still takes. */
  #needed = 0;
  /** The next byte is between these. */
  #low = 0x80;
  #high = 0xbf;

  /** @param into Takes one code point for each byte, and one more. @returns how many it was given. */
  decode(data: Uint8Array, into: Uint32Array): number {
    let count = 0;
    for (let at = 0; at < data.length; at++) {
      const byte = data[at] ?? 0;
      if (this.#needed === 0) {
        if (byte < 0x80) into[count++] = byte;
        else if (!this.#begin(byte)) into[count++] = REPLACEMENT;
      } else if (byte < this.#low || byte > this.#high) {
        into[count++] = REPLACEMENT;
        this.#needed = 0;
        at -= 1;
      } else {
        this.#low = 0x80;
        this.#high = 0xbf;
        this.#code = (this.#code << 6) | (byte & 0x3f);
        this.#needed -= 1;
        if (this.#needed === 0) into[count++] = this.#code;
      }
    }
    return count;
  }

  /** @returns false for a byte that begins no character. */
  #begin(byte: number): boolean {
    if (byte < 0xc2 || byte > 0xf4) return false;
    this.#needed = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    this.#code = byte & (0x3f >> this.#needed);
    this.#low = byte === 0xe0 ? 0xa0 : byte === 0xf0 ? 0x90 : 0x80;
    this.#high = byte === 0xed ? 0x9f : byte === 0xf4 ? 0x8f : 0xbf;
    return true;
  }
}
