import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ProgressLine } from '../../../src/ui/progress.ts';

describe('ProgressLine', () => {
  let nowMs = 0;
  const shown: (string | undefined)[] = [];
  const clock = { monotonicMs: () => nowMs };
  const make = (text?: string) => new ProgressLine((line) => void shown.push(line), clock, text);

  beforeEach(() => {
    vi.useFakeTimers();
    nowMs = 0;
    shown.length = 0;
  });
  afterEach(() => void vi.useRealTimers());

  function pass(ms: number): void {
    nowMs += ms;
    vi.advanceTimersByTime(ms);
  }

  test('says nothing about what takes less than a second', () => {
    const line = make();
    line.update('one');
    pass(999);
    line[Symbol.dispose]();
    expect(shown).toEqual([]);
  });

  test('shows by itself what was said last, and takes it away at the end', () => {
    const line = make('first');
    line.update('second');
    pass(1000);
    expect(shown).toEqual(['second']);
    line[Symbol.dispose]();
    expect(shown).toEqual(['second', undefined]);
  });

  test('is drawn ten times a second at most', () => {
    const line = make();
    for (let at = 0; at < 2000; at += 10) {
      nowMs += 10;
      line.update(`${at}`);
    }
    line[Symbol.dispose]();
    expect(shown.length).toBeGreaterThan(5);
    expect(shown.length).toBeLessThanOrEqual(12);
  });
});
