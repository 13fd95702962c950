import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { writeAll } from '../../src/platform/linux/channel.ts';
import type { Borrower, Lender } from '../../src/platform/linux/relay/lent-socket.ts';
import { type Relay, startRelay } from '../../src/platform/linux/relay/relay.ts';
import { trySyscall } from '../../src/platform/linux/syscalls.ts';
import type { Shortcut } from '../../src/ports/shortcut.ts';
import type { TerminalHandlers } from '../../src/ports/user-terminal.ts';
import { encodeServerMessage } from '../../src/session/messages.ts';
import { encodeFrame, FRAME, FrameDecoder, type FrameType } from '../../src/session/protocol.ts';
import { inPieces } from '../../src/session/send-pieces.ts';
import { createAttached, typedOf } from '../support/attached-client.ts';
import { runs } from '../support/effort.ts';
import { LentConnection, streamPair } from '../support/joined.ts';
import { waitFor } from '../support/wait.ts';

const ESCAPE = '\x1b';
const numRuns = runs(import.meta.url, 60);
const latin1 = (data: Uint8Array): string => Buffer.from(data).toString('latin1');
/** Some other moment: nothing hangs on what has happened by then. */
const moment = () => sleep(1);

// biome-ignore format: one a line is no easier to read
const SHOWN = [
  'hello', 'a\r\n', '日本', '\xc3', '\x1b[31m', '\x1b[0m', '\x1b[1;34mx\x1b[0m', '\x1b[4:3m', '\x1b[5;9H', '\x1b[2K', '\x1b[?1049h', '\x1b[?1049l',
  '\x1b[?2004h', '\x1b[?25l', '\x1b[?12l\x1b[?25h', '\x1b[?1h\x1b=', '\x1b[?2026h', '\x1b[?1;25l', '\x1b[?7l', '\x1b', '[', '\x1b[', '3', '1m', '\x1b7', '\x1b8', '\x1b(0', '\x1b]2;title\x07', '\x1b]2;ti', 'tle\x1b\\', '\x1b]52;c;aGk=\x07',
  '\x1b]52;c;?\x07', '\x1b[2;5r', '\x1b[>1u', '\x1b[5 q', '\x1bP1;2|x\x1b\\', '\x1b[\r1m', '\x1b[3\x1b[1m', '\x18', '\x9b', '\x9b?1049h', '\x9b31m', '\x9d52;c;?\x9c', '\x85', '\xa0', '\xab\xbb', '\x0e', 'x'.repeat(5000),
  `\x1b[${'1;'.repeat(40)}1m`, `\x1b[${'1;'.repeat(40)}`,
];
/** Nothing of it has to be looked at, however it is split. */
// biome-ignore format: one a line is no easier to read
const HARMLESS = ['text', '\x1b', '[', '1', ';', 'm', 'H', '\x1b[K', '\x1b[3;4H', '\x1b[m', '\x1b[32mgreen', '日本'.slice(0, 1), '\r\n'];
/** What terminals take for an escape and more, and what shifts a console: it is read like that. */
const READ_CONTROLS = ['\x9b?1049h', 'a\x9b?1049h', 'eight letters\xa0\x9b?1049h', '\x0e', 'eight letters\x0e'];
const TYPED = [
  'a',
  'ls\r',
  '\x03',
  '\x1b',
  '\x1b[A',
  '\x1bOB',
  'é',
  '\x1d',
  '\x1dq',
  '\x1b[93;5u',
  '\x1b[200~pasted\x1b[201~',
  'y'.repeat(3000),
];
const CURSOR_KEYS = ['\x1b[A', '\x1bOB'];
/** A terminal is put back from too much rather than from too little. */
const RESETS_REGEXP = /\x1b\[0m|\x1b\[\?1l|\x1b\[\?25h|\x1b\[\?20(?:04|26)l|\x1b>/g;
const shown = fc
  .array(fc.constantFrom(...SHOWN), { minLength: 1, maxLength: 6 })
  .map((pieces) => Buffer.from(pieces.join(''), 'utf8'));
const typed = fc.constantFrom(...TYPED).map((text) => Buffer.from(text, 'utf8'));

const harmless = fc
  .array(fc.constantFrom(...HARMLESS), { minLength: 1, maxLength: 6 })
  .map((pieces) => Buffer.from(pieces.join(''), 'utf8'));

const action = fc.oneof(
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('shown' as const), data: harmless }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('shown' as const), data: shown }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('typed' as const), data: typed }) },
  { weight: 3, arbitrary: fc.constant({ kind: 'moment' as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'mark' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'open' as const }) },
);
const actions = fc.array(action, { maxLength: 60 });

/** Shown by then by the relay alone, where there is one. */
function whilePassing(text: string) {
  const moments = Array.from({ length: 3 }, () => ({ kind: 'moment' as const }));
  const show = (data: string) => ({ kind: 'shown' as const, data: Buffer.from(data, 'utf8') });
  return [show('text'), ...moments, { kind: 'open' as const }, ...moments, show(text), ...moments];
}

describe('A relay of a session', () => {
  test.for([false, true])('tells of what passes without a pause, too, where others watch (%s) or not', async (isWatched) => {
    const [terminalFd, terminal] = streamPair();
    const [wireFd, wire] = streamPair();
    using _ends = terminal;
    using _wire = wire;
    let passedBytes = 0;
    using relay = startRelay(terminalFd, {
      isSession: true,
      handlers: {
        onTerminal: (data, isPassed) => void (passedBytes += isPassed ? data.length : 0),
        onTerminalEnd: () => undefined,
        onRoom: () => undefined,
        onStuck: () => undefined,
      },
    }) as Relay;
    const connection = new LentConnection(wireFd, {
      onData: () => undefined,
      onDrain: () => undefined,
      onClose: () => undefined,
    });
    const shortcut = relay.join(
      connection,
      () => true,
      () => undefined,
    ) as Shortcut;
    shortcut.open({ fromTerminal: true, toTerminal: true, isWatched });
    await waitFor('some of it', () => {
      terminal.write(Buffer.from('x'));
      return passedBytes > 1;
    });
    connection.close();
    expect(passedBytes).toBe(sentOf(wire.read()).shown.length);
  });

  test.for([false, true])(
    'reads no further ahead than it may, and all in the end, whoever has a connection (%s)',
    async (isJoined) => {
      const [terminalFd, terminal] = streamPair();
      const [wireFd, wire] = streamPair();
      using _ends = terminal;
      using _wire = wire;
      const told: number[] = [];
      using relay = startRelay(terminalFd, {
        isSession: true,
        handlers: {
          onTerminal: (data) => void told.push(data.length),
          onTerminalEnd: () => undefined,
          onRoom: () => undefined,
          onStuck: () => undefined,
        },
      }) as Relay;
      const ignored = { onData: () => undefined, onDrain: () => undefined, onClose: () => undefined };
      const connection = new LentConnection(wireFd, ignored);
      const none = () => undefined;
      const shortcut = isJoined ? relay.join(connection, () => true, none) : undefined;
      shortcut?.open({ fromTerminal: true, toTerminal: true });
      relay.readAhead(1);
      const all = () => told.reduce((sum, length) => sum + length, 0);
      const length = 100_000;
      terminal.write(Buffer.alloc(length, 'x'));
      await waitFor('all of it', () => all() === length);
      // Of a terminal it reads 4 KiB at a time.
      expect(Math.max(...told)).toBeLessThanOrEqual(8 * 1024);

      relay.readAhead(Number.POSITIVE_INFINITY);
      terminal.write(Buffer.alloc(length, 'x'));
      await waitFor('the rest', () => all() === 2 * length);
      expect(Math.max(...told)).toBeGreaterThan(8 * 1024);
      connection.close();
    },
  );

  test('sends all that it was to pass on before who is told of that writes another frame', async () => {
    const [terminalFd, terminal] = streamPair();
    const [wireFd, wire] = streamPair();
    using _ends = terminal;
    using _wire = wire;
    const length = 3 * 1024 * 1024;
    let toldBytes = 0;
    let passedBytes = 0;
    let borrower: Borrower | undefined;
    // Nobody reads: what is not taken waits here.
    const waiting: Uint8Array[] = [];
    using relay = startRelay(terminalFd, {
      isSession: true,
      handlers: {
        onTerminal(data, isPassed) {
          const write = (type: FrameType, payload: Uint8Array): void => {
            waiting.push(borrower?.takePending() ?? new Uint8Array(), encodeFrame({ type, payload }));
          };
          if (!isPassed) for (const piece of inPieces(data)) write(FRAME.output, piece);
          else if (passedBytes === 0) write(FRAME.progress, new Uint8Array());
          if (isPassed) passedBytes += data.length;
          toldBytes += data.length;
        },
        onTerminalEnd: () => undefined,
        onRoom: () => undefined,
        onStuck: () => undefined,
      },
    }) as Relay;
    const connection: Lender = {
      lend(one) {
        borrower = one;
        return {
          descriptor: wireFd,
          peerPid: undefined,
          queuedBytes: () => 0,
          onData: () => undefined,
          onEnd: () => undefined,
          write: (data) => void waiting.push(data.slice()),
          release: () => undefined,
        };
      },
    };
    const shortcut = relay.join(
      connection,
      () => true,
      () => undefined,
    ) as Shortcut;
    shortcut.open({ fromTerminal: true, toTerminal: true });
    terminal.write(Buffer.alloc(length, 'x'));
    await waitFor('all of it', () => toldBytes === length);

    const { shown: sent, marks } = sentOf(Buffer.concat([wire.read(), ...waiting]));
    expect(latin1(sent) === 'x'.repeat(length)).toBe(true);
    expect(marks).toEqual([passedBytes]);
    shortcut[Symbol.dispose]();
    trySyscall('close', wireFd);
  });

  /** What the far ends have got, and what JavaScript was told meanwhile. */
  async function play(list: typeof actions extends fc.Arbitrary<infer List> ? List : never) {
    const [terminalFd, terminal] = streamPair();
    const [wireFd, wire] = streamPair();
    using _ends = terminal;
    using _wire = wire;
    const known: Uint8Array[] = [];
    let passedBytes = 0;
    const looked: string[] = [];
    const marks: number[] = [];
    const decoder = new FrameDecoder();
    const toTerminal = (data: Uint8Array): void => {
      writeAll(terminalFd, Uint8Array.from(relay.takePendingForTerminal()));
      writeAll(terminalFd, Uint8Array.from(data));
    };
    using relay = startRelay(terminalFd, {
      isSession: true,
      handlers: {
        onTerminal(data, isPassed) {
          known.push(data.slice());
          if (isPassed) passedBytes += data.length;
          if (!isPassed) connection.write(encodeFrame({ type: FRAME.output, payload: data }));
        },
        onTerminalEnd: () => undefined,
        onRoom: () => undefined,
        onStuck: (data) => toTerminal(data),
      },
    }) as Relay;
    const connection = new LentConnection(wireFd, {
      onData(data) {
        for (const { payload } of decoder.push(data)) {
          looked.push(latin1(payload));
          toTerminal(payload);
        }
      },
      onDrain: () => undefined,
      onClose: () => undefined,
    });
    const open = () => shortcut.open({ fromTerminal: true, toTerminal: decoder.isBetweenFrames });
    const shortcut = relay.join(connection, (key) => key !== ESCAPE, open) as Shortcut;
    open();
    const wanted = { shown: [] as Uint8Array[], typed: [] as Uint8Array[] };
    for (const one of list) {
      if (one.kind === 'shown') terminal.write(one.data);
      else if (one.kind === 'typed') wire.write(encodeFrame({ type: FRAME.data, payload: one.data }));
      else if (one.kind === 'moment') await moment();
      else if (one.kind === 'open') open();
      else {
        shortcut.close();
        marks.push(Buffer.concat(known).length);
        connection.write(encodeFrame({ type: FRAME.progress, payload: new Uint8Array() }));
      }
      if (one.kind === 'shown' || one.kind === 'typed') wanted[one.kind].push(one.data);
    }
    const wantedShown = Buffer.concat(wanted.shown);
    const wantedTyped = Buffer.concat(wanted.typed);
    await waitFor('all of it', () => {
      const isKnown = Buffer.concat(known).length >= wantedShown.length;
      return isKnown && terminal.read().length >= wantedTyped.length && sentOf(wire.read()).shown.length >= wantedShown.length;
    });
    const sent = sentOf(wire.read());
    connection.close();
    return {
      sent,
      marks,
      passedBytes,
      looked,
      known: Buffer.concat(known),
      typed: Buffer.from(terminal.read()),
      wantedShown,
      wantedTyped,
    };
  }

  test('passes on everything once and in order, and tells all of what was shown, whatever is opened and closed meanwhile', async () => {
    let allPassedBytes = 0;
    await fc.assert(
      fc.asyncProperty(actions, async (list) => {
        const { sent, known, passedBytes, typed: got, wantedShown, wantedTyped } = await play(list);
        allPassedBytes += passedBytes;

        expect(latin1(sent.shown)).toBe(latin1(wantedShown));
        expect(latin1(known)).toBe(latin1(wantedShown));
        expect(latin1(got)).toBe(latin1(wantedTyped));
      }),
      { numRuns },
    );
    expect(allPassedBytes).toBeGreaterThan(0);
  });

  test('has passed on exactly what was told when it is closed: what is written then comes behind that', async () => {
    await fc.assert(
      fc.asyncProperty(actions, async (list) => {
        const { sent, marks } = await play(list);

        expect(sent.marks).toEqual(marks);
      }),
      { numRuns },
    );
  });

  test('leaves each frame with an escape to JavaScript, but for keys of the cursor', async () => {
    await fc.assert(
      fc.asyncProperty(actions, async (list) => {
        const { looked } = await play(list);
        const isSpecial = (text: string) => text.includes(ESCAPE) && !CURSOR_KEYS.includes(text);
        const special = list.filter((one) => one.kind === 'typed' && isSpecial(latin1(one.data)));

        expect(looked.filter(isSpecial)).toHaveLength(special.length);
      }),
      { numRuns },
    );
  });
});

/** The output in a stream of frames, and how much of it was before each other one. */
function sentOf(stream: Uint8Array): { readonly shown: Uint8Array; readonly marks: readonly number[] } {
  const pieces: Uint8Array[] = [];
  const marks: number[] = [];
  let length = 0;
  for (const { type, payload } of new FrameDecoder().push(stream)) {
    if (type !== FRAME.output) marks.push(length);
    else {
      pieces.push(payload);
      length += payload.length;
    }
  }
  return { shown: Buffer.concat(pieces), marks };
}

describe('An attached client', () => {
  interface Played {
    readonly shown: string;
    readonly typed: string;
    /** How often its loop had to look at something. */
    readonly looked: number;
    /** What puts the terminal back. */
    readonly lastWords: string;
  }

  /** All that its terminal and its supervisor get. */
  async function play(list: typeof actions extends fc.Arbitrary<infer List> ? List : never, isJoined: boolean): Promise<Played> {
    const [terminalFd, far] = streamPair();
    const [wireFd, wire] = streamPair();
    using _far = far;
    using _wire = wire;
    let relay: Relay | undefined;
    let handlers: TerminalHandlers | undefined;
    let isOver = false;
    let lastWords = '';
    let looked = 0;
    const { client, link, receive } = createAttached({
      terminal: terminalFd,
      wire: wireFd,
      takePending: () => relay?.takePendingForTerminal(),
      onWrite: (data) => (lastWords += isOver ? latin1(data) : ''),
      onReceive: () => (looked += 1),
      follow: (given) => void (handlers = given),
      followJoined(given, { connection, isPlain, onIdle }) {
        if (!isJoined) return undefined;
        relay = startRelay(terminalFd, {
          isSession: false,
          handlers: { onTerminal: given.onInput, onTerminalEnd: given.onEnd, onRoom: () => undefined, onStuck: () => undefined },
        });
        return relay?.join(connection as LentConnection, isPlain, onIdle);
      },
    });
    const ended = client.run(link);
    const serve = (frame: Uint8Array) => (isJoined ? wire.write(frame) : receive(frame));
    const type = (data: Uint8Array) => (isJoined ? far.write(data) : handlers?.onInput(data));
    let shownBytes = 0;
    for (const one of list) {
      if (one.kind === 'shown') serve(encodeServerMessage({ kind: 'output', data: one.data }));
      else if (one.kind === 'typed') type(one.data);
      else if (one.kind === 'moment') await moment();
      else if (one.kind === 'mark') serve(encodeServerMessage({ kind: 'progress', message: `${shownBytes++}` }));
    }
    type(Buffer.from('\x1b[Dlast'));
    await waitFor('what was typed', () => latin1(typedOf(wire.read())).endsWith('last'));
    for (const key of '\x1dd') type(Buffer.from(key));
    await waitFor('the end', () => [...new FrameDecoder().push(wire.read())].some((frame) => frame.type === FRAME.detach));
    isOver = true;
    serve(encodeServerMessage({ kind: 'exit', end: { reason: 'detached', rowsBelow: 1 } }));
    await ended;
    relay?.[Symbol.dispose]();
    return { shown: latin1(far.read()), typed: latin1(typedOf(wire.read())), looked, lastWords };
  }

  test('shows and types the same with a relay and without', async () => {
    let lookedLess = 0;
    await fc.assert(
      fc.asyncProperty(actions, async (list) => {
        const joined = await play(list, true);
        const alone = await play(list, false);

        lookedLess += Math.max(0, alone.looked - joined.looked);
        expect(joined.typed).toBe(alone.typed);
        if (alone.lastWords.includes('\x1b[0m')) expect(joined.lastWords).toContain('\x1b[0m');
        for (const reset of alone.lastWords.match(RESETS_REGEXP) ?? []) expect(joined.lastWords).toContain(reset);
        expect(joined.shown.replaceAll(RESETS_REGEXP, '')).toBe(alone.shown.replaceAll(RESETS_REGEXP, ''));
      }),
      { numRuns, examples: READ_CONTROLS.map((control): [ReturnType<typeof whilePassing>] => [whilePassing(control)]) },
    );
    expect(lookedLess).toBeGreaterThan(0);
  });
});
