import { writeAll } from '../../src/platform/linux/channel.ts';
import type { Borrower, Lender, LentSocket } from '../../src/platform/linux/relay/lent-socket.ts';
import { addressOf, fixedBuffer, syscall, trySyscall } from '../../src/platform/linux/syscalls.ts';
import * as uapi from '../../src/platform/linux/uapi.ts';
import type { ConnectionHandlers } from '../../src/ports/socket.ts';

/** include/linux/socket.h, net.h */
const AF_UNIX = 1;
const SOCK_STREAM = 1;
const READ_BYTES = 64 * 1024;

/** Two ends of a stream; neither blocks. */
export function streamPair(): readonly [near: number, far: FarEnd] {
  const [near, far] = streamEnds();
  return [near, new FarEnd(far)];
}

export function streamEnds(): readonly [near: number, far: number] {
  const ends = new Int32Array(new ArrayBuffer(8));
  const kind = SOCK_STREAM | uapi.O_NONBLOCK | uapi.O_CLOEXEC;
  syscall('socketpair', AF_UNIX, kind, 0, addressOf(new Uint8Array(ends.buffer)));
  const [near = -1, far = -1] = ends;
  return [near, far];
}

/** The end of a stream that a test has. */
export class FarEnd implements Disposable {
  readonly #descriptor: number;
  #came: Uint8Array = new Uint8Array();

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  write(data: Uint8Array): void {
    writeAll(this.#descriptor, Uint8Array.from(data));
  }

  /** All that has come so far. */
  read(): Uint8Array {
    const pieces = [this.#came];
    for (;;) {
      const piece = fixedBuffer(READ_BYTES);
      const length = trySyscall('read', this.#descriptor, addressOf(piece), READ_BYTES);
      if (length <= 0) break;
      pieces.push(piece.subarray(0, length));
    }
    this.#came = Buffer.concat(pieces);
    return this.#came;
  }

  [Symbol.dispose](): void {
    trySyscall('close', this.#descriptor);
  }
}

/** A connection that is read only by who borrows it. */
export class LentConnection implements Lender {
  readonly peer = undefined;
  readonly queuedBytes = 0;
  readonly #descriptor: number;
  readonly #handlers: ConnectionHandlers;
  readonly #peerPid: number | undefined;
  #borrower: Borrower | undefined;

  constructor(descriptor: number, handlers: ConnectionHandlers, peerPid?: number) {
    this.#descriptor = descriptor;
    this.#handlers = handlers;
    this.#peerPid = peerPid;
  }

  write(data: Uint8Array): void {
    const pending = this.#borrower?.takePending() ?? new Uint8Array();
    writeAll(this.#descriptor, Uint8Array.from(pending));
    writeAll(this.#descriptor, Uint8Array.from(data));
  }

  end(): void {
    this.close();
  }

  close(): void {
    const borrower = this.#borrower;
    this.#borrower = undefined;
    borrower?.giveBack(false);
    trySyscall('close', this.#descriptor);
  }

  lend(borrower: Borrower): LentSocket {
    this.#borrower = borrower;
    return {
      descriptor: this.#descriptor,
      peerPid: this.#peerPid,
      queuedBytes: () => 0,
      onData: (data) => this.#handlers.onData(data),
      onEnd: () => this.#handlers.onClose(),
      write: (data) => writeAll(this.#descriptor, Uint8Array.from(data)),
      release: () => (this.#borrower = undefined),
    };
  }
}
