/** Starting a process that is told what to do on descriptor 3, and following it to its end. */
export interface Spawn {
  /**
   * Starts `file` with the caller's three streams, in the caller's process group, and with one end of a
   * socket pair as descriptor 3. What else the caller let be inherited may be there too.
   */
  start(options: StartOptions): StartedProcess;
}

/** A program that is executed as it is. */
export interface StartOptions {
  /** Absolute path of the executable; no search. */
  readonly file: string;
  /** Arguments without the zeroth. */
  readonly arguments: readonly string[];
  /** All of the environment. */
  readonly environment: Readonly<Record<string, string>>;
}

/** A child of this process, to its end. */
export interface FollowedProcess {
  readonly pid: number;
  /** Settles once the process is reaped. Never rejects. */
  readonly exited: Promise<ProcessExit>;
  /** Sends a signal by number; nothing happens once the process is reaped. */
  kill(signal: number): void;
}

/** A command that was launched. */
export interface LaunchedProcess extends FollowedProcess {
  /** To be called whenever a child has changed: nobody else tells that it has ended. */
  look(): void;
}

/** A command that is confined first. */
export interface LaunchOptions {
  /** The command gets a process group of its own, in the foreground of the terminal on descriptor 0. */
  readonly takesTerminal?: boolean;
  readonly listener?: ListenerTaker | undefined;
}

/** With a channel on its descriptor 3. */
export interface StartedProcess extends FollowedProcess {
  /**
   * Writes all of `message` to descriptor 3, ends that direction, and gives what was written there until
   * the other side closed it, which execve(2) does by close-on-exec. Once only. A process that dies
   * meanwhile gives what it wrote before. May block: a launcher answers within milliseconds.
   */
  exchange(message: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

/** Who gets the listener that a command's filter has. */
export interface ListenerTaker {
  /** Before it is launched: what can fail. */
  expect(): void;
  /** Owns the descriptor from now on. */
  take(descriptor: number): void;
}

/** Exactly one is not null (waitpid(2)). */
export interface ProcessExit {
  readonly code: number | null;
  /** Signal number. */
  readonly signal: number | null;
}
