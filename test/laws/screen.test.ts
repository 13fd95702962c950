import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runs } from '../support/effort.ts';
import { createModel, describeScreen, painted, redrawn } from '../support/screens.ts';
import { cut, noise, stream } from '../support/terminal-streams.ts';

const RUNS = { numRuns: runs(import.meta.filename, 400) };
const size = fc.record({ columns: fc.integer({ min: 2, max: 24 }), rows: fc.integer({ min: 1, max: 8 }) });

describe('L11: drawing the model and parsing what was drawn gives the model again', () => {
  test('whatever a program wrote, cells, attributes, cursor, modes and scrollback', () => {
    fc.assert(
      fc.property(stream, size, (bytes, wanted) => {
        const model = createModel(wanted);
        model.write(bytes);

        expect(describeScreen(redrawn(model))).toEqual(describeScreen(model));
      }),
      RUNS,
    );
  });

  test('whatever sizes the terminal had meanwhile', () => {
    fc.assert(
      fc.property(size, fc.array(fc.tuple(stream, size), { minLength: 1, maxLength: 4 }), (wanted, steps) => {
        const model = createModel(wanted);
        for (const [bytes, next] of steps) {
          model.write(bytes);
          model.resize(next);
        }

        expect(describeScreen(redrawn(model))).toEqual(describeScreen(model));
      }),
      RUNS,
    );
  });

  const wide = { columns: 20, rows: 8 };
  test.for([
    { name: 'a narrower alternate screen ends at its edge', text: `\x1b[?1049h${'x'.repeat(20)}`, size: { columns: 5, rows: 8 } },
    {
      name: 'a scroll region ends with the size, whichever screen it was',
      text: '\x1b[2;7r\x1b[?1049l',
      size: { columns: 20, rows: 3 },
    },
    {
      name: 'a cursor is restored on the last row of a lower screen',
      text: '\x1b[8;3H\x1b7\x1b[H',
      size: { columns: 20, rows: 3 },
    },
    { name: 'a mark of a shell is within its line', text: `${'x'.repeat(15)}\x1b]133;B\x07`, size: { columns: 5, rows: 8 } },
    { name: 'a joiner wraps alone', text: '\x1b[?7lab\x1b[2G\u200d\u{1f469}\r\ncd\r\n\r\n', size: { columns: 2, rows: 8 } },
  ])('$name', ({ text, size: narrow }) => {
    const model = createModel(wide);
    model.write(Buffer.from(text));
    model.resize(narrow);
    // Whatever was to be done at a change of screens is over.
    model.write(Buffer.from('\x1b[?1049h\x1b[?1049l\x1b[?47h'));

    expect(describeScreen(redrawn(model))).toEqual(describeScreen(model));
    expect(model.buffers.active.scrollBottom).toBe(narrow.rows - 1);
  });

  test.for(['\x1b[0@ \0\u0610', 'a\0\u0301b', ' \0\u{1f3fd}'])('a mark that stands alone: %j', (text) => {
    const model = createModel();
    model.write(Buffer.from(text));
    model.write(Buffer.from('\x1b[0@'));
    expect(describeScreen(redrawn(model))).toEqual(describeScreen(model));
  });

  test('at any byte, in the middle of a sequence or a character: what follows means the same to both', () => {
    fc.assert(
      fc.property(fc.oneof(stream, noise), fc.nat(), (bytes, place) => {
        const [before = new Uint8Array(), after = new Uint8Array()] = cut(bytes, [place]);
        const model = createModel();
        model.write(before);
        const terminal = redrawn(model);
        expect(describeScreen(terminal)).toEqual(describeScreen(model));

        const unfinished = model.unfinished.length > 0;
        model.write(after);
        terminal.write(after);
        // What was drawn cannot tell which character an accent that follows belongs to, or what is to be repeated.
        if (unfinished) expect(describeScreen(terminal)['modes']).toEqual(describeScreen(model)['modes']);
      }),
      RUNS,
    );
  });

  test('and does nothing once more: no clipboard, notification, bell or question is in a drawing, but for one that is begun', () => {
    const done = fc.constantFrom(
      '\x1b]52;c;aGk=\x07',
      '\x1b]9;done\x07',
      '\x1b]777;notify;a;b\x1b\\',
      '\x1b]99;i=1;done\x1b\\',
      '\x07',
      '\x1b[c',
      '\x1b[6n',
      '\x1b]11;?\x07',
      '\x1bP+q544e\x1b\\',
      '\x1b[?u',
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(stream, done), { minLength: 1, maxLength: 6 }), done, fc.nat(), (written, last, place) => {
        const model = createModel();
        for (const [bytes, once] of written) model.write(Buffer.concat([bytes, Buffer.from(once)]));
        model.write(Buffer.from(last).subarray(0, place % last.length));
        const pieces = painted(model, { historyFrom: 0, isFirst: true });
        // What is begun is done when its end comes, for the first time.
        expect(pieces.at(-1)).toBe(model.unfinished);
        const drawing = Buffer.concat(pieces.slice(0, -1));

        const terminal = createModel();
        terminal.write(drawing);
        expect(terminal.answers).toEqual([]);
        expect(drawing.toString('latin1')).not.toMatch(/\x07|\x1b\](?:52|9|99|777);/);
      }),
      RUNS,
    );
  });

  test('however what was written came in pieces', () => {
    fc.assert(
      fc.property(fc.oneof(stream, noise), fc.array(fc.nat(), { maxLength: 20 }), (bytes, places) => {
        const whole = createModel();
        whole.write(bytes);
        const split = createModel();
        for (const piece of cut(bytes, places)) split.write(piece);

        expect(describeScreen(split)).toEqual(describeScreen(whole));
      }),
      RUNS,
    );
  });
});
