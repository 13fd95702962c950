import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LogRenderer } from '../../src/terminal/log-renderer.ts';
import { screenDocument } from '../../src/terminal/screen-document.ts';
import { ViewPainter } from '../../src/terminal/view-painter.ts';
import { runs } from '../support/effort.ts';
import { createModel, describeScreen, redrawn } from '../support/screens.ts';
import { mutated } from '../support/terminal-streams.ts';

/** Made by scripts/record-programs.mjs. */
const RECORDINGS = fileURLToPath(new URL('../fixtures/recordings', import.meta.url));
const SIZE = { columns: 80, rows: 24 };
const size = fc.record({ columns: fc.integer({ min: 2, max: 90 }), rows: fc.integer({ min: 1, max: 30 }) });
const NAMES = readdirSync(RECORDINGS).map((name) => name.replace(/\.gz$/, ''));
const RUNS = { numRuns: runs(import.meta.filename, 20) };

function read(name: string): Uint8Array {
  return gunzipSync(readFileSync(join(RECORDINGS, `${name}.gz`)));
}

test('there is a recording of each program', () => {
  expect(NAMES.toSorted()).toEqual(['build', 'fzf', 'git-log', 'htop', 'less', 'mc', 'tmux', 'vim']);
});

describe.for(NAMES)('L11: what %s wrote', (name) => {
  const bytes = read(name);

  test('is drawn and parsed again as it was, wherever one attaches, and goes on the same', () => {
    const whole = createModel(SIZE);
    whole.write(bytes);
    expect(describeScreen(redrawn(whole))).toEqual(describeScreen(whole));
    fc.assert(
      fc.property(fc.nat(bytes.length), (place) => {
        const model = createModel(SIZE);
        model.write(bytes.subarray(0, place));
        const terminal = redrawn(model);
        expect(describeScreen(terminal)).toEqual(describeScreen(model));

        terminal.write(bytes.subarray(place));
        expect(describeScreen(terminal)['alternate']).toEqual(describeScreen(whole)['alternate']);
        expect(describeScreen(terminal)['modes']).toEqual(describeScreen(whole)['modes']);
        expect(describeScreen(terminal)['cursor']).toEqual(describeScreen(whole)['cursor']);
      }),
      RUNS,
    );
  });

  test('with bytes changed, missing and put in, and sizes that change: what is left is drawn as it is, and breaks nothing', () => {
    const piece = fc.record({ bytes: mutated(bytes), size: fc.option(size, { freq: 2 }), packed: fc.nat(40) });
    fc.assert(
      fc.property(size, fc.array(piece, { minLength: 1, maxLength: 3 }), size, (wanted, pieces, viewed) => {
        const model = createModel(wanted);
        for (const now of pieces) {
          model.write(now.bytes);
          if (now.size !== null) model.resize(now.size);
          model.packLines(now.packed);
        }
        expect(describeScreen(redrawn(model))).toEqual(describeScreen(model));
        new ViewPainter(viewed, 'row').draw(model, 'status');
        for (const { runs: shown } of screenDocument(model).lines)
          expect(shown.reduce((columns, run) => columns + run.columns, 0)).toBeLessThanOrEqual(model.size.columns);
        const renderer = new LogRenderer(wanted);
        for (const now of pieces) expect([...renderer.push(now.bytes)]).toBeInstanceOf(Array);
        expect([...renderer.finish()]).toBeInstanceOf(Array);
      }),
      { numRuns: 2 * RUNS.numRuns },
    );
  });

  test('means the same however it came in pieces', () => {
    const whole = createModel(SIZE);
    whole.write(bytes);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), (length) => {
        const split = createModel(SIZE);
        for (let at = 0; at < bytes.length; at += length) split.write(bytes.subarray(at, at + length));
        expect(describeScreen(split)).toEqual(describeScreen(whole));
      }),
      { numRuns: 3 },
    );
  });
});
