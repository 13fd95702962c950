import type { Shortcut } from './shortcut.ts';
import type { Connection } from './socket.ts';
import type { ProcessExit } from './spawn.ts';

/** Size in character cells; both at least 1. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** What is started on a new terminal of this size, as the leader of a session of its own. */
export interface PtyStart extends TerminalSize {
  /** Absolute path of the executable; no search. */
  readonly file: string;
  /** Arguments without the zeroth. */
  readonly arguments: readonly string[];
  /** All of the environment. */
  readonly environment: Readonly<Record<string, string>>;
  /**
   * Raw bytes in the order of their arrival, valid until it returns; a UTF-8 sequence may be split between two calls.
   *
   * @param isPassed A connection that was joined has got them, as a frame of output.
   */
  readonly onData: (data: Uint8Array, isPassed: boolean) => void;
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
  /**
   * A way beside the loop between this terminal and a connection, which is at a place between two frames.
   *
   * @param onIdle All that has come from either is handled: directions may be opened.
   * @returns undefined where there is none, or another connection has it.
   */
  join?(connection: Connection, onIdle: () => void): Shortcut | undefined;
  /** Gives to `onData` what has been written by now. */
  drain?(): void;
  /** No more than this is read before it is given to `onData`: the command waits meanwhile. */
  readAhead?(bytes: number): void;
}

/** @throws {NonoError} where there is no pseudo-terminal to be had. */
export type StartPty = (options: PtyStart) => Pty;
