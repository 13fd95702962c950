/** Telling processes apart over time: a pid alone comes round again. */
export interface Processes {
  /** @throws {NonoError} where nothing can be told of processes by their numbers. */
  self(): ProcessIdentity;
  /** When the process started, in clock ticks since boot; undefined when there is none, NaN where it is hidden when it did. */
  startTicks(pid: number): number | undefined;
  /** When that was by the clock of files, in seconds since the epoch. */
  wallSeconds(startTicks: number): number;
}

/** Tells a process from a later one with its number. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTicks: number;
  /** Pids mean nothing outside their namespace: its inode number. */
  readonly pidNamespace: number;
  /** Changes with each boot. */
  readonly bootId: string;
}
