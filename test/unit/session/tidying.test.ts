import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Tidying } from '../../../src/session/tidying.ts';
import { createModel } from '../../support/screens.ts';

const LONG_MS = 60_000;
const MEGABYTE = 1024 * 1024;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function createTidying() {
  const model = createModel({ columns: 80, rows: 24 }, 10_000);
  const done = { collections: 0, drops: 0 };
  const memory = { bytes: 60 * MEGABYTE, inUseBytes: 60 * MEGABYTE };
  const tidying = new Tidying({
    model: () => model,
    memory: {
      residentBytes: () => memory.bytes,
      collectGarbage() {
        done.collections += 1;
        memory.bytes = memory.inUseBytes;
      },
    },
    dropSpareBlocks: () => (done.drops += 1),
  });
  tidying.begin();
  const write = (lines: number) => {
    const text = 'a line\r\n'.repeat(lines);
    model.write(Buffer.from(text));
    tidying.parsed(text.length);
  };
  return { model, tidying, write, done, memory };
}

describe('Tidying', () => {
  test('packs what has left the screen and collects garbage, once, when nothing comes any more', () => {
    const { model, write, done } = createTidying();
    write(9000);
    expect(model.unpackedLines).toBe(8977);
    vi.advanceTimersByTime(LONG_MS);

    expect({ ...done, unpacked: model.unpackedLines, timers: vi.getTimerCount() }).toEqual({
      collections: 1,
      drops: 1,
      unpacked: 0,
      timers: 0,
    });
  });

  test('leaves alone what is not worth it', () => {
    const { model, write, done } = createTidying();
    write(100);
    vi.advanceTimersByTime(LONG_MS);

    expect([model.unpackedLines, done.collections, vi.getTimerCount()]).toEqual([77, 0, 0]);
  });

  test('waits while something comes all the time', () => {
    const { model, write, done } = createTidying();
    for (let at = 0; at < 100; at++) {
      write(50);
      vi.advanceTimersByTime(100);
    }

    expect([model.unpackedLines, done.drops]).toEqual([4977, 0]);
  });

  test('stops packing when something comes, and goes on with it later', () => {
    const { model, write } = createTidying();
    write(9000);
    while (model.unpackedLines === 8977) vi.advanceTimersToNextTimer();
    write(1);
    vi.advanceTimersByTime(1);
    const left = model.unpackedLines;
    expect(left).toBeGreaterThan(8000);
    vi.advanceTimersByTime(LONG_MS);

    expect(model.unpackedLines).toBe(0);
  });

  test('collects garbage in the midst of a flood before there is much of it, and leaves it alone where there is none', () => {
    const { tidying, done, memory } = createTidying();
    let mostBytes = 0;
    const flood = (garbageBytes: number) => {
      for (let at = 0; at < 100; at++) {
        memory.bytes += garbageBytes;
        mostBytes = Math.max(mostBytes, memory.bytes);
        tidying.parsed(MEGABYTE);
      }
    };
    flood(0);
    expect(done.collections).toBe(0);
    flood(10 * MEGABYTE);
    expect(done.collections).toBeGreaterThan(10);
    expect(mostBytes).toBeLessThanOrEqual(150 * MEGABYTE);
  });

  test('collects no oftener where much is in use', () => {
    const { tidying, done, memory } = createTidying();
    tidying.parsed(MEGABYTE);
    memory.inUseBytes = 500 * MEGABYTE;
    memory.bytes = memory.inUseBytes;
    for (let at = 0; at < 100; at++) {
      memory.bytes += MEGABYTE;
      tidying.parsed(MEGABYTE);
    }

    expect(done.collections).toBe(7);
  });
});
