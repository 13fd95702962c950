/** A signal that this process got, as siginfo_t tells it. */
export interface CaughtSignal {
  readonly signal: number;
  /** Sent by a process (si_code <= 0), not by the terminal or the kernel. */
  readonly isFromProcess: boolean;
  /** Who sent it; undefined for the terminal and the kernel. */
  readonly sender: { readonly pid: number; readonly uid: number } | undefined;
}

/** What stops a group: a key, or that it wants a terminal that another group has. */
export type StopReason = 'key' | 'background';

/** Signals to this process, and job control with the terminal that it may have. */
export interface Signals {
  /**
   * From the return of this call on, none of SIGHUP, SIGINT, SIGQUIT and SIGTERM ends this process and none of
   * SIGTSTP, SIGTTIN and SIGTTOU stops it, until it is disposed. `onSignal` is told of the first four,
   * each time; `onChild` whenever a child stopped, went on or ended, at least once for several changes.
   *
   * @param isReader SIGTTIN stops it nevertheless: the kernel sends it to whoever reads a terminal in the background, and has an error for who ignores it.
   */
  watch(handlers: {
    readonly onSignal: (caught: CaughtSignal) => void;
    readonly onChild: () => void;
    readonly isReader?: boolean;
  }): Disposable;
  /** The signal that `pid`, a child, is stopped by at this moment; undefined while it is not. */
  stopSignal(pid: number): number | undefined;
  /** Stops this process as SIGSTOP does, and returns when it was continued. */
  stopSelf(): void;
  /**
   * Stops all of this process's group as Ctrl-Z of the terminal does, so that whoever started it and waits gives the shell its prompt: a script, make, npm. Returns when
   * it was continued; at once where nobody could do that, as behind `ssh -t`: the kernel stops no such group. Only while it is watched.
   *
   * @param why Of a group in the background that uses the terminal the kernel stops only who expects it: not timeout(1), which would not end it any more.
   */
  stopGroup(why: StopReason): void;
  /** Sends a signal by number; a process that is gone is no error. */
  send(pid: number, signal: number): void;
  /** Whether that process ignores a signal; false of one that is gone. */
  ignores(pid: number, signal: number): boolean;
  /** The foreground process group of the controlling terminal; undefined without one. */
  foregroundGroup(): number | undefined;
  /** Does nothing where it is not permitted or there is no terminal. */
  setForegroundGroup(group: number): void;
  /** undefined when there is no such process. */
  groupOf(pid: number): number | undefined;
}
