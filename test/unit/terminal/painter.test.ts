import { describe, expect, test, vi } from 'vitest';
import { paint } from '../../../src/terminal/painter.ts';
import { createModel, describeScreen, redrawn } from '../../support/screens.ts';

const SIZE = { columns: 100, rows: 10 };
/** Some of them go on over several rows, some are wide or coloured. */
const LINES = Array.from({ length: 1000 }, (_, at) =>
  at % 7 === 0 ? `\x1b[4${at % 8}m${`${at} 漢字 `.repeat(40)}\x1b[0m` : `${at} ${'x'.repeat(at % 120)}`,
);

function written() {
  const model = createModel(SIZE, 10_000);
  model.write(Buffer.from(`${LINES.join('\r\n')}\x1b[1;31m`));
  return model;
}

describe('paint()', () => {
  test('gives the screen before it looks at any line of the history', () => {
    const model = written();
    const read = vi.spyOn(model, 'line');
    const readBefore: number[] = [];

    paint(model, { historyFrom: 0, isFirst: true }, () => readBefore.push(read.mock.calls.length));

    expect(readBefore.length).toBeGreaterThan(2);
    expect(readBefore[0]).toBeLessThanOrEqual(2 * SIZE.rows);
    expect(read.mock.calls.slice(0, readBefore[0]).every(([, at]) => at >= model.historyEnd - model.historyStart)).toBe(true);
  });

  test('gives a long history in pieces, which together draw all of it', () => {
    const model = written();
    const terminal = createModel(SIZE, 10_000);
    const lengths: number[] = [];

    paint(model, { historyFrom: 0, isFirst: false }, (piece) => {
      lengths.push(piece.length);
      terminal.write(piece);
    });

    expect(lengths.length).toBeGreaterThan(2);
    expect(Math.max(...lengths)).toBeLessThan(80 * 1024);
    expect(describeScreen(terminal)).toEqual(describeScreen(model));
  });

  test('leaves the cursor waiting behind half of a flag, whose columns no terminal gives it', () => {
    const model = createModel({ columns: 2, rows: 1 });
    model.write(Buffer.from('\x1b[C\x1b[?1049h🇩🇪'));
    expect(describeScreen(redrawn(model))).toEqual(describeScreen(model));
  });
});
