import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SessionScreen } from '../../src/session/screen.ts';
import * as drawing from '../../src/terminal/drawing.ts';
import { fastForward } from '../../src/terminal/fast-forward.ts';
import { runs } from '../support/effort.ts';
import { createModel, describeScreen, IDLE_MEMORY } from '../support/screens.ts';
import { cut, noise, stream } from '../support/terminal-streams.ts';

const RUNS = { numRuns: runs(import.meta.filename, 300) };
const SIZE = { columns: 12, rows: 4 };
const SCROLLBACK = 6;
const KEPT = SCROLLBACK + 2 * SIZE.rows;

/** What a flood is made of, and now and then something else. */
const line = fc
  .array(
    fc.constantFrom(
      'text',
      'a line that is longer than the screen is wide',
      '\x1b[31m',
      '\x1b[1;44m',
      '\x1b[m',
      '\x1b[0m',
      '\x1b[4:3;58:5:9m',
      '\t',
      '\b',
      '\r',
      'é',
      '\u00a0',
      '日本',
      'e\u0301',
      '👍🏽',
      '\xc3',
      '\x1b[38;2;1;2;3m',
      '\x1b[24m',
      '',
      'x',
    ),
    { maxLength: 5 },
  )
  .map((words) => `${words.join('')}\r\n`);
const odd = fc.constantFrom(
  '\n',
  '\x1b[2;3r',
  '\x1b[?1049h',
  '\x1b[H',
  '\x1b7',
  '\x1b8',
  '\x0e',
  '\x1b(0',
  '\u009b3A',
  '\x7f',
  '\x1b[>4;2m',
  '\x1b[6n',
  '\x1bc',
);
const flood = fc
  .array(fc.oneof({ weight: 60, arbitrary: line }, { weight: 1, arbitrary: odd }), { minLength: 5, maxLength: 60 })
  .map((lines) => Buffer.from(lines.join('')));

function comparable(model: ReturnType<typeof createModel>) {
  return describeScreen(model);
}

describe('fastForward()', () => {
  test('leaves out nothing that is to be seen: screen, scrollback, pen and modes are what they would be', () => {
    let skipped = 0;
    fc.assert(
      fc.property(
        fc.oneof(stream, noise, fc.constant(Buffer.from(''))),
        flood,
        fc.oneof({ weight: 3, arbitrary: fc.array(fc.nat(), { maxLength: 8 }) }, fc.constant(undefined)),
        (before, bytes, places) => {
          // Without places each byte is a piece of its own.
          const pieces = cut(bytes, places ?? Array.from(bytes.keys()));
          const whole = createModel(SIZE, SCROLLBACK);
          const fast = createModel(SIZE, SCROLLBACK);
          whole.write(before);
          fast.write(before);
          if (!fast.isScrollingFreely) return;
          const { skippedBytes, substitute, simpleBytes } = fastForward(pieces, KEPT);
          expect(skippedBytes).toBeLessThanOrEqual(simpleBytes);
          skipped += skippedBytes;
          if (skippedBytes === 0) return;

          whole.write(bytes);
          fast.write(substitute);
          fast.write(bytes.subarray(skippedBytes));

          expect(comparable(fast)).toEqual(comparable(whole));
        },
      ),
      RUNS,
    );
    expect(skipped).toBeGreaterThan(0);
  });

  test('leaves most of a flood out, and stops at what may mean more', () => {
    const lines = Buffer.from('\x1b[32mgreen\x1b[0m and plain\r\n'.repeat(1000));
    expect(fastForward([lines], 10).skippedBytes).toBe((lines.length / 1000) * 990);
    for (const stop of ['\x1b[6n', '\x1b]0;title\x07', '\x1b(0', '\x0e', '\v', '\u0085', '\x1b[?1049h'])
      expect([stop, fastForward([Buffer.from(`${stop}\r\n`), lines], 10)]).toMatchObject([stop, { skippedBytes: 0 }]);
    expect(fastForward([lines], 1000).skippedBytes).toBe(0);
    expect(fastForward([Buffer.from('no carriage return\n'.repeat(1000))], 10).skippedBytes).toBe(0);
  });
});

describe('SessionScreen', () => {
  test('shows the end of a flood as if it had parsed all of it', async () => {
    const screen = new SessionScreen({
      size: { columns: 80, rows: 24 },
      scrollbackLines: 1000,
      load: () => Promise.resolve(drawing),
      memory: IDLE_MEMORY,
      answer: () => undefined,
      nowMs: () => 0,
    });
    const whole = createModel({ columns: 80, rows: 24 }, 1000);
    const write = (text: string) => {
      const bytes = Buffer.from(text);
      screen.output(bytes, undefined);
      whole.write(bytes);
    };
    write('\x1b[1mbold\r\n');
    let number = 0;
    for (let piece = 0; piece < 40; piece++) {
      write(
        Array.from({ length: 4000 }, () => `\x1b[3${number % 8}mline ${number++}\x1b[39m ${'x'.repeat(number % 90)}\r\n`).join(
          '',
        ),
      );
      await new Promise((resolve) => setImmediate(resolve));
    }
    write('\x1b[?2004hprompt> ');

    const shown = await new Promise<Record<string, unknown>>((resolve) =>
      screen.whenReached((model) => resolve(describeScreen(model))),
    );
    expect(shown).toEqual(describeScreen(whole));
  });
});
