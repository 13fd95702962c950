interface RelayHandlers {
  /**
   * What the terminal sent, valid until it returns.
   *
   * @param isPassed The connection has it; only of a session's own terminal.
   */
  readonly onTerminal: (data: Uint8Array, isPassed: boolean) => void;
  /** The terminal was hung up. */
  readonly onTerminalEnd: () => void;
  /** The terminal takes something again, as was wanted. */
  readonly onRoom: () => void;
  /** What was to pass to a session's own terminal and was not taken by it. */
  readonly onStuck: (data: Uint8Array) => void;
}

export interface RelayOptions {
  /** A session's own terminal, rather than a user's. */
  readonly isSession: boolean;
  readonly handlers: RelayHandlers;
}
