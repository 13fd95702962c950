import type { CaughtSignal, Signals } from '../ports/signals.ts';
import type { FollowedProcess, ProcessExit } from '../ports/spawn.ts';

/** include/uapi/asm-generic/signal.h */
const SIGCONT = 18;
const SIGTSTP = 20;
const SIGTTIN = 21;
const SIGTTOU = 22;
const TERMINAL_STOPS: readonly number[] = [SIGTSTP, SIGTTIN, SIGTTOU];

/** Stands between the caller and a command that shares its process group, until it is disposed of. */
export interface Supervision extends Disposable {
  /** Looks after `child` from now on. @returns how it ended. */
  follow(child: FollowedProcess): Promise<ProcessExit>;
}

export interface SupervisionHandlers {
  /** A signal came, from the terminal or a process, and there is no command yet; what a process sent goes to the command nevertheless, once there is one. */
  readonly onEarlySignal?: (signal: number) => void;
  /** The signal that stopped the command; undefined when it goes on. */
  readonly onStopSignal: (signal: number | undefined) => void;
  /** Any child has changed. */
  readonly onChild: () => void;
}

/**
 * Signals: what a process sent to nono goes to the command; what the terminal sent has reached it already,
 * since both are in the foreground group. When the terminal stops the command, nono stops too, so that
 * the shell gets its prompt; when the shell continues nono, the command goes on with the terminal that it had.
 */
export function supervise(signals: Signals, ownPid: number, handlers: SupervisionHandlers): Supervision {
  const { onEarlySignal, onStopSignal, onChild } = handlers;
  const ownGroup = signals.groupOf(ownPid);
  const hadTerminal = ownGroup !== undefined && signals.foregroundGroup() === ownGroup;
  let child: FollowedProcess | undefined;
  let isPaused = false;
  /** What processes have sent for the command before there was one. */
  const early: number[] = [];

  function forward({ signal, isFromProcess }: CaughtSignal): void {
    if (isFromProcess && child === undefined) early.push(signal);
    else if (isFromProcess) child?.kill(signal);
    if (child === undefined) onEarlySignal?.(signal);
  }

  function lookAtChild(): void {
    if (child === undefined) return;
    const stop = signals.stopSignal(child.pid);
    if ((stop !== undefined) !== isPaused) {
      isPaused = stop !== undefined;
      onStopSignal(stop);
    }
    if (stop === undefined || !TERMINAL_STOPS.includes(stop)) return;
    stopWithChild(child.pid);
    isPaused = signals.stopSignal(child.pid) !== undefined;
    if (!isPaused) onStopSignal(undefined);
  }

  function stopWithChild(pid: number): void {
    const childGroup = signals.groupOf(pid);
    const heldTerminal = childGroup !== ownGroup && signals.foregroundGroup() === childGroup;
    if (heldTerminal && ownGroup !== undefined) signals.setForegroundGroup(ownGroup);
    signals.stopSelf();
    // Continued. The shell has continued nono's group; a command with a group of its own is still stopped.
    if (heldTerminal && childGroup !== undefined && signals.foregroundGroup() === ownGroup)
      signals.setForegroundGroup(childGroup);
    if (signals.stopSignal(pid) !== undefined)
      signals.send(childGroup === ownGroup || childGroup === undefined ? pid : -childGroup, SIGCONT);
  }

  const watching = signals.watch({
    onSignal: forward,
    onChild() {
      lookAtChild();
      onChild();
    },
  });
  return {
    follow(started) {
      child = started;
      for (const signal of early.splice(0)) started.kill(signal);
      lookAtChild();
      return started.exited;
    },
    [Symbol.dispose]() {
      child = undefined;
      // A shell that was killed inside cannot have given the terminal back: without this nobody could use it.
      if (hadTerminal && ownGroup !== undefined && signals.foregroundGroup() !== ownGroup) signals.setForegroundGroup(ownGroup);
      watching[Symbol.dispose]();
    },
  };
}
