import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TerminalModel } from '../../src/terminal/model.ts';
import { restoreSequence } from '../../src/terminal/restore.ts';
import { RowWatch } from '../../src/terminal/row-watch.ts';
import { paintSince, standingOf } from '../../src/terminal/standing.ts';
import { createModel, describeScreen, lastBlankOrSpace } from '../support/screens.ts';

const RUNS = { numRuns: Number(process.env['NONO_RUNS'] ?? 100) };
const size = fc.record({ columns: fc.integer({ min: 3, max: 24 }), rows: fc.integer({ min: 2, max: 8 }) });

/** What is written line by line, by programs that need not know where on the terminal they are. */
const TEXTS = [
  'hello',
  ' ',
  'a longer line that has to wrap somewhere',
  '日本',
  'e\u0301',
  '👩‍👩‍👧‍👦',
  '\t',
  '\r',
  '\b',
  '\r\n',
  '\r\n',
  '\r\n',
];
const PENS = [
  '\x1b[1;31m',
  '\x1b[7m',
  '\x1b[m',
  '\x1b[K',
  '\x1b[?25l',
  '\x1b[?2004h',
  '\x1b[5 q',
  '\x1b]2;title\x07',
  '\x1b(0',
  '\x1b(B',
];
const line = fc.constantFrom(...TEXTS, ...PENS);
const lines = fc.array(line, { maxLength: 25 }).map((pieces) => pieces.join(''));
/** A program in the alternate screen, which is drawn from its first row on. */
const page = fc
  .tuple(fc.integer({ min: 1, max: 8 }), lines)
  .map(([row, text]) => `\x1b[?1049h\x1b[H\x1b[2J\x1b[${row};2H${text}\x1b[?1000h`);
const visit = page.map((text) => `${text}\x1b[?1000l\x1b[m\x1b(B\x1b[?1049l`);

/** Its own screen, with something on it, over all that the session shows. */
function cover(terminal: TerminalModel): void {
  restore(terminal);
  terminal.write(Buffer.from('\x1b[?1049h\x1b[?7l\x1b[2J\x1b[H\x1b[7mwants to read\x1b[?25l'));
}

function uncover(terminal: TerminalModel, drawing: readonly Uint8Array[]): void {
  restore(terminal);
  for (const piece of drawing) terminal.write(piece);
}

/** As a client does, which also looks for what is known to a model without that. */
function restore(terminal: TerminalModel): void {
  terminal.write(Buffer.from(`\x1b[m\x0f\x1b(B${restoreSequence(terminal.ledger, terminal.size.columns)}`));
}

const write = (text: string, ...models: readonly TerminalModel[]) => {
  for (const model of models) model.write(Buffer.from(text));
};

describe('going on from where the cursor is', () => {
  test.for([
    { name: 'lines, then lines', before: lines, during: lines },
    {
      name: 'lines, then a program in the alternate screen',
      before: lines,
      during: fc.tuple(lines, page).map((all) => all.join('')),
    },
    { name: 'such a program, all the time', before: fc.tuple(lines, page).map((all) => all.join('')), during: lines },
    { name: 'lines, and such a program in between', before: lines, during: fc.tuple(visit, lines).map((all) => all.join('')) },
    {
      name: 'rows that are written again, above the cursor',
      before: lines.map((text) => `${text}\x1b[m\x1b(B\r\none\r\ntwo\r\n`),
      during: lines.map((text) => `\x1b[2AONE\r\n\x1b[B${text}`),
    },
  ])('shows the same as if nothing had been in front of it: $name', ({ before, during }) => {
    let drawn = 0;
    fc.assert(
      fc.property(lines, before, during, size, (users, first, second, wanted) => {
        const [model, terminal, undisturbed] = [createModel(wanted, 200), createModel(wanted, 200), createModel(wanted, 200)];
        // The user's own, above the session.
        write(`${users}\x1b[m\x1b(B\x1b[?25h\x1b[?2004l\x1b[0 q\r\n`, terminal, undisturbed);
        write(first, model, terminal, undisturbed);
        const standing = standingOf(model);
        const watch = new RowWatch();
        cover(terminal);
        watch.push(Buffer.from(second));
        watch.begin(model);
        write(second, model, undisturbed);
        const drawing = paintSince(model, standing, watch);
        if (drawing === undefined) return;
        drawn += 1;
        uncover(terminal, drawing);

        expect(shownBy(terminal)).toEqual(shownBy(undisturbed));
      }),
      RUNS,
    );
    expect(drawn).toBeGreaterThan(RUNS.numRuns / 4);
  });

  test('is refused where a program goes to rows by their number, on the normal screen', () => {
    const after = (text: string) => {
      const model = createModel({ columns: 20, rows: 6 });
      write('one\r\ntwo\r\nthree', model);
      const [standing, watch] = [standingOf(model), new RowWatch()];
      watch.begin(model);
      for (const byte of Buffer.from(text)) watch.push(Uint8Array.of(byte));
      write(text, model);
      return paintSince(model, standing, watch);
    };

    for (const text of ['', 'x', '\x1b[2A\rONE\x1b[2B', '\x1b[?1049h\x1b[2;2Hx', '\x1b[?1049h\x1b[2;2Hx\x1b[?1049l'])
      expect([text, after(text)]).not.toContain(undefined);
    for (const text of ['\x1b[H\x1b[2J', '\x1b[2;5Hx', '\x1b[3dx', '\x1b[2;4r', '\x1bc', '\x1b[?1049h\x1b[?1049l\x1b[Hx'])
      expect([text, after(text)]).toContain(undefined);
  });
});

/** Without what a program saved of the cursor, the names of titles that were left, and whether a row goes on where it is empty. */
function shownBy(terminal: TerminalModel) {
  const shown = describeScreen(terminal);
  const cells = (lines: unknown) =>
    (lines as readonly { readonly cells: readonly string[] }[] | undefined)?.map((one) => lastBlankOrSpace(one.cells));
  const unseen = { saved: undefined, titles: undefined, modes: undefined };
  return { ...shown, ...unseen, normal: cells(shown['normal']), alternate: cells(shown['alternate']) };
}
