import { addressOf, errnoName, trySyscall } from './syscalls.ts';

/** What is typed for a program that reads nothing is lost some time, as it is by the terminals of the kernel after 4 KiB. */
const KEPT_BYTES_MAXIMUM = 16 * 1024 * 1024;
const BUSY = ['EAGAIN', 'EINTR'];
/** Little pieces, as answers of the model are, share one: millions of arrays of a few bytes would take gigabytes. */
const BLOCK_BYTES = 16 * 1024;

/** What a terminal does not take at once is kept, and written when it says that it has room. */
export class PtyInput {
  readonly #master: number;
  readonly #wantRoom: () => void;
  /** Of each block, the bytes from `from` to `length` are still to be written. */
  readonly #kept: { readonly block: Uint8Array; from: number; length: number }[] = [];
  #keptBytes = 0;

  /** @param master Does not block. @param wantRoom Asks to be told, by hasRoom(). */
  constructor(master: number, wantRoom: () => void) {
    this.#master = master;
    this.#wantRoom = wantRoom;
  }

  /** Nothing is kept. */
  get isEmpty(): boolean {
    return this.#kept.length === 0;
  }

  write(data: Uint8Array): void {
    if (data.length === 0) return;
    const taken = this.isEmpty ? this.#tryWrite(data) : 0;
    if (taken === data.length) return;
    if (this.isEmpty) this.#wantRoom();
    if (this.#keptBytes + data.length - taken > KEPT_BYTES_MAXIMUM) return;
    this.#keptBytes += data.length - taken;
    this.#keep(data.subarray(taken));
  }

  #keep(data: Uint8Array): void {
    let last = this.#kept.at(-1);
    if (last === undefined || last.block.length - last.length < data.length) {
      last = { block: new Uint8Array(Math.max(BLOCK_BYTES, data.length)), from: 0, length: 0 };
      this.#kept.push(last);
    }
    last.block.set(data, last.length);
    last.length += data.length;
  }

  hasRoom(): void {
    for (let first = this.#kept[0]; first !== undefined; first = this.#kept[0]) {
      const taken = this.#tryWrite(first.block.subarray(first.from, first.length));
      this.#keptBytes -= taken;
      first.from += taken;
      if (first.from < first.length) {
        this.#wantRoom();
        return;
      }
      this.#kept.shift();
    }
  }

  /** What a terminal that was hung up does not take, nobody will. */
  #tryWrite(data: Uint8Array): number {
    const written = trySyscall('write', this.#master, addressOf(data), data.length);
    if (written >= 0) return written;
    return BUSY.includes(errnoName(-written)) ? 0 : data.length;
  }
}
