import { addressOf } from './syscalls.ts';

/** Keeps memory alive whose address was given to the kernel: a typed array that is only an address may be collected. */
export class Pins {
  readonly #held: Uint8Array[] = [];

  /** The address of `memory`, good until release(). */
  address(memory: Uint8Array): number {
    this.#held.push(memory);
    return addressOf(memory);
  }

  release(): void {
    this.#held.length = 0;
  }
}
