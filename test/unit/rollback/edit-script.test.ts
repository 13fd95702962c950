import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../../src/bytes.ts';
import { countEdits, diffLines, groupHunks, hunkHeader, splitLines, walkHunks } from '../../../src/rollback/edit-script.ts';

const line = fc.constantFrom('a', 'b', 'c', '', 'x', 'y').map((text) => `${text}\n`);
const lines = fc.array(line, { maxLength: 30 }) as fc.Arbitrary<Bytes[]>;

/** What the edits make of `before`, taking added lines out of `after`. */
function replay(before: readonly Bytes[], after: readonly Bytes[], edits: ReturnType<typeof diffLines>): Bytes[] {
  const made: Bytes[] = [];
  let [from, to] = [0, 0];
  for (const { equal, removed, added } of edits) {
    made.push(...before.slice(from, from + equal), ...after.slice(to + equal, to + equal + added));
    from += equal + removed;
    to += equal + added;
  }
  return [...made, ...before.slice(from)];
}

describe('splitLines()', () => {
  test('gives the same lines however the text is cut', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', '\n', '\r', '\u00ff'), maxLength: 40 }), fc.nat(7), (text, size) => {
        const data = Buffer.from(text, 'latin1');
        const pieces = Array.from({ length: Math.ceil(data.length / (size + 1)) }, (_, at) =>
          data.subarray(at * (size + 1), (at + 1) * (size + 1)),
        );
        const read = [...splitLines(pieces)];
        expect(read.join('')).toBe(text);
        expect(read.slice(0, -1).every((part) => part.endsWith('\n') && part.indexOf('\n') === part.length - 1)).toBe(true);
      }),
    );
  });
});

describe('diffLines()', () => {
  test('makes the one text of the other', () => {
    fc.assert(
      fc.property(lines, lines, (before, after) => {
        expect(replay(before, after, diffLines(before, after))).toEqual(after);
      }),
    );
  });

  test('finds a small change in texts that are larger than what is compared at once', () => {
    const large = Array.from({ length: 120_000 }, (_, at) => `this is line ${at} of many\n`) as Bytes[];
    const changed = large.with(60_000, 'another\n' as Bytes).toSpliced(100, 1);
    expect(countEdits(diffLines(large, changed))).toEqual({ added: 1, removed: 2 });
    expect(replay(large, changed, diffLines(large, changed))).toEqual(changed);
  });

  test('ends on texts that have nothing in common, and is still right', () => {
    const one = Array.from({ length: 30_000 }, (_, at) => `old ${at}\n`) as Bytes[];
    const other = Array.from({ length: 25_000 }, (_, at) => `new ${at}\n`) as Bytes[];
    expect(countEdits(diffLines(one, other))).toEqual({ added: 25_000, removed: 30_000 });
  });
});

describe('groupHunks()', () => {
  const text = Array.from({ length: 30 }, (_, at) => `${at + 1}\n`) as Bytes[];

  test('joins changes whose context touches and numbers lines from 1', () => {
    const after = text
      .with(4, 'five\n' as Bytes)
      .with(10, 'eleven\n' as Bytes)
      .with(28, 'nine\n' as Bytes);
    const hunks = groupHunks(diffLines(text, after), 3);
    expect(hunks.map(hunkHeader)).toEqual(['@@ -2,13 +2,13 @@', '@@ -26,5 +26,5 @@']);
  });

  test('gives all of the text with infinite context', () => {
    const after = text.with(4, 'five\n' as Bytes);
    const hunks = groupHunks(diffLines(text, after), Number.POSITIVE_INFINITY);
    expect(hunks.map(hunkHeader)).toEqual(['@@ -1,30 +1,30 @@']);
    expect([...walkHunks(hunks, text, after)]).toHaveLength(32);
  });

  test('counts exactly the lines that it shows', () => {
    fc.assert(
      fc.property(lines, lines, fc.nat(4), (before, after, context) => {
        const hunks = groupHunks(diffLines(before, after), context);
        const events = [...walkHunks(hunks, before, after)];
        const shown = (marks: string) => events.filter((event) => 'mark' in event && marks.includes(event.mark)).length;
        const total = (pick: (hunk: (typeof hunks)[number]) => number) => hunks.reduce((sum, hunk) => sum + pick(hunk), 0);
        expect(shown(' -')).toBe(total(({ oldLines }) => oldLines));
        expect(shown(' +')).toBe(total(({ newLines }) => newLines));
        for (const event of events) {
          if (!('mark' in event)) continue;
          const source = event.mark === '-' ? before[event.oldNumber - 1] : after[event.newNumber - 1];
          expect(event.text).toBe(source);
        }
      }),
    );
  });
});
