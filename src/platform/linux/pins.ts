import { type Bytes, cString } from '../../bytes.ts';
import { addressOf, fixedBuffer } from './syscalls.ts';

/** Keeps memory alive whose address was given to the kernel: a typed array that is only an address may be collected. */
export class Pins {
  readonly #held: Uint8Array[] = [];

  /** The address of `memory`, good until release(). */
  address(memory: Uint8Array): number {
    this.#held.push(memory);
    return addressOf(memory);
  }

  /** The address of a NULL-ended array of C strings. */
  vector(items: readonly Bytes[]): number {
    const pointers = fixedBuffer((items.length + 1) * 8);
    const view = new DataView(pointers.buffer);
    items.forEach((item, at) => view.setBigUint64(at * 8, BigInt(this.address(cString(item))), true));
    return this.address(pointers);
  }

  release(): void {
    this.#held.length = 0;
  }
}
