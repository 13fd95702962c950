import { expect, test } from 'vitest';
import { ParsePace } from '../../../src/session/parse-pace.ts';

const MEBIBYTE = 1024 * 1024;
const PIECE_BYTES = 8 * 1024;

/** Something that takes so long for each piece. */
function setUp(msPerPiece: number) {
  const state = { nowMs: 0, unparsed: 0, readAhead: [] as number[] };
  const pace = new ParsePace({
    nowMs: () => state.nowMs,
    unparsed: () => state.unparsed,
    readAhead: (bytes) => state.readAhead.push(bytes),
  });
  const parse = (): void =>
    pace.measure(() => {
      state.unparsed = Math.max(0, state.unparsed - PIECE_BYTES);
      state.nowMs += msPerPiece;
    });
  const come = (bytes: number): number => {
    state.unparsed += bytes;
    const beforeMs = state.nowMs;
    pace.keepUp(bytes, parse);
    return state.nowMs - beforeMs;
  };
  return { state, pace, parse, come };
}

test('ParsePace lets 16 MiB wait, and 4 come at a time, of what programs write', () => {
  const { state, pace, come } = setUp(1);
  for (let count = 0; count < 20; count++) come(4 * MEBIBYTE);

  expect(state.readAhead).toEqual([]);
  expect(state.unparsed).toBe(16 * MEBIBYTE);
  expect(pace.mayWait()).toBe(16 * MEBIBYTE);
});

test('ParsePace holds nobody up for what takes a hundred times as long, and lets no more wait than seconds of it', () => {
  const { state, pace, parse, come } = setUp(100);
  // That it takes so long nobody knows before.
  expect(come(20 * MEBIBYTE)).toBeLessThan(1000);
  const taken = state.readAhead.at(-1) ?? 0;
  expect(taken).toBe(PIECE_BYTES);
  const turns = 5000;
  for (let count = 0; count < turns; count++) {
    expect(come(taken)).toBeLessThan(1000);
    parse();
  }

  expect(state.unparsed).toBeLessThan(MEBIBYTE);
  expect(pace.mayWait()).toBeLessThan(MEBIBYTE);
});

test('ParsePace lets as much come as before when it is parsed as fast again, and learns nothing from an echo', () => {
  const { state, pace, come } = setUp(100);
  come(20 * MEBIBYTE);
  const slow = state.readAhead.at(-1);
  for (let count = 0; count < 100; count++)
    pace.measure(() => {
      state.unparsed -= 1;
      state.nowMs += 1;
    });
  expect(state.readAhead.at(-1)).toBe(slow);
  state.unparsed = MEBIBYTE;
  for (let count = 0; count < 100; count++)
    pace.measure(() => {
      state.unparsed -= PIECE_BYTES;
      state.nowMs += 1;
    });

  expect(state.readAhead.at(-1)).toBe(4 * MEBIBYTE);
});
