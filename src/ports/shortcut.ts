/** Which of two directions bytes may pass. */
export interface OpenDirections {
  /** What the terminal sends goes to the connection, as frames of data. */
  readonly fromTerminal: boolean;
  /** What comes as frames of data goes to the terminal. */
  readonly toTerminal: boolean;
  /** The terminal is put back from colours and usual modes: they may pass. Without a meaning for a session's own terminal. */
  readonly hasPen?: boolean;
  /** Others look at what the terminal sends, too: it is given to its handler soon. */
  readonly isWatched?: boolean;
}

/**
 * A way for bytes between a terminal and a connection beside the loop. Only what is plain passes; at the first that is not, the
 * direction is closed, and that and all that follows comes to the handlers of the terminal or of the connection. So it does until the direction is opened
 * again. Whatever is written to the connection or the terminal meanwhile comes behind what has passed. At first both are closed.
 *
 * Two sides that have one each may do without the connection: what is plain is written to the terminal of the other side.
 */
export interface Shortcut extends Disposable {
  /** Opens and closes. A direction in which something is on its way to a handler, or from somebody else, stays closed. */
  open(directions: OpenDirections): void;
  /** Closes both. What has passed from a session's own terminal has been given to its handler when this returns. */
  close(): void;
  /** The other side has not been asked whether it has all that went by the connection: until it says so, nothing is written to its terminal directly. */
  isFenceDue(): boolean;
  /** Asks it by this frame. @returns false when something is still on its way, and nothing was sent. */
  sendFence(frame: Uint8Array): boolean;
  /** It has said so; with the first answer comes its terminal. @param isLast Of the last fence that was sent. */
  fenceAnswered(isLast: boolean): void;
  /**
   * Answers a fence of the other side by this frame, which may write to this terminal then: after all that came before, and while toTerminal is open.
   *
   * @returns false when something is still on its way, and nothing was sent.
   */
  answerFence(frame: Uint8Array): boolean;
}
