/** A socket that somebody else reads and writes for a while. */
export interface LentSocket {
  readonly descriptor: number;
  /** The process at the other end; undefined where the kernel does not tell. */
  readonly peerPid: number | undefined;
  /** Bytes that were written and not taken by the kernel yet. */
  readonly queuedBytes: () => number;
  /** What came. */
  readonly onData: (data: Uint8Array) => void;
  /** The other side has said all. */
  readonly onEnd: () => void;
  /** Writes what the borrower has not written, and keeps what is not taken. */
  readonly write: (data: Uint8Array) => void;
  /** The borrower has let go of it, by itself. */
  readonly release: () => void;
}

/** Who has borrowed it. */
export interface Borrower {
  /** What it has taken on and not written: it comes first. It writes nothing more before the lender has written what there is. */
  takePending(): Uint8Array;
  /** Gives all to `onData` that it has read, and lets go of it. @param hasEnded The other side is gone: what it has said last is read first. */
  giveBack(hasEnded: boolean): void;
}

export interface Lender {
  /** Undefined for one that is ending. */
  lend(borrower: Borrower): LentSocket | undefined;
}

export function isLender<T extends object>(value: T): value is Lender & T {
  return 'lend' in value && typeof value.lend === 'function';
}
