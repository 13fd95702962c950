import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LogRenderer } from '../../../src/terminal/log-renderer.ts';
import { ansiText, plainText } from '../../../src/terminal/styled-lines.ts';

const SIZE = { columns: 20, rows: 4 };

function render(text: string, show = plainText): readonly string[] {
  const renderer = new LogRenderer(SIZE);
  return [...renderer.push(Buffer.from(text)), ...renderer.finish()].map(show);
}

describe('LogRenderer', () => {
  test('leaves out what was drawn over', () => {
    expect(render('one\r\n 10 %\r 50 %\r100 %\r\nbar\x1b[1K\x1b[Gfoo\r\n')).toEqual(['one', '100 %', 'foo']);
  });

  test('makes one line of what the terminal wrapped, in the history and on the screen', () => {
    const long = 'a word and another  and one more that does not fit';

    expect(render(`${long}\r\n1\r\n2\r\n3\r\n4\r\n${long}\r\n`)).toEqual([long, '1', '2', '3', '4', long]);
  });

  test('leaves out what a full-screen program drew', () => {
    expect(render('before\r\n\x1b[?1049h\x1b[2Jdrawn\x1b[?1049lafter\r\n')).toEqual(['before', 'after']);
  });

  test('keeps colours and links where they are wanted, and ends them with the line', () => {
    const text = '\x1b[1;31mred\r\nstill\x1b[m plain \x1b]8;;http://a/\x07link\x1b]8;;\x07\r\n';

    expect(render(text, ansiText)).toEqual([
      '\x1b[1;31mred\x1b[m',
      '\x1b[1;31mstill\x1b[m plain \x1b]8;;http://a/\x1b\\link\x1b]8;;\x1b\\',
    ]);
    expect(render(text)).toEqual(['red', 'still plain link']);
  });

  test('gives a finished line at once to a reader who follows, and each line once', () => {
    const renderer = new LogRenderer(SIZE);
    const given = ['one\r\ntw', 'o\r\n', 'three\r\n'.repeat(9), 'end'].map((piece) =>
      [...renderer.pushNow(Buffer.from(piece))].map(plainText),
    );

    expect([...given, [...renderer.finish()].map(plainText)]).toEqual([['one'], ['two'], Array(9).fill('three'), [], ['end']]);
  });

  test('gives the same lines however the log was cut', () => {
    const line = fc.constantFrom('a', 'bb bb', 'x'.repeat(20), 'y'.repeat(47), '', '日本語'.repeat(5));
    fc.assert(
      fc.property(fc.array(line, { maxLength: 30 }), fc.array(fc.nat(), { maxLength: 5 }), (lines, cuts) => {
        const bytes = Buffer.from(lines.map((text) => `${text}\r\n`).join(''));
        const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
        const renderer = new LogRenderer(SIZE);
        const shown = ends.flatMap((end, at) => [...renderer.pushNow(bytes.subarray(ends[at - 1] ?? 0, end))]);
        while (lines.at(-1) === '') lines.pop();

        expect([...shown, ...renderer.finish()].map(plainText).slice(0, lines.length)).toEqual(lines);
      }),
    );
  });
});
