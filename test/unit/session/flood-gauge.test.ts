import { expect, test } from 'vitest';
import { FloodGauge } from '../../../src/session/flood-gauge.ts';

const KILOBYTE = 1024;

/** Bytes that come, each a time after those before. @returns whether that is a flood, after each. */
function follow(came: readonly (readonly [afterMs: number, bytes: number])[]): readonly boolean[] {
  let ms = 0;
  const gauge = new FloodGauge(() => ms);
  return came.map(([afterMs, bytes]) => {
    ms += afterMs;
    if (bytes > 0) gauge.came(bytes);
    return gauge.isFlood();
  });
}

test('a flood is what comes faster than a terminal is read, for as long as it pauses no longer than a scheduler makes it', () => {
  const much = Array.from({ length: 10 }, () => [1, 100 * KILOBYTE] as const);

  expect(follow([...much.slice(0, 2), [50, 0], [20, 0], [1, KILOBYTE]])).toEqual([false, true, true, false, false]);
  expect(follow([...much, [50, KILOBYTE], [50, 0]]).slice(-2)).toEqual([true, false]);
});

test('what comes slowly is none, however much it becomes', () => {
  expect(follow(Array.from({ length: 1000 }, () => [11, 100 * KILOBYTE] as const))).not.toContain(true);
});
