import { describe, expect, test } from 'vitest';
import type { CaughtSignal, Signals } from '../../../src/ports/signals.ts';
import type { ProcessExit, StartedProcess } from '../../../src/ports/spawn.ts';
import { supervise } from '../../../src/session/supervise.ts';

const OWN = 10;
const CHILD = 20;
const SHELL = 1;
const SIGSTOP = 19;
const SIGTSTP = 20;

/** A terminal, a shell that continues what stopped, and one child. */
class FakeSignals implements Signals {
  readonly log: string[] = [];
  childGroup = OWN;
  foreground: number | undefined = OWN;
  stoppedBy: number | undefined;
  handlers: { readonly onSignal: (caught: CaughtSignal) => void; readonly onChild: () => void } | undefined;

  watch(handlers: { readonly onSignal: (caught: CaughtSignal) => void; readonly onChild: () => void }): Disposable {
    this.handlers = handlers;
    return { [Symbol.dispose]: () => this.log.push('unwatch') };
  }
  stopSignal = (): number | undefined => this.stoppedBy;
  stopSelf(): void {
    this.log.push(`stop, terminal of ${this.foreground}`);
    // The shell takes the terminal, and gives it back to the group that it continues.
    this.foreground = SHELL;
    this.foreground = OWN;
    if (this.childGroup === OWN) this.stoppedBy = undefined;
  }
  stopGroup = (): void => undefined;
  ignores = (): boolean => false;
  send(pid: number, signal: number): void {
    this.log.push(`send ${signal} to ${pid}`);
    if (signal === 18) this.stoppedBy = undefined;
  }
  foregroundGroup = (): number | undefined => this.foreground;
  setForegroundGroup(group: number): void {
    this.log.push(`terminal to ${group}`);
    this.foreground = group;
  }
  groupOf = (pid: number): number => (pid === CHILD ? this.childGroup : OWN);
}

function fakeChild(log: string[]): StartedProcess {
  return {
    pid: CHILD,
    exited: new Promise<ProcessExit>(() => undefined),
    exchange: () => new Uint8Array(),
    kill: (signal) => log.push(`kill ${signal}`),
  };
}

function watchChild(signals: FakeSignals) {
  const paused: boolean[] = [];
  const supervision = supervise(signals, OWN, {
    onStopSignal: (signal) => paused.push(signal !== undefined),
    onChild: () => undefined,
  });
  void supervision.follow(fakeChild(signals.log));
  return { supervision, paused };
}

describe('supervise()', () => {
  test('passes a signal on when a process sent it, and not when the terminal did', () => {
    const signals = new FakeSignals();
    watchChild(signals);

    signals.handlers?.onSignal({ signal: 15, isFromProcess: true, sender: { pid: 1, uid: 0 } });
    signals.handlers?.onSignal({ signal: 2, isFromProcess: false, sender: undefined });

    expect(signals.log).toEqual(['kill 15']);
  });

  test('tells of each signal that comes before the command, which gets those of processes when it is there', () => {
    const signals = new FakeSignals();
    const early: number[] = [];
    const quiet = () => undefined;
    const supervision = supervise(signals, OWN, {
      onEarlySignal: (signal) => early.push(signal),
      onStopSignal: quiet,
      onChild: quiet,
    });
    signals.handlers?.onSignal({ signal: 15, isFromProcess: true, sender: { pid: 1, uid: 0 } });
    signals.handlers?.onSignal({ signal: 2, isFromProcess: false, sender: undefined });
    expect(early).toEqual([15, 2]);

    void supervision.follow(fakeChild(signals.log));
    signals.handlers?.onSignal({ signal: 1, isFromProcess: true, sender: { pid: 1, uid: 0 } });

    expect(signals.log).toEqual(['kill 15', 'kill 1']);
    expect(early).toEqual([15, 2]);
  });

  test('stops with a command that the terminal stopped, and goes on with it', () => {
    const signals = new FakeSignals();
    const { paused } = watchChild(signals);
    signals.stoppedBy = SIGTSTP;

    signals.handlers?.onChild();

    expect(signals.log).toEqual([`stop, terminal of ${OWN}`]);
    expect(paused).toEqual([true, false]);
  });

  test('keeps running when a process stopped the command', () => {
    const signals = new FakeSignals();
    const { paused } = watchChild(signals);
    signals.stoppedBy = SIGSTOP;
    signals.handlers?.onChild();
    signals.stoppedBy = undefined;
    signals.handlers?.onChild();

    expect(signals.log).toEqual([]);
    expect(paused).toEqual([true, false]);
  });

  test('gives a command with a group of its own the terminal back, then continues it', () => {
    const signals = new FakeSignals();
    watchChild(signals);
    signals.childGroup = CHILD;
    signals.foreground = CHILD;
    signals.stoppedBy = SIGTSTP;

    signals.handlers?.onChild();

    expect(signals.log).toEqual([
      `terminal to ${OWN}`,
      `stop, terminal of ${OWN}`,
      `terminal to ${CHILD}`,
      `send 18 to ${-CHILD}`,
    ]);
  });

  test('takes the terminal back from a group that is gone', () => {
    const signals = new FakeSignals();
    const { supervision } = watchChild(signals);
    signals.foreground = 99;

    supervision[Symbol.dispose]();

    expect(signals.log).toEqual([`terminal to ${OWN}`, 'unwatch']);
  });

  test('leaves a terminal alone that it did not have', () => {
    const signals = new FakeSignals();
    signals.foreground = SHELL;
    const { supervision } = watchChild(signals);

    supervision[Symbol.dispose]();

    expect(signals.log).toEqual(['unwatch']);
  });
});
