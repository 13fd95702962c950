import { addressOf, errnoName, trySyscall } from './syscalls.ts';

/** What is typed for a program that reads nothing is lost some time, as it is by the terminals of the kernel after 4 KiB. */
const KEPT_BYTES_MAXIMUM = 16 * 1024 * 1024;
const BUSY = ['EAGAIN', 'EINTR'];

/** What a terminal does not take at once is kept, and written when it says that it has room. */
export class PtyInput {
  readonly #master: number;
  readonly #wantRoom: () => void;
  #kept: Uint8Array[] = [];
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
    this.#kept.push(data.slice(taken));
  }

  hasRoom(): void {
    for (let first = this.#kept[0]; first !== undefined; first = this.#kept[0]) {
      const taken = this.#tryWrite(first);
      this.#keptBytes -= taken;
      if (taken < first.length) {
        this.#kept[0] = first.subarray(taken);
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
