import type { Clock } from '../ports/clock.ts';

export function createSystemClock(): Clock {
  return {
    nowMs: () => Date.now(),
    monotonicMs: () => performance.now(),
    utcOffsetMinutes: (epochMs) => -new Date(epochMs).getTimezoneOffset(),
  };
}
