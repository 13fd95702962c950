/** Starting a process that goes on when its starter has ended. */
export interface Background {
  /**
   * Starts `file` in a session of its own, with no terminal, its streams on /dev/null and one end of a socket pair as
   * descriptor 3. It does not keep its starter from ending.
   */
  start(options: BackgroundStart): BackgroundProcess;
}

/** A process of nono's own that outlives the call. */
export interface BackgroundCommand {
  /** Absolute path of the executable; no search. */
  readonly file: string;
  /** Arguments without the zeroth. */
  readonly arguments: readonly string[];
  /** All of the environment. */
  readonly environment: Readonly<Record<string, string>>;
}

/** The same, and who follows it. */
export interface BackgroundStart extends BackgroundCommand {
  /** What comes on descriptor 3, in pieces of any length; an empty one is the end. */
  readonly onMessage: (data: Uint8Array) => void;
}

/** What was started, and the channel to it. */
export interface BackgroundProcess {
  readonly pid: number;
  /** Writes all of it to descriptor 3. A process that is dead takes nothing. */
  send(message: Uint8Array): void;
  /** Sends a signal by number; nothing happens once the process is reaped. */
  kill(signal: number): void;
  /** Ends the channel; the process finds the end of it. */
  close(): void;
}
