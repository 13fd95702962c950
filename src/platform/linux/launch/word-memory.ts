import { type Bytes, putBytes } from '../../../bytes.ts';
import { addressOf, fixedBuffer } from '../syscalls.ts';

const WORD_BYTES = 8;

/** Words of 64 bits that C reads and writes, and what they point to: all of it stays where it is for as long as this object is in use. */
export class WordMemory {
  readonly #held: Uint8Array[] = [];
  readonly #words: BigInt64Array<ArrayBuffer>;
  readonly address: number;

  constructor(count: number) {
    this.#words = new BigInt64Array(new ArrayBuffer(count * WORD_BYTES));
    this.address = this.hold(this.#words);
  }

  get(at: number): number {
    return Number(this.#words[at]);
  }

  put(at: number, values: readonly (number | bigint)[]): void {
    let word = at;
    for (const value of values) this.#words[word++] = BigInt(value);
  }

  /** @returns the address. */
  hold({ buffer }: { readonly buffer: ArrayBuffer }): number {
    const memory = new Uint8Array(buffer);
    this.#held.push(memory);
    return addressOf(memory);
  }

  /** Strings one after the other, each ended by NUL. @returns the address. */
  text(items: readonly Bytes[]): number {
    const text = `${items.join('\0')}\0` as Bytes;
    const memory = fixedBuffer(text.length);
    putBytes(memory, text);
    return this.hold(memory);
  }

  /** An array of strings that is ended by 0. @returns the address. */
  vector(items: readonly Bytes[]): number {
    let address = this.text(items);
    const pointers = new BigInt64Array(new ArrayBuffer((items.length + 1) * WORD_BYTES));
    let at = 0;
    for (const item of items) {
      pointers[at++] = BigInt(address);
      address += item.length + 1;
    }
    return this.hold(pointers);
  }
}
