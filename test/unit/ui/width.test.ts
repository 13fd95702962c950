import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { displayWidth, fitEnd, fitStart, padTo, takeColumns } from '../../../src/ui/width.ts';

describe('displayWidth()', () => {
  test.for([
    ['', 0],
    ['plain', 5],
    ['表計算', 6],
    ['café', 4],
    ['cafe\u0301', 4],
    ['한국어', 6],
    ['ｆｕｌｌ', 8],
    ['👍🏽', 2],
    ['👩‍💻', 2],
    ['🇩🇪', 2],
    ['❤️', 2],
    ['ا', 1],
  ] as const)('%j takes %i columns', ([text, width]) => {
    expect(displayWidth(text)).toBe(width);
  });
});

describe('fitting text into columns', () => {
  test.for([
    { text: 'src/main.ts', width: 20, end: 'src/main.ts', start: 'src/main.ts' },
    { text: 'src/main.ts', width: 6, end: 'src/m…', start: '…in.ts' },
    { text: '表計算.txt', width: 6, end: '表計…', start: '….txt' },
    { text: '表計算', width: 4, end: '表…', start: '…算' },
    { text: 'abc', width: 0, end: '', start: '' },
  ])('$text in $width is $end or $start', ({ text, width, end, start }) => {
    expect([fitEnd(text, width), fitStart(text, width)]).toEqual([end, start]);
  });

  test('never takes more columns than there are, and fills them when asked to', () => {
    const text = fc
      .array(fc.constantFrom('a', '表', '👩‍💻', 'e\u0301', ' ', '\\x1b'), { maxLength: 12 })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, fc.nat(20), (shown, width) => {
        for (const fitted of [fitEnd(shown, width), fitStart(shown, width), takeColumns(shown, width)]) {
          expect(displayWidth(fitted)).toBeLessThanOrEqual(width);
          expect(displayWidth(padTo(fitted, width))).toBe(width);
        }
      }),
    );
  });
});
