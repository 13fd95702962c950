import type { SignalState } from './sandbox/launch.ts';

/**
 * Signals that Bun 1.4 sets to "ignored" before any of our code runs (SIGPIPE and SIGXFSZ, seen in SigIgn of
 * /proc/self/status). What the caller had there is lost, so the command gets the default, as nearly every
 * caller has it.
 */
export const RUNTIME_IGNORED: readonly number[] = [13, 25];

/** @param status The text of /proc/PID/status. */
export function parseSignals(status: string): SignalState {
  return {
    ignored: signalsOf(status, 'SigIgn').filter((signal) => !RUNTIME_IGNORED.includes(signal)),
    blocked: signalsOf(status, 'SigBlk'),
  };
}

/** The numbers in one signal set of /proc/PID/status (proc(5)): bit N - 1 stands for signal N. */
function signalsOf(status: string, field: string): number[] {
  const begin = `\n${field}:\t`;
  const at = `\n${status}`.indexOf(begin);
  if (at < 0) return [];
  const digits = status.slice(at + begin.length - 1).split('\n', 1)[0] ?? '';
  const signals: number[] = [];
  // Each digit stands for four signals, the last one for the first four.
  for (let place = 0; place < digits.length; place++) {
    const digit = Number.parseInt(digits.charAt(digits.length - 1 - place), 16);
    for (let bit = 0; bit < 4; bit++) if ((digit >> bit) & 1) signals.push(4 * place + bit + 1);
  }
  return signals;
}
