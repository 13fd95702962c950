import { describe, expect, test } from 'vitest';
import type { TerminalModel } from '../../../src/terminal/model.ts';
import type { XtermLine } from '../../../src/terminal/xterm.ts';
import { createModel } from '../../support/screens.ts';

const ACCENT = '\u0301';

function write(model: TerminalModel, text: string): void {
  model.write(Buffer.from(text));
}

function textAt(model: TerminalModel, line: number): string {
  return model.line(model.buffers.normal, line - model.historyStart)?.translateToString(true) ?? '';
}

function firstCell(model: TerminalModel): string {
  return model.line(model.buffers.normal, 0)?.translateToString(true) ?? '';
}

describe('a cell', () => {
  test('takes no more than 64 code units, however many join it', () => {
    const model = createModel();
    // Without an end of it this takes minutes.
    for (let at = 0; at < 100; at++) write(model, `${at === 0 ? 'a' : ''}${ACCENT.repeat(10_000)}`);

    expect(firstCell(model)).toBe(`a${ACCENT.repeat(63)}`);
  });

  test('takes them anew when it is written over', () => {
    const model = createModel();
    write(model, `a${ACCENT.repeat(100)}\rb${ACCENT}`);

    expect(firstCell(model)).toBe(`b${ACCENT}`);
  });
});

describe('a string sequence', () => {
  test.each([
    ['OSC', '\x1b]2;'],
    ['DCS', '\x1bP+q'],
  ])('that is longer than what is kept of it (%s) is over where it ends, and the next one is whole', (_, introducer) => {
    const model = createModel();
    write(model, introducer);
    for (let at = 0; at < 100; at++) write(model, 'ab'.repeat(10_000));
    write(model, '\x1b\\shown\x1b]2;title\x1b\\\x1bP+q544e\x1b\\');

    expect(firstCell(model)).toBe('shown');
    expect(model.ledger.title).toBe('title');
    expect(model.answers.at(-1)).toContain('544e=');
  });
});

describe('a history', () => {
  /** Written as a session has it written: piece by piece. */
  function filled(model: TerminalModel, lines: readonly string[], isBounded: boolean): TerminalModel {
    for (const line of lines) {
      write(model, `${line}\r\n`);
      if (isBounded) model.boundHistory();
    }
    return model;
  }
  const numbered = (count: number) => Array.from({ length: count }, (_, at) => `line ${at}`);
  const wide = { columns: 10_000, rows: 4 };

  test('of a terminal that is wider than any is bounded: the oldest lines go, and the rest is as it would be', () => {
    const bounded = createModel(wide, 10_000);
    const whole = createModel(wide, 10_000);
    for (const model of [bounded, whole]) write(model, '\x1b]133;A\x1b\\');
    filled(bounded, numbered(900), true);
    filled(whole, numbered(900), false);
    const kept = bounded.historyEnd - bounded.historyStart;

    expect(kept).toBeGreaterThan(500);
    expect(kept).toBeLessThan(600);
    expect(bounded.historyEnd).toBe(whole.historyEnd);
    for (const line of [bounded.historyStart, bounded.historyStart + 1, bounded.historyEnd - 1, bounded.historyEnd + 2])
      expect(textAt(bounded, line)).toBe(textAt(whole, line));
    const { x, y } = bounded.buffers.normal;
    expect([x, y]).toEqual([whole.buffers.normal.x, whole.buffers.normal.y]);
  });

  test('is bounded before the terminal gets that wide, as it takes each line apart then', () => {
    const model = filled(createModel({ columns: 80, rows: 4 }, 10_000), numbered(3000), true);
    expect(model.historyStart).toBe(0);
    model.packLines(3000);
    write(model, '\x1b7');
    model.resize(wide);
    write(model, 'end');

    expect(model.buffers.normal.lines.length).toBeLessThan(600);
    expect(textAt(model, model.historyEnd + 3)).toBe('end');
    expect(textAt(model, model.historyEnd + 2)).toBe('line 2999');
    model.resize({ columns: 80, rows: 4 });
    filled(model, numbered(20), true);
    expect(textAt(model, model.historyEnd + 2)).toBe('line 19');
  });

  test('has fewer lines where each cell has a look of its own', () => {
    const cells = Array.from({ length: 200 }, (_, at) => `\x1b[4:3m\x1b[58:5:${at}mx`).join('');
    const model = filled(
      createModel({ columns: 200, rows: 4 }, 10_000),
      Array.from({ length: 2000 }, () => cells),
      true,
    );

    expect(model.historyStart).toBeGreaterThan(0);
    expect(model.historyEnd - model.historyStart).toBeGreaterThan(1000);
  });

  test('has fewer lines where a shell says much about each', () => {
    const marks = `\x1b]133;A;${'x'.repeat(4000)}\x1b\\`.repeat(20);
    const model = filled(
      createModel({ columns: 80, rows: 4 }, 10_000),
      Array.from({ length: 600 }, () => marks),
      true,
    );

    expect(model.historyEnd - model.historyStart).toBeLessThan(500);
    expect(model.historyEnd - model.historyStart).toBeGreaterThan(300);
  });

  test('has all lines of a usual terminal, also where many letters have accents', () => {
    const model = filled(
      createModel({ columns: 100, rows: 4 }, 10_000),
      Array.from({ length: 10_000 }, (_, at) => `${at}${`e${ACCENT}x`.repeat(45)}`),
      true,
    );

    expect(model.historyStart).toBe(0);
    expect(model.buffers.normal.lines.length).toBe(10_001);
  });
});

describe('a mark of a shell', () => {
  test('keeps what it marks, and not more than a command line', () => {
    const model = createModel();
    write(model, `\x1b]133;A;aid=1\x07$ \x1b]133;C;${'x'.repeat(5000)}\x07`);

    expect(model.marksOf(model.line(model.buffers.normal, 0) as XtermLine)).toEqual([
      { column: 0, text: 'A;aid=1' },
      { column: 2, text: 'C' },
    ]);
  });
});

describe('links', () => {
  /** One on each line, all of which are kept. */
  function linked(count: number): TerminalModel {
    const model = createModel({ columns: 8, rows: 2 }, 20_000);
    for (let at = 0; at < count; at++) write(model, `\x1b]8;;http://x/${at}\x1b\\x\x1b]8;;\x1b\\\r\n`);
    return model;
  }

  function linkAt(model: TerminalModel, line: number): string {
    return model.links.textOf(model.line(model.buffers.normal, line)?._extendedAttrs[0]?._urlId ?? 0);
  }

  test('are forgotten from the oldest on when there are too many, without a look at all that is kept', () => {
    const model = linked(20_000);

    expect(linkAt(model, 19_999 - 1)).toBe(';http://x/19998');
    expect(linkAt(model, 20_000 - 8192)).toBe(`;http://x/${20_000 - 8192}`);
    expect(linkAt(model, 0)).toBe('');
  });

  test('stay while they are opened again', () => {
    const model = linked(8000);
    write(model, '\x1b]8;;http://x/0\x1b\\');
    for (let at = 0; at < 8000; at++) write(model, `\x1b]8;;http://y/${at}\x1b\\`);

    expect(linkAt(model, 0)).toBe(';http://x/0');
    expect(linkAt(model, 1)).toBe('');
  });

  test('that are longer than any terminal takes are none', () => {
    const model = createModel();
    write(model, `\x1b]8;;http://x/${'x'.repeat(5000)}\x1b\\x`);

    expect(linkAt(model, 0)).toBe('');
  });
});
