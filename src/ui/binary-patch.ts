import type { Deflate } from '../ports/deflate.ts';
import type { Content } from '../rollback/content-access.ts';

/** The form in which git writes binary files (`GIT binary patch`), made piece by piece. */

/** The alphabet of git's base85.c, which is that of RFC 1924. */
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~';
const CODES = Buffer.from(ALPHABET, 'latin1');
/** Bytes on one line, and what they become: a letter for their number, five characters for each four, a newline. */
const LINE_BYTES = 52;
const LINE_CHARACTERS = 1 + (LINE_BYTES / 4) * 5 + 1;
const NEWLINE = 0x0a;
/** RFC 1950: deflate with a window of 32 KiB, default level. */
const ZLIB_HEADER = [0x78, 0x9c];
/** An empty last block with fixed codes, which ends a stream that was left open. */
const LAST_BLOCK = [0x03, 0x00];
/** RFC 1950: the largest prime below 2^16, and how many bytes can be added before a sum passes 2^32. */
const ADLER_MODULUS = 65_521;
const ADLER_RUN = 5552;

/** A blob as `literal SIZE`, its zlib stream in base85, and an empty line. */
export function* renderLiteral(content: Content, deflate: Deflate): Generator<Uint8Array> {
  yield Buffer.from(`literal ${content.sizeBytes}\n`);
  const lines = new Base85Lines();
  for (const piece of compress(content, deflate)) yield lines.push(piece);
  yield lines.finish();
  yield Buffer.from('\n');
}

function* compress(content: Content, deflate: Deflate): Generator<Uint8Array> {
  yield Uint8Array.from(ZLIB_HEADER);
  const sum = new Adler32();
  for (const piece of content.pieces()) {
    sum.update(piece);
    yield deflate(piece);
  }
  yield Uint8Array.from([...LAST_BLOCK, ...sum.digest()]);
}

class Base85Lines {
  readonly #rest = new Uint8Array(new ArrayBuffer(LINE_BYTES));
  #length = 0;

  /** Whole lines of what has come so far. */
  push(data: Uint8Array): Uint8Array {
    const total = this.#length + data.length;
    const lines = Math.floor(total / LINE_BYTES);
    const out = Buffer.alloc(lines * LINE_CHARACTERS);
    let [at, from] = [0, 0];
    for (let line = 0; line < lines; line++) {
      if (this.#length > 0) {
        const missing = LINE_BYTES - this.#length;
        this.#rest.set(data.subarray(0, missing), this.#length);
        at = encodeLine(this.#rest, out, at);
        from = missing;
        this.#length = 0;
      } else {
        at = encodeLine(data.subarray(from, from + LINE_BYTES), out, at);
        from += LINE_BYTES;
      }
    }
    this.#rest.set(data.subarray(from), this.#length);
    this.#length += data.length - from;
    return out;
  }

  finish(): Uint8Array {
    if (this.#length === 0) return new Uint8Array();
    const out = Buffer.alloc(LINE_CHARACTERS);
    return out.subarray(0, encodeLine(this.#rest.subarray(0, this.#length), out, 0));
  }
}

/** @returns where the next line goes. */
function encodeLine(data: Uint8Array, out: Buffer, start: number): number {
  const { length } = data;
  let at = start;
  // A to Z are 1 to 26 bytes, a to z 27 to 52.
  out[at++] = length <= 26 ? 0x40 + length : 0x60 + length - 26;
  for (let from = 0; from < length; from += 4) {
    let value =
      (((data[from] ?? 0) << 24) | ((data[from + 1] ?? 0) << 16) | ((data[from + 2] ?? 0) << 8) | (data[from + 3] ?? 0)) >>> 0;
    for (let digit = 4; digit >= 0; digit--) {
      out[at + digit] = CODES[value % 85] ?? 0;
      value = Math.floor(value / 85);
    }
    at += 5;
  }
  out[at++] = NEWLINE;
  return at;
}

class Adler32 {
  #low = 1;
  #high = 0;

  update(data: Uint8Array): void {
    let [low, high] = [this.#low, this.#high];
    for (let start = 0; start < data.length; start += ADLER_RUN) {
      const end = Math.min(start + ADLER_RUN, data.length);
      for (let at = start; at < end; at++) {
        low += data[at] ?? 0;
        high += low;
      }
      low %= ADLER_MODULUS;
      high %= ADLER_MODULUS;
    }
    [this.#low, this.#high] = [low, high];
  }

  digest(): readonly number[] {
    return [this.#high >> 8, this.#high & 0xff, this.#low >> 8, this.#low & 0xff];
  }
}
