import { describe, expect, test } from 'vitest';
import type { Clock } from '../../src/ports/clock.ts';

/** What every Clock of the real time owes its callers. */
export function describeClockContract(name: string, clock: Clock): void {
  describe(`${name} Clock`, () => {
    test('nowMs() is the time of day', () => {
      const before = Date.now();
      const now = clock.nowMs();
      expect(now).toBeGreaterThanOrEqual(before);
      expect(now).toBeLessThanOrEqual(Date.now());
    });

    test('monotonicMs() never goes back', () => {
      let last = clock.monotonicMs();
      for (let count = 0; count < 1000; count++) {
        const now = clock.monotonicMs();
        expect(now).toBeGreaterThanOrEqual(last);
        last = now;
      }
    });

    test('utcOffsetMinutes() is positive in the east, and that of the moment asked for', () => {
      const [winter, summer] = [Date.UTC(2026, 0, 15), Date.UTC(2026, 6, 15)];
      for (const moment of [winter, summer]) {
        const offset = clock.utcOffsetMinutes(moment);
        const local = new Date(moment);
        const asUtc = Date.UTC(local.getFullYear(), local.getMonth(), local.getDate(), local.getHours(), local.getMinutes());
        expect(asUtc - moment - offset * 60_000).toBe(0);
      }
    });
  });
}
