import type { Bytes } from '../bytes.ts';
import type { TerminalSize } from './pty.ts';
import type { Shortcut } from './shortcut.ts';
import type { Connection } from './socket.ts';

/** What happens to a terminal beside what is typed. */
export interface TerminalEvents {
  readonly onResize: () => void;
  /** This process was stopped and goes on: others have had the terminal meanwhile. */
  readonly onContinue: () => void;
}

export interface TerminalHandlers {
  readonly onInput: (data: Uint8Array) => void;
  /** The terminal was hung up: nothing more comes. */
  readonly onEnd: () => void;
}

/** What a thread may pass between this terminal and a connection. */
export interface JoinedConnection {
  /** It is at a place between two frames. */
  readonly connection: Connection;
  /** A byte that is typed, or all of a key of the cursor, may pass. */
  readonly isPlain: (typed: string) => boolean;
  /** All that has come from either is handled: directions may be opened. */
  readonly onIdle: () => void;
}

/** The terminal that nono was called on. */
export interface UserTerminal extends Disposable {
  size(): TerminalSize;
  /** Tells this terminal apart from others, also from a later one of the same name; undefined where nothing does. */
  identity(): string | undefined;
  /** How it treats what is typed and written, as the platform has it: for a command's terminal to take on. */
  settings(): Bytes;
  /** Every byte as it is, in both directions; no key means anything to the kernel. */
  enterRaw(): void;
  /** As it was before the first enterRaw(). */
  leaveRaw(): void;
  /**
   * What is to be written, and the terminal put back as leaveRaw() does it, when this process is killed in raw mode. It may
   * take a moment until somebody stands by for that; empty for nothing.
   */
  ifKilled(restore: Uint8Array): void;
  /** Blocks while the terminal takes nothing. */
  write(data: Uint8Array): void;
  watch(events: TerminalEvents): void;
  /** What was typed before comes too. */
  follow(handlers: TerminalHandlers): void;
  /** The same, with a way beside the loop between this terminal and a connection. @returns undefined where there is none: nothing is followed then. */
  followJoined?(handlers: TerminalHandlers, join: JoinedConnection): Shortcut | undefined;
}

export type OpenUserTerminal = () => UserTerminal;
