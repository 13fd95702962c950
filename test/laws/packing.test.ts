import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LinePacker, PackedLine } from '../../src/terminal/packed-line.ts';
import type { XtermLine } from '../../src/terminal/xterm.ts';
import { runs } from '../support/effort.ts';
import { createModel, describeScreen, redrawn } from '../support/screens.ts';
import { stream } from '../support/terminal-streams.ts';

const RUNS = { numRuns: runs(import.meta.filename, 300) };
const size = fc.record({ columns: fc.integer({ min: 2, max: 24 }), rows: fc.integer({ min: 1, max: 8 }) });
/** Small enough that lines are used again at the bottom. */
const SCROLLBACK_LINES = 12;

const byte = fc.nat(0xff).map((code) => 0x400000 | code);
const content = fc.oneof({ weight: 3, arbitrary: byte }, fc.constantFrom(0x400000, 0, 0x8065e5), fc.nat(0xffffff));
const look = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(0, 0x4000001, 0xffffffff) }, fc.nat(0xffffffff));
const cell = fc.tuple(content, look, look);
const cells = fc
  .array(fc.oneof(fc.tuple(cell, fc.constant(1)), fc.tuple(cell, fc.integer({ min: 1, max: 300 }))), { maxLength: 12 })
  .map((runsOfCells) =>
    Uint32Array.from(runsOfCells.flatMap(([words, count]) => Array.from({ length: count }, () => words).flat())),
  );

describe('a line that is packed', () => {
  test('has the same words when it is unpacked, whatever they are', () => {
    fc.assert(
      fc.property(cells, (words) => {
        const unpacked = new Uint32Array(words.length).fill(0xffffffff);
        new PackedLine(lineOf(words), new LinePacker()).unpackTo(unpacked);

        expect(unpacked).toEqual(words);
      }),
      RUNS,
    );
  });

  test('is one of more columns than a run can count', () => {
    const words = Uint32Array.from({ length: 3 * 150_000 }, (_, at) => (at % 3 === 0 ? 0x400041 : 7));
    const different = words.slice();
    for (let at = 0; at < different.length; at += 3) different[at] = 0x400000 | (at & 0xff);
    for (const wide of [words, different]) {
      const unpacked = new Uint32Array(wide.length);
      new PackedLine(lineOf(wide), new LinePacker()).unpackTo(unpacked);

      expect(Buffer.compare(Buffer.from(unpacked.buffer), Buffer.from(wide.buffer))).toBe(0);
    }
  });
});

describe('a history that is packed now and then', () => {
  const step = fc.oneof(
    // Followed by lines, so that it leaves the screen.
    {
      weight: 4,
      arbitrary: fc.tuple(stream, fc.nat(12)).map(([bytes, lines]) => Buffer.from(`${bytes.toString()}${'\r\n'.repeat(lines)}`)),
    },
    { weight: 3, arbitrary: fc.integer({ min: 1, max: 20 }) },
    { weight: 1, arbitrary: size },
  );

  test('is drawn, and goes on, as one that is not', () => {
    let packed = 0;
    fc.assert(
      fc.property(size, fc.array(step, { maxLength: 12 }), (wanted, steps) => {
        const [model, plain] = [createModel(wanted, SCROLLBACK_LINES), createModel(wanted, SCROLLBACK_LINES)];
        for (const now of steps) {
          if (now instanceof Uint8Array) for (const one of [model, plain]) one.write(now);
          else if (typeof now === 'object') for (const one of [model, plain]) one.resize(now);
          else {
            packed += Math.max(0, Math.min(now, model.unpackedLines));
            model.packLines(now);
            expect(describeScreen(redrawn(model))).toEqual(describeScreen(redrawn(plain)));
          }
        }
        // Looked at by what xterm.js is asked for.
        expect(describeScreen(model)).toEqual(describeScreen(plain));
        expect(model.answers).toEqual(plain.answers);
      }),
      RUNS,
    );
    expect(packed).toBeGreaterThan(RUNS.numRuns);
  });

  test('keeps what is beside the cells: links, underlines, joined characters, and marks of a shell', () => {
    const text = '\x1b]133;A\x07$ \x1b]8;;http://a/\x1b\\link\x1b]8;;\x07 \x1b[4:3;58;5;9mwavy\x1b[m 👩‍👩‍👧‍👦 e\u0301\r\n'.repeat(
      9,
    );
    const [model, plain] = [createModel(), createModel()];
    for (const one of [model, plain]) one.write(Buffer.from(text));
    model.packLines(100);

    expect(describeScreen(redrawn(model))).toEqual(describeScreen(redrawn(plain)));
    // Written over when it is on the screen again.
    for (const one of [model, plain]) one.resize({ columns: 20, rows: 9 });
    for (const one of [model, plain]) one.write(Buffer.from('\x1b[H👍\x1b[4:2mx'));
    expect(describeScreen(model)).toEqual(describeScreen(plain));
  });

  test('takes a small part of the room', () => {
    const model = createModel({ columns: 80, rows: 24 }, 1000);
    model.write(Buffer.from(`${'x'.repeat(79)}\r\n`.repeat(1000)));
    const { unpackedLines } = model;
    model.packLines(unpackedLines);

    expect([unpackedLines, model.unpackedLines]).toEqual([977, 0]);
    model.write(Buffer.from('\r\n'.repeat(3)));
    expect(model.unpackedLines).toBe(3);
    model.resize({ columns: 70, rows: 24 });
    expect(model.unpackedLines).toBeGreaterThan(977);
  });
});

function lineOf(words: Uint32Array): XtermLine {
  return {
    isWrapped: false,
    length: words.length / 3,
    _data: words,
    _combined: {},
    _extendedAttrs: {},
    translateToString: () => '',
    resize: () => undefined,
    getWidth: () => 1,
  };
}
