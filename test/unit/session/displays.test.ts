import { describe, expect, test } from 'vitest';
import type { Connection } from '../../../src/ports/socket.ts';
import type { Display } from '../../../src/session/display.ts';
import { Displays } from '../../../src/session/displays.ts';
import { decodeServerMessage } from '../../../src/session/messages.ts';
import { FrameDecoder } from '../../../src/session/protocol.ts';
import { SessionScreen } from '../../../src/session/screen.ts';
import * as drawing from '../../../src/terminal/drawing.ts';
import { readLines } from '../../../src/terminal/history.ts';
import { restoreSequence } from '../../../src/terminal/restore.ts';
import { createModel, IDLE_MEMORY } from '../../support/screens.ts';
import { waitFor } from '../../support/wait.ts';

const SIZE = { columns: 20, rows: 5 };

/** A session, and terminals that keep what they are shown. */
function setUp() {
  const time = { ms: 0 };
  const answers: string[] = [];
  const screen = new SessionScreen({
    size: SIZE,
    scrollbackLines: 1000,
    load: () => Promise.resolve(drawing),
    memory: IDLE_MEMORY,
    answer: (data) => answers.push(Buffer.from(data).toString('latin1')),
    nowMs: () => time.ms,
  });
  const displays = new Displays(screen, {
    describe: ({ columns, rows }) => `calm-node ${columns}x${rows}`,
    nowMs: () => time.ms,
  });
  return {
    answers,
    time,
    displays,
    screen,
    output: (text: string) => displays.output(Buffer.from(text)),
    settled: () => new Promise<void>((resolve) => screen.whenReached(() => resolve())),
  };
}

/** @param isSlow What it is sent comes to it by deliver(). */
function openTerminal(size = SIZE, isSlow = false) {
  const model = createModel(size, 1000);
  const underway: Uint8Array[] = [];
  const decoder = new FrameDecoder();
  const shown = { bytes: 0 };
  const deliver = () => {
    for (const data of underway.splice(0)) model.write(data);
  };
  const connection = {
    peer: undefined,
    queuedBytes: 0,
    write(frames: Uint8Array) {
      for (const frame of decoder.push(frames)) {
        const message = decodeServerMessage(frame);
        if (message.kind !== 'output' && message.kind !== 'redraw') continue;
        shown.bytes += message.data.length;
        // As a client does.
        if (message.kind === 'redraw') underway.push(Buffer.from(restoreSequence(model.ledger, size.columns)));
        underway.push(message.data);
        if (!isSlow) deliver();
      }
    },
    end: () => undefined,
    close: () => undefined,
  } satisfies Connection;
  /** All of its scrollback and its screen. */
  const lines = () => readLines(model, model.historyStart, model.historyEnd + model.size.rows).filter((line) => line !== '');
  return { model, connection, lines, deliver, shown, user: (text: string) => model.write(Buffer.from(text)) };
}

/** The rows of a viewer, which has a screen of its own for them. */
function seenBy({ model }: ReturnType<typeof openTerminal>): readonly (string | undefined)[] {
  const { active, alt } = model.buffers;
  return active === alt ? Array.from({ length: model.size.rows }, (_, at) => alt.lines.get(at)?.translateToString(true)) : [];
}

const numbered = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => `line ${from + at}\r\n`).join('');

describe('Displays', () => {
  test('a terminal that comes again is drawn no line of the history that its scrollback has', async () => {
    const { displays, output, settled } = setUp();
    output(numbered(1, 30));
    const terminal = openTerminal();
    const attach = async (historyLines?: number): Promise<Display> => {
      const display = displays.addTerminal(terminal.connection, { isFresh: false, historyLines, terminalId: 'pts-1' });
      await settled();
      return display;
    };
    const leave = async (display: Display) => {
      displays.remember(display);
      displays.remove(display);
      await settled();
    };

    await leave(await attach());
    expect(terminal.lines().filter((line) => line === 'line 7')).toHaveLength(1);
    output(numbered(31, 60));
    await leave(await attach());

    const lines = terminal.lines();
    for (let number = 1; number <= 60; number++) {
      // Each is in the scrollback once; what was on the screen when the terminal left is there as it was left.
      expect([number, lines.filter((line) => line === `line ${number}`).length]).toEqual([number, 1]);
    }
    await attach(Number.MAX_SAFE_INTEGER);
    expect(terminal.lines().filter((line) => line === 'line 7')).toHaveLength(2);
  });

  test('a terminal that comes again at another size is still drawn only what is new', async () => {
    const { displays, screen, output, settled } = setUp();
    const long = (number: number) => `${number} ${'x'.repeat(30)}\r\n`;
    for (let number = 1; number <= 20; number++) output(long(number));
    const terminal = openTerminal();
    const display = displays.addTerminal(terminal.connection, { isFresh: false, historyLines: undefined, terminalId: 'a' });
    await settled();
    displays.remember(display);
    displays.remove(display);
    const wider = { columns: 40, rows: 5 };
    screen.resize(wider);
    for (let number = 21; number <= 40; number++) output(long(number));
    const again = openTerminal(wider);
    displays.addTerminal(again.connection, { isFresh: false, historyLines: undefined, terminalId: 'a' });
    await settled();

    const numbers = again.lines().flatMap((line) => /^(?<number>\d+) x/.exec(line)?.groups?.['number'] ?? []);
    // From what was on the screen when it left, or the line below.
    expect(Number(numbers[0])).toBeGreaterThanOrEqual(18);
    expect(Number(numbers[0])).toBeLessThanOrEqual(21);
    expect(numbers.at(-1)).toBe('40');
  });

  test('a terminal that could not follow is drawn what it missed, once, also in a flood', async () => {
    const { displays, output, settled, time } = setUp();
    const terminal = openTerminal();
    const display = displays.addTerminal(terminal.connection, { isFresh: true, historyLines: undefined, terminalId: 'a' });
    for (const from of [1, 10_001]) {
      output(numbered(from, from + 20));
      terminal.connection.queuedBytes = 5 * 1024 * 1024;
      output(numbered(from + 21, from + 9999));
      terminal.connection.queuedBytes = 0;
      displays.caughtUp(display);
      time.ms += 100;
      await expect.poll(() => terminal.lines().at(-1), { timeout: 10_000 }).toBe(`line ${from + 9999}`);
      await settled();
    }

    const lines = terminal.lines();
    expect(new Set(lines).size).toBe(lines.length);
    // As many as the model keeps.
    expect(lines.slice(-1000)).toEqual(Array.from({ length: 1000 }, (_, at) => `line ${19_001 + at}`));
  });

  test('a terminal that cannot follow a flood is shown screens without history until the flood is over', async () => {
    const { displays, screen, output, settled, time } = setUp();
    const terminal = openTerminal();
    const display = displays.addTerminal(terminal.connection, { isFresh: true, historyLines: undefined, terminalId: 'a' });
    output('begin\r\n');
    await settled();
    terminal.connection.queuedBytes = 5 * 1024 * 1024;
    output(numbered(1, 20_000));
    terminal.connection.queuedBytes = 0;
    displays.caughtUp(display);

    for (const from of [20_001, 40_001]) {
      const before = terminal.shown.bytes;
      output(numbered(from, from + 19_999));
      await settled();
      time.ms += 200;
      output(numbered(from, from + 19_999));
      await expect.poll(() => terminal.lines().at(-1), { timeout: 10_000 }).toBe(`line ${from + 19_999}`);
      expect([terminal.shown.bytes - before < 500, display.isLive, screen.isInFlood()]).toEqual([true, false, true]);
    }

    time.ms += 100;
    await expect.poll(() => display.isLive, { timeout: 10_000 }).toBe(true);
    expect(terminal.lines().slice(-1000)).toEqual(Array.from({ length: 1000 }, (_, at) => `line ${59_001 + at}`));
  });

  test('a terminal that falls behind where a flood is left out is drawn what is kept of that, and of a short one all that it missed', async () => {
    for (const missed of [150_000, 500]) {
      const { displays, output, settled, time } = setUp();
      const terminal = openTerminal();
      const display = displays.addTerminal(terminal.connection, { isFresh: true, historyLines: undefined, terminalId: 'a' });
      // Without waiting: the model is told of nothing before all of it has come.
      output(numbered(1, 2000));
      terminal.connection.queuedBytes = 5 * 1024 * 1024;
      output(numbered(2001, 2000 + missed));
      terminal.connection.queuedBytes = 0;
      displays.caughtUp(display);
      time.ms += 100;
      await expect.poll(() => display.isLive, { timeout: 10_000 }).toBe(true);
      await settled();

      const lines = terminal.lines();
      const last = 2000 + missed;
      expect(new Set(lines).size).toBe(lines.length);
      expect(lines.slice(-1000)).toEqual(Array.from({ length: 1000 }, (_, at) => `line ${last - 999 + at}`));
    }
  });

  test('readers of the log share the room for what they do not read, and one that has read goes on', () => {
    const { displays, output } = setUp();
    const readers = Array.from({ length: 8 }, () => {
      const { connection, shown } = openTerminal();
      return { connection, shown, display: displays.addFollower(connection) };
    });
    const [slow, quick] = readers as [(typeof readers)[0], (typeof readers)[0]];
    slow.connection.queuedBytes = 600 * 1024;
    output('missed\r\n');
    expect([slow.shown.bytes, quick.shown.bytes]).toEqual([0, 8]);

    for (const { display } of readers.slice(2)) displays.remove(display);
    quick.connection.queuedBytes = 600 * 1024;
    slow.connection.queuedBytes = 0;
    displays.caughtUp(slow.display);
    output('read\r\n');
    expect([slow.shown.bytes, quick.shown.bytes]).toEqual([6, 14]);
  });

  test('another terminal is drawn everything', async () => {
    const { displays, output, settled } = setUp();
    output(numbered(1, 30));
    const first = displays.addTerminal(openTerminal().connection, { isFresh: false, historyLines: undefined, terminalId: 'a' });
    await settled();
    displays.remember(first);
    displays.remove(first);
    const other = openTerminal();
    displays.addTerminal(other.connection, { isFresh: false, historyLines: undefined, terminalId: 'b' });
    await settled();

    expect(other.lines()[0]).toBe('line 1');
  });

  test.for(['drawn', 'still to be drawn'])(
    'a terminal of another size before what was %s for the old one has come shows the screen',
    async (state) => {
      const { displays, screen, output, settled } = setUp();
      output(`${numbered(1, 3)}> \x1b[?1h`);
      const terminal = openTerminal({ columns: 20, rows: 5 }, true);
      const display = displays.addTerminal(terminal.connection, { isFresh: false, historyLines: undefined, terminalId: 'a' });
      if (state === 'drawn') await settled();
      const smaller = { columns: 20, rows: 3 };
      terminal.model.resize(smaller);
      displays.resizeTerminal(display, () => screen.resize(smaller));
      await settled();
      output('typed');
      await settled();
      terminal.deliver();

      expect(readLines(terminal.model, terminal.model.historyEnd, terminal.model.historyEnd + 3)).toEqual([
        'line 2',
        'line 3',
        '> typed',
      ]);
      expect(terminal.model.ledger.isOn(1)).toBe(true);
    },
  );

  // With ten lines it is the session's own history that fills the larger screen.
  test.for([4, 10])('a terminal that grows as soon as %i lines were drawn keeps what its user had above', async (count) => {
    const { displays, screen, output, settled } = setUp();
    output(`${numbered(1, count)}> `);
    const terminal = openTerminal({ columns: 20, rows: 5 }, true);
    terminal.user('own 1\r\nown 2\r\nown 3\r\nown 4\r\n$ attach\r\n');
    const display = displays.addTerminal(terminal.connection, { isFresh: false, historyLines: undefined, terminalId: 'a' });
    await settled();
    terminal.deliver();
    const larger = { columns: 20, rows: 8 };
    terminal.model.resize(larger);
    displays.resizeTerminal(display, () => screen.resize(larger));
    await settled();
    terminal.deliver();

    const drawn = Array.from({ length: count }, (_, at) => `line ${at + 1}`);
    const own = ['own 1', 'own 2', 'own 3', 'own 4', '$ attach'];
    expect(terminal.lines().filter((line) => line !== '')).toEqual([...own, ...drawn, '> ']);
  });

  test('a terminal of another size long after it was drawn is left to what it makes of that itself', async () => {
    const { displays, screen, output, settled, time } = setUp();
    output(numbered(1, 3));
    const terminal = openTerminal();
    const display = displays.addTerminal(terminal.connection, { isFresh: false, historyLines: undefined, terminalId: 'a' });
    await settled();
    terminal.user('\x1b[Hown');
    time.ms += 60_000;
    displays.resizeTerminal(display, () => screen.resize({ columns: 30, rows: 5 }));
    await settled();

    expect(terminal.lines()).toEqual(['owne 1', 'line 2', 'line 3']);
  });

  test('a client that was stopped gets the modes back, and its row; what its user did meanwhile stays', async () => {
    const { displays, output, settled } = setUp();
    const terminal = openTerminal();
    const display = displays.addTerminal(terminal.connection, { isFresh: true, historyLines: undefined, terminalId: 'a' });
    output('one\r\ntwo\r\n\x1b[?2004h\x1b[?1h> ');
    displays.suspend(display);
    output('\x1b[31m');
    await settled();
    terminal.user('\x1b[?2004l\x1b[?1l\r\nStopped\r\n$ fg\r\n');

    displays.resume(display);
    await settled();
    output('typed');
    await settled();

    expect(terminal.lines()).toEqual(['one', 'two', '> ', 'Stopped', '$ fg', '> typed']);
    expect([...terminal.model.ledger.modes]).toEqual(
      expect.arrayContaining([
        [2004, true],
        [1, true],
      ]),
    );
    expect(terminal.model.core._inputHandler._curAttrData.fg & 0xff).toBe(1);
  });

  test('a client that was stopped on the alternate screen is drawn it', async () => {
    const { displays, output, settled } = setUp();
    const terminal = openTerminal();
    const display = displays.addTerminal(terminal.connection, { isFresh: true, historyLines: undefined, terminalId: 'a' });
    output('shell\r\n\x1b[?1049h\x1b[2J\x1b[3;3Hfull\x1b[?1000h');
    await settled();
    displays.suspend(display);
    await settled();
    terminal.user('\x1b[?1000l\x1b[?1049l$ fg\r\n');

    displays.resume(display);
    await settled();

    expect(terminal.model.buffers.active).toBe(terminal.model.buffers.alt);
    expect(terminal.model.buffers.alt.lines.get(2)?.translateToString(true)).toBe('  full');
    expect(terminal.model.ledger.isOn(1000)).toBe(true);
  });

  test('what is in front of a session leaves what is above it, and shows what came meanwhile when it goes', async () => {
    const { displays, output, settled } = setUp();
    const terminal = openTerminal();
    terminal.user('mine\r\n');
    const display = displays.addTerminal(terminal.connection, { isFresh: true, historyLines: undefined, terminalId: 'a' });
    output('one\r\n> ');
    expect(displays.cover(display, () => ['a question', 'keys'])).toBe(true);
    await settled();
    expect(terminal.model.buffers.active).toBe(terminal.model.buffers.alt);
    output('two\r\nthree\r\nfour\r\n> ');
    await settled();
    displays.uncover(display);
    await expect.poll(() => terminal.lines()).toEqual(['mine', 'one', '> two', 'three', 'four', '> ']);

    output('five');
    await settled();
    expect(terminal.lines().at(-1)).toBe('> five');
  });

  test('a session that ends behind a question leaves what is above it too', async () => {
    const { displays, output } = setUp();
    const terminal = openTerminal();
    terminal.user('mine\r\n');
    const display = displays.addTerminal(terminal.connection, { isFresh: true, historyLines: undefined, terminalId: 'a' });
    output('one\r\n');
    displays.cover(display, () => ['a question']);
    output('two\r\n');
    await displays.finish();

    expect(terminal.lines()).toEqual(['mine', 'one', 'two']);
    expect(terminal.model.buffers.active).toBe(terminal.model.buffers.normal);
  });

  test('a terminal that leaves with a question in front, and comes again, is drawn no line twice', async () => {
    const { displays, output, settled } = setUp();
    const terminal = openTerminal();
    const first = displays.addTerminal(terminal.connection, { isFresh: true, historyLines: undefined, terminalId: 'a' });
    output(numbered(1, 30));
    displays.cover(first, () => ['a question']);
    await settled();
    output(numbered(31, 40));
    displays.remember(first);
    displays.remove(first);
    // As a client does when it leaves.
    terminal.user(`${restoreSequence(terminal.model.ledger, SIZE.columns)}\r\n`);
    displays.addTerminal(terminal.connection, { isFresh: false, historyLines: undefined, terminalId: 'a' });
    await settled();

    const lines = terminal.lines();
    for (let number = 1; number <= 40; number++)
      expect([number, lines.filter((line) => line === `line ${number}`).length]).toEqual([number, 1]);
  });

  test('a client that is stopped behind a question is sent nothing, and both come back with it', async () => {
    const { displays, output, settled } = setUp();
    const terminal = openTerminal();
    const display = displays.addTerminal(terminal.connection, { isFresh: true, historyLines: undefined, terminalId: 'a' });
    output('one\r\n> ');
    displays.cover(display, () => ['a question']);
    await settled();
    displays.suspend(display);
    const { bytes } = terminal.shown;
    terminal.user(`${restoreSequence(terminal.model.ledger, SIZE.columns)}\r\n$ fg\r\n`);
    output('two\r\n');
    displays.coverChanged(display, true);
    await settled();
    expect(terminal.shown.bytes).toBe(bytes);

    displays.resume(display);
    await settled();
    expect(terminal.model.buffers.alt.lines.get(4)?.translateToString(true)).toBe('a question');
    displays.uncover(display);
    output('three');
    await expect.poll(() => terminal.lines()).toEqual(['one', '> ', '$ fg', 'three']);
  });

  test('a viewer sees what came when it was about to be drawn, though nothing more comes', async () => {
    const { displays, screen, output, settled } = setUp();
    const viewer = openTerminal();
    displays.addViewer(viewer.connection, viewer.model.size, undefined);
    await settled();
    let isToBeDrawn = false;
    const whenReached = screen.whenReached.bind(screen);
    screen.whenReached = (tell) => {
      whenReached(tell);
      screen.whenReached = whenReached;
      output('the end');
      isToBeDrawn = true;
    };
    output('first\r\n');

    await waitFor('the drawing', () => isToBeDrawn);
    await waitFor('the end', () => seenBy(viewer)[1] === 'the end');
    expect(seenBy(viewer)[0]).toBe('first');
  });

  test('viewers of several sizes follow, and say what they show where that was asked for', async () => {
    const { displays, output, settled } = setUp();
    const [row, title, plain] = [openTerminal({ columns: 30, rows: 4 }), openTerminal({ columns: 10, rows: 9 }), openTerminal()];
    displays.addViewer(row.connection, row.model.size, 'row');
    displays.addViewer(title.connection, title.model.size, 'title');
    displays.addViewer(plain.connection, plain.model.size, undefined);
    output('first\r\nsecond\r\nthird of them is long\r\n> ');
    displays.statusChanged();
    await expect.poll(() => seenBy(plain)[1]).toBe('second');
    await settled();

    expect(seenBy(row)).toEqual(['third of them is lon', 'g', '> ', 'calm-node 20x5'.padEnd(30)]);
    expect(title.model.ledger.title).toBe('calm-node 20x5');
    expect(seenBy(title).slice(0, 3)).toEqual(['first', 'second', 'third of t']);
    expect(plain.model.ledger.title).toBeUndefined();
  });
});
