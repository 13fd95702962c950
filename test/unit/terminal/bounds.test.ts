import { describe, expect, test } from 'vitest';
import type { TerminalModel } from '../../../src/terminal/model.ts';
import { createModel } from '../../support/screens.ts';

const ACCENT = '\u0301';

function write(model: TerminalModel, text: string): void {
  model.write(Buffer.from(text));
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
