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
  const digits = new RegExp(`^${field}:\\s*([0-9a-f]+)`, 'm').exec(status)?.[1] ?? '0';
  const set = BigInt(`0x${digits}`);
  const signals: number[] = [];
  for (let signal = 1; signal <= 64; signal++) if ((set >> BigInt(signal - 1)) & 1n) signals.push(signal);
  return signals;
}
