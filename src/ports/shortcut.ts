/** Which of two directions bytes may pass. */
export interface OpenDirections {
  /** What the terminal sends goes to the connection, as frames of data. */
  readonly fromTerminal: boolean;
  /** What comes as frames of data goes to the terminal. */
  readonly toTerminal: boolean;
  /** The terminal is put back from colours: they may pass. Without a meaning for a session's own terminal. */
  readonly hasPen?: boolean;
}

/**
 * A way for bytes between a terminal and a connection beside the loop. Only what is plain passes; at the first that is not, the
 * direction is closed, and that and all that follows comes to the handlers of the terminal or of the connection. So it does until the direction is opened
 * again. Whatever is written to the connection or the terminal meanwhile comes behind what has passed. At first both are closed.
 */
export interface Shortcut extends Disposable {
  /** Opens and closes. A direction in which something is on its way to a handler, or from somebody else, stays closed. */
  open(directions: OpenDirections): void;
  /** Closes both. What has passed from a session's own terminal has been given to its handler when this returns. */
  close(): void;
}
