import type { TerminalSize } from '../ports/pty.ts';
import type { Connection } from '../ports/socket.ts';
import type { HistoryPlace } from '../terminal/history.ts';
import type { ViewPainter } from '../terminal/view-painter.ts';
import type { Over } from './covering.ts';
import type { StatusPlace } from './messages.ts';

/** The terminal of a client, on which the session is shown. */
export interface Display {
  readonly connection: Connection;
  /** A follower of the log gets what the command writes, and is never drawn anything. */
  readonly isFollower: boolean;
  /** Undefined where what the command writes is passed on as it is; a viewer is only ever drawn. */
  readonly view: { size: TerminalSize; painter: ViewPainter | undefined; readonly status: StatusPlace | undefined } | undefined;
  /** Rows of nono's own that are shown over the last ones of the screen, which is drawn like a viewer's meanwhile. */
  over: Over | undefined;
  /** Called when it begins to get what the command writes. */
  onLive: () => void;
  /** It gets what the command writes. Otherwise it is to be drawn first. */
  isLive: boolean;
  /** What is kept for it was too much. */
  isBehind: boolean;
  /** It is behind, and shown where a flood is until that is over. */
  isInFlood: boolean;
  isGone: boolean;
  /** The client is stopped with the command; its terminal shows what is its user's. */
  isSuspended: boolean;
  /** When it was drawn last. */
  drawnMs: number;
  /** Of the history, what its terminal has had; undefined for nothing. */
  historySeen: HistoryPlace | undefined;
  /** The terminal, told apart from any other; undefined where that is not known. */
  readonly terminalId: string | undefined;
}

/** What a terminal was shown when it left. */
export interface Shown {
  readonly history: HistoryPlace;
  /** The rows of the screen that were below it, down to the cursor. */
  readonly rows: readonly string[];
}

/** The terminal of somebody who attaches. */
export interface JoiningTerminal {
  /** Nothing was written yet: the output goes on where the cursor of the terminal is. */
  readonly isFresh: boolean;
  /** So much of the history is wanted; undefined for what the terminal has not had. */
  readonly historyLines: number | undefined;
  readonly terminalId: string | undefined;
}

export interface DisplaysHost {
  /** What viewers are told about the session, whose terminal has this size. */
  readonly describe: (size: TerminalSize) => string;
  /** Milliseconds from an arbitrary start. */
  readonly nowMs: () => number;
  /** Nothing is passed on by others any more, and all that was is known to output(). */
  readonly settle?: () => void;
}
