import type { ProcessExit } from './spawn.ts';

/** Size in character cells; both at least 1. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

export interface PtyStart extends TerminalSize {
  /** Absolute path of the executable; no search. */
  readonly file: string;
  /** Arguments without the zeroth. */
  readonly arguments: readonly string[];
  /** All of the environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Raw bytes in the order of their arrival; a UTF-8 sequence may be split between two calls. */
  readonly onData: (data: Uint8Array) => void;
  /** What comes on descriptor 3, in pieces of any length; an empty one is the end. */
  readonly onMessage: (data: Uint8Array) => void;
}

/** A process on a pseudo-terminal of its own, whose session it leads, with a socket pair as descriptor 3. */
export interface Pty extends Disposable {
  readonly pid: number;
  /** Settles once the process is reaped and its output is drained, for which it waits a bounded time. Never rejects. */
  readonly exited: Promise<ProcessExit>;
  /** Types; what the terminal does not take yet is kept. */
  write(data: Uint8Array): void;
  resize(size: TerminalSize): void;
  /** Writes all of it to descriptor 3, without waiting for the other side to read it. */
  send(message: Uint8Array): void;
  /** Sends a signal by number; nothing happens once the process is reaped. */
  kill(signal: number): void;
}

export type StartPty = (options: PtyStart) => Pty;
