import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TerminalModel } from '../../src/terminal/model.ts';
import { runs } from '../support/effort.ts';
import { createModel, describeScreen } from '../support/screens.ts';
import { connectionTo, createShown } from '../support/shown-session.ts';

const RUNS = { numRuns: runs(import.meta.filename, 300) };
const size = fc.record({ columns: fc.integer({ min: 8, max: 24 }), rows: fc.integer({ min: 2, max: 12 }) });
/** Half of the time only the height is another one. */
const otherSize = fc.oneof(
  size,
  size.map(({ rows }) => ({ rows })),
);
/** Each is told from all others; some wrap. */
const lines = fc
  .array(fc.nat(40), { minLength: 1, maxLength: 40 })
  .map((lengths) => lengths.map((length, at) => `<${at}${'x'.repeat(length)}>`));

/** The terminal of a client, which changes its size after some of what was sent to it has come. */
class SlowTerminal {
  readonly model;
  #late: Uint8Array = new Uint8Array();

  constructor(wanted: { readonly columns: number; readonly rows: number }) {
    this.model = createModel(wanted, 400);
  }

  readonly connection = connectionTo((data) => (this.#late = Buffer.concat([this.#late, data])));

  /** @param bytes No more than so many of what is on its way. */
  receive(bytes = Number.POSITIVE_INFINITY): void {
    this.model.write(this.#late.subarray(0, bytes));
    this.#late = this.#late.subarray(bytes);
  }

  /** What is on its way. */
  get lateBytes(): number {
    return this.#late.length;
  }
}

function createSession(wanted: { readonly columns: number; readonly rows: number }) {
  const { screen, displays } = createShown(wanted, 400);
  const reached = () =>
    new Promise<{ readonly screen: Record<string, unknown>; readonly texts: readonly string[] }>((resolve) =>
      screen.whenReached((model) => resolve({ screen: describeScreen(model), texts: textLines(model) })),
    );
  return { screen, displays, reached };
}

const wish = { isFresh: false, historyLines: undefined, terminalId: undefined };

describe('a terminal whose size changes while it is drawn', () => {
  test('shows what the model does, and has each line, once where all of the drawing had come and it did not grow', async () => {
    await fc.assert(
      fc.asyncProperty(size, otherSize, lines, fc.oneof(fc.nat(), fc.constant(-1)), async (before, other, texts, place) => {
        const after = { ...before, ...other };
        const { screen, displays, reached } = createSession(before);
        const terminal = new SlowTerminal(before);
        displays.output(Buffer.from(texts.join('\r\n')));
        const display = displays.addTerminal(terminal.connection, wish);
        await reached();
        terminal.receive(place < 0 ? undefined : place % (terminal.lateBytes + 1));
        const hasCome = terminal.lateBytes === 0;
        terminal.model.resize(after);
        displays.resizeTerminal(display, () => screen.resize(after));
        const wanted = await reached();
        terminal.receive();

        expect(screenOf(describeScreen(terminal.model), after.rows)).toEqual(screenOf(wanted.screen, after.rows));
        // With other columns rows wrap anew, and how many leave the screen depends on what the user had above. Of what comes
        // late some rows are scrolled away that need not be, and are there twice.
        if (!hasCome || before.columns !== after.columns) return;
        const shown = textLines(terminal.model);
        if (after.rows <= before.rows) expect(shown).toEqual(wanted.texts);
        else expectOnceMore(shown.join(''), wanted.texts.join(''));
      }),
      RUNS,
    );
  });
});

describe('a terminal that comes again with another size', () => {
  test('shows what the model does, below what it was left with', async () => {
    await fc.assert(
      fc.asyncProperty(size, otherSize, lines, lines, async (before, other, texts, more) => {
        const after = { ...before, ...other };
        const { screen, displays, reached } = createSession(before);
        const terminal = new SlowTerminal(before);
        const again = { ...wish, terminalId: 'pts/7' };
        displays.output(Buffer.from(texts.join('\r\n')));
        const display = displays.addTerminal(terminal.connection, again);
        await reached();
        terminal.receive();
        displays.remember(display);
        displays.remove(display);
        terminal.model.write(Buffer.from('\r\n[detached]\r\n'));
        terminal.model.resize(after);
        displays.output(Buffer.from(more.map((text) => `\r\n+${text}`).join('')));
        await reached();
        screen.resize(after);
        displays.addTerminal(terminal.connection, again);
        const wanted = await reached();
        terminal.receive();

        expect(screenOf(describeScreen(terminal.model), after.rows)).toEqual(screenOf(wanted.screen, after.rows));
      }),
      RUNS,
    );
  });
});

/** Of the top of a larger screen nothing tells whether it was its user's: it goes into the scrollback, and what the session has there is drawn again. */
function expectOnceMore(shown: string, wanted: string): void {
  const end = shown.length - wanted.length;
  expect(shown.slice(Math.max(0, end))).toBe(wanted);
  expect(wanted).toContain(shown.slice(0, Math.max(0, end)));
}

/** The rows that are to be seen, and the cursor. */
function screenOf({ normal, cursor }: Record<string, unknown>, rows: number): unknown {
  const shown = (normal as readonly { readonly cells: readonly string[] }[]).slice(-rows);
  return { cursor, rows: shown.map(({ cells }) => cells.map((cell) => cell.split('|')[0]?.trim() ?? '')) };
}

/** What has wrapped is one line again, without the spaces that made it wrap where the terminal leaves the row of the cursor alone. */
function textLines(model: TerminalModel): readonly string[] {
  const { lines: rows } = model.buffers.normal;
  const joined: string[] = [];
  for (let at = 0; at < rows.length; at++) {
    const row = rows.get(at);
    const text = row?.translateToString(true) ?? '';
    if (row?.isWrapped === true && at > 0) joined.push(`${joined.pop() ?? ''}${text}`);
    else joined.push(text);
  }
  return joined.map((text) => text.replaceAll(' ', '')).filter((text) => text !== '');
}
