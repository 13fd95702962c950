import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Shortcut } from '../../../src/ports/shortcut.ts';
import { Fences } from '../../../src/session/fences.ts';

const LONG_MS = 1000;

function setUp() {
  const state = { isDue: true, isTaken: true, sent: [] as number[], tried: 0, answers: [] as boolean[], given: [] as number[] };
  const shortcut: Shortcut = {
    open: () => undefined,
    close: () => undefined,
    isFenceDue: () => state.isDue,
    sendFence([number = 0]) {
      state.tried += 1;
      if (state.isTaken) state.sent.push(number);
      state.isDue &&= !state.isTaken;
      return state.isTaken;
    },
    fenceAnswered: (isLast) => void state.answers.push(isLast),
    answerFence([, number = 0]) {
      if (state.isTaken) state.given.push(number);
      return state.isTaken;
    },
    [Symbol.dispose]: () => undefined,
  };
  const fences = new Fences({ ask: (number) => Uint8Array.of(number), answer: (number) => Uint8Array.of(0, number) });
  return { state, shortcut, fences };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('Fences', () => {
  test('ask once for all that was sent in a while, and again when something else was', () => {
    const { state, shortcut, fences } = setUp();
    for (let times = 0; times < 5; times++) fences.isIdle(shortcut);
    expect(state.sent).toEqual([]);
    vi.advanceTimersByTime(LONG_MS);
    fences.isIdle(shortcut);
    vi.advanceTimersByTime(LONG_MS);
    expect(state.sent).toEqual([1]);

    state.isDue = true;
    fences.isIdle(shortcut);
    vi.advanceTimersByTime(LONG_MS);
    expect(state.sent).toEqual([1, 2]);
  });

  test('try again what could not be sent for as long as it is due', () => {
    const { state, shortcut, fences } = setUp();
    state.isTaken = false;
    fences.isIdle(shortcut);
    vi.advanceTimersByTime(LONG_MS);
    expect(state.tried).toBeGreaterThan(2);

    state.isDue = false;
    vi.advanceTimersByTime(LONG_MS);
    const { tried } = state;
    vi.advanceTimersByTime(LONG_MS);
    expect([state.tried, vi.getTimerCount()]).toEqual([tried, 0]);
  });

  test('take only the answer to the last one for one', () => {
    const { state, shortcut, fences } = setUp();
    for (let times = 0; times < 2; times++) {
      state.isDue = true;
      fences.isIdle(shortcut);
      vi.advanceTimersByTime(LONG_MS);
    }
    for (const number of [1, 2, 3]) fences.answered(shortcut, number);

    expect(state.answers).toEqual([false, true, false]);
  });

  test('answer the last one that came, once, as soon as there is a way for it and nothing is left to do', () => {
    const { state, shortcut, fences } = setUp();
    fences.answer(shortcut, () => true);
    for (const number of [1, 2]) fences.asked(number);
    fences.answer(undefined, () => true);
    fences.answer(shortcut, () => false);
    state.isTaken = false;
    fences.answer(shortcut, () => true);
    expect(state.given).toEqual([]);

    state.isTaken = true;
    for (let times = 0; times < 2; times++) fences.answer(shortcut, () => true);
    expect(state.given).toEqual([2]);
  });

  test('ask nothing without a way beside the loop, or when they are stopped', () => {
    const { state, shortcut, fences } = setUp();
    fences.isIdle(undefined);
    fences.answered(undefined, 1);
    fences.isIdle(shortcut);
    fences.stop();
    vi.advanceTimersByTime(LONG_MS);

    expect(state.sent).toEqual([]);
  });
});
