import type { SignalState } from '../../sandbox/launch.ts';
import { parseSignals } from '../../signal-state.ts';
import { readSmallFile } from './small-files.ts';

/** Signal settings inherited from the caller. Call before this process changes its own. */
export function readCallerSignals(): SignalState {
  return parseSignals(readSmallFile('/proc/self/status'));
}
