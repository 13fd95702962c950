import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { memoryBeside, type Range } from '../../../../src/platform/linux/mediator/memory-beside.ts';

const TOP = 2 ** 24;
const ranges = fc.array(
  fc
    .tuple(fc.integer({ min: 1, max: TOP / 4096 }), fc.integer({ min: 1, max: 64 }))
    .map(([page, bytes]): Range => [page * 4096, page * 4096 + bytes * 1024]),
  { minLength: 1, maxLength: 8 },
);

describe.each([4096, 16_384, 65_536])('memory in pages of %d bytes', (pageBytes) => {
  test('is given up beside what is kept, all of it and nothing else', () => {
    fc.assert(
      fc.property(ranges, (kept) => {
        const gaps = memoryBeside(kept, pageBytes);
        const last = gaps.at(-1) ?? 0;
        const pairs = [...gaps, Math.max(last, 2 * TOP)];
        for (let page = pageBytes; page < 2 * TOP; page += pageBytes) {
          const isKept = kept.some(([start, end]) => start < page + pageBytes && end > page);
          const isGivenUp = pairs.some((from, at) => at % 2 === 0 && page >= from && page + pageBytes <= (pairs[at + 1] ?? 0));
          if (isKept === isGivenUp) return false;
        }
        return gaps.every((address) => address % pageBytes === 0);
      }),
      { numRuns: 50 },
    );
    expect(memoryBeside([], pageBytes)).toEqual([pageBytes]);
  });

  test('is given up from the first page to the first that is kept', () => {
    expect(memoryBeside([[10 * 65_536, 10 * 65_536 + 1]], pageBytes)).toEqual([pageBytes, 10 * 65_536, 10 * 65_536 + pageBytes]);
  });
});
