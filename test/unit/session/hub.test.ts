import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Shortcut } from '../../../src/ports/shortcut.ts';
import type { Connection } from '../../../src/ports/socket.ts';
import type { ControlRequest } from '../../../src/session/control-requests.ts';
import { Hub } from '../../../src/session/hub.ts';
import type { HubHost } from '../../../src/session/hub-host.ts';
import { type ClientMode, DIRECT, encodeClientMessage } from '../../../src/session/messages.ts';
import { createShown } from '../../support/shown-session.ts';

const LONGER_THAN_ANY_WAIT_MS = 3_600_000;

const HOST: HubHost = {
  hasTerminal: true,
  sessionId: 'a3f7c2',
  name: () => 'calm-node',
  status: () => 'running',
  type: () => undefined,
  resize: () => undefined,
  hasBegun: () => true,
  request: () => ({ isDone: true, changed: false }),
  audit: () => undefined,
  attachmentChanged: () => undefined,
  questions: () => [],
  decide: () => undefined,
  propose: () => Promise.resolve(undefined),
  decideForGood: () => Promise.resolve(),
  nowMs: () => 0,
};

function createHub(host: Partial<HubHost> = {}): Hub {
  return new Hub({ ...HOST, ...host }, createShown({ columns: 80, rows: 24 }, 10).screen);
}

function connect(hub: Hub) {
  const state = { isEnded: false };
  const connection = {
    peer: { pid: 7, uid: 1000 },
    queuedBytes: 0,
    write: () => undefined,
    end: () => (state.isEnded = true),
    close: () => (state.isEnded = true),
  } satisfies Connection;
  return { handlers: hub.accept(connection), state, connection };
}

/** A way beside the loop that counts what it is asked for. */
function countingShortcut() {
  const count = { asked: 0, answered: 0, taken: [] as boolean[], watched: [] as unknown[] };
  const shortcut: Shortcut = {
    open: ({ isWatched }) => void count.watched.push(isWatched),
    close: () => undefined,
    isFenceDue: () => true,
    sendFence: () => (count.asked += 1) > 0,
    fenceAnswered: (isLast) => void count.taken.push(isLast),
    answerFence: () => (count.answered += 1) > 0,
    [Symbol.dispose]: () => undefined,
  };
  return { count, shortcut };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('Hub', () => {
  test('keeps a client that said hello for as long as it stays', () => {
    const hub = createHub();
    const { handlers, state } = connect(hub);
    const size = { columns: 80, rows: 24 };
    handlers.onData(encodeClientMessage({ kind: 'hello', mode: 'attach', size, terminal: 'xterm', capabilities: [] }));

    vi.advanceTimersByTime(LONGER_THAN_ANY_WAIT_MS);

    expect({ ...state, isAttached: hub.isAttached }).toEqual({ isEnded: false, isAttached: true });
  });

  test.for(['attach', 'view'] as const)('takes no answer from a client of the mode %s, whose connection it ends', (mode) => {
    const decided: number[] = [];
    const hub = createHub({
      decide: (number) => void decided.push(number),
      request: () => ({ isDone: true, changed: decided.push(0) > 0 }),
    });
    const { handlers, state } = connect(hub);
    const size = { columns: 80, rows: 24 };
    handlers.onData(encodeClientMessage({ kind: 'hello', mode, size, terminal: 'xterm', capabilities: [] }));
    const request = { verb: 'decide', number: 1, decision: 'once', note: null } as const;
    handlers.onData(encodeClientMessage({ kind: 'request', request }));

    expect({ ...state, decided }).toEqual({ isEnded: true, decided: [] });
  });

  test('drops a connection that never says hello', () => {
    const { state } = connect(createHub());

    vi.advanceTimersByTime(LONGER_THAN_ANY_WAIT_MS);

    expect(state.isEnded).toBe(true);
  });

  test('carries out no more for a client that does not read its answers, until it has', async () => {
    const asked: string[] = [];
    const request = (one: ControlRequest) =>
      ({ isDone: true, changed: false, content: Buffer.from(String(asked.push(one.verb))) }) as const;
    const hub = createHub({ request });
    const { handlers, state, connection } = connect(hub);
    handlers.onData(hello('control'));
    connection.queuedBytes = 1;
    for (let count = 0; count < 3; count++) handlers.onData(LOG);
    await settleAll();
    expect(asked).toEqual([]);
    connection.queuedBytes = 0;
    handlers.onDrain();
    await settleAll();
    expect(asked).toEqual(['log', 'log', 'log']);
    expect(state.isEnded).toBe(false);
  });

  test('ends the connection of a client that asks on and on and reads nothing', async () => {
    const hub = createHub();
    const { handlers, state, connection } = connect(hub);
    handlers.onData(hello('control'));
    connection.queuedBytes = 1;
    const data = new Uint8Array(150_000);
    for (let count = 0; count < 10; count++)
      handlers.onData(encodeClientMessage({ kind: 'request', request: { verb: 'send', data } }));
    await settleAll();
    expect(state.isEnded).toBe(true);
  });

  test('gives the session the last of the sizes that a client sends at once, and draws it anew where that was asked for', () => {
    const sizes: string[] = [];
    const hub = createHub({ resize: ({ columns, rows }) => void sizes.push(`${columns}x${rows}`) });
    const { handlers } = connect(hub);
    handlers.onData(hello('attach'));
    const resize = (columns: number) => encodeClientMessage({ kind: 'resize', size: { columns, rows: 30 } });
    const send = (...columns: readonly number[]) => {
      sizes.length = 0;
      handlers.onData(Buffer.concat(columns.map((one) => resize(one))));
      return [...sizes];
    };
    expect(send(...Array.from({ length: 3000 }, (_, at) => 100 + (at % 50)))).toEqual(['149x30']);
    // Of the size that the session has, it asks for a drawing.
    expect(send(100, 100)).toEqual(['100x30', '100x30']);
    expect(send(100, 110, 120)).toEqual(['120x30', '120x30']);
    sizes.length = 0;
    handlers.onData(Buffer.concat([resize(90), encodeClientMessage({ kind: 'data', data: Buffer.from('x') }), resize(91)]));
    expect(sizes).toEqual(['90x30', '91x30']);
  });

  test.for([
    [10_000, 10_000],
    [1001, 1000],
  ] as const)('ends the connection of a client with a terminal of %i by %i, which there is not', ([columns, rows]) => {
    const sizes: unknown[] = [];
    const hub = createHub({ resize: (size) => void sizes.push(size) });
    const [greeting, resizing] = [connect(hub), connect(hub)];
    greeting.handlers.onData(hello('attach', { columns, rows }));
    resizing.handlers.onData(hello('attach'));
    resizing.handlers.onData(encodeClientMessage({ kind: 'resize', size: { columns, rows } }));
    expect([greeting.state.isEnded, resizing.state.isEnded, sizes]).toEqual([true, true, [{ columns: 80, rows: 24 }]]);
  });

  test.for([
    { capabilities: [DIRECT], times: 1, about: 'asks one that knows of fences whether it has all that was sent, and answers it' },
    { capabilities: [], times: 0, about: 'neither asks nor answers one that does not' },
  ])('$about', ({ capabilities, times }) => {
    const { count, shortcut } = countingShortcut();
    const hub = createHub({ join: () => shortcut });
    const { handlers } = connect(hub);
    const size = { columns: 80, rows: 24 };
    handlers.onData(encodeClientMessage({ kind: 'hello', mode: 'attach', size, terminal: 'xterm', capabilities }));
    vi.advanceTimersByTime(LONGER_THAN_ANY_WAIT_MS);

    handlers.onData(encodeClientMessage({ kind: 'shownAnswer', number: 1 }));
    handlers.onData(encodeClientMessage({ kind: 'shownAnswer', number: 7 }));
    expect(count).toMatchObject({ asked: times, answered: 0, taken: times > 0 ? [true, false] : [] });
    handlers.onData(encodeClientMessage({ kind: 'typedFence', number: 3 }));
    vi.advanceTimersByTime(1);
    expect(count.answered).toBe(times);
    handlers.onData(encodeClientMessage({ kind: 'data', data: Buffer.from('\x1b[') }));
    // In the middle of what may be an answer to the program.
    handlers.onData(encodeClientMessage({ kind: 'typedFence', number: 4 }));
    vi.advanceTimersByTime(LONGER_THAN_ANY_WAIT_MS);
    expect(count.answered).toBe(times);
    handlers.onData(encodeClientMessage({ kind: 'data', data: Buffer.from('c') }));
    vi.advanceTimersByTime(1);
    expect(count.answered).toBe(2 * times);
  });

  test('answers a fence that came before there was a way beside the loop', () => {
    const { count, shortcut } = countingShortcut();
    const { handlers } = connect(createHub({ join: () => shortcut }));
    const size = { columns: 80, rows: 24 };
    handlers.onData(encodeClientMessage({ kind: 'hello', mode: 'attach', size, terminal: 'xterm', capabilities: [DIRECT] }));
    handlers.onData(encodeClientMessage({ kind: 'typedFence', number: 1 }));
    expect(count.answered).toBe(0);
    vi.advanceTimersByTime(LONGER_THAN_ANY_WAIT_MS);
    expect(count.answered).toBe(1);
  });

  test('has what passes by told soon for as long as somebody else looks at it', () => {
    const { count, shortcut } = countingShortcut();
    const hub = createHub({ join: () => shortcut });
    const isWatched = () => {
      vi.advanceTimersByTime(LONGER_THAN_ANY_WAIT_MS);
      return count.watched.at(-1);
    };
    connect(hub).handlers.onData(hello('attach'));
    expect(isWatched()).toBe(false);
    const viewer = connect(hub);
    viewer.handlers.onData(hello('view'));
    expect(isWatched()).toBe(true);
    viewer.handlers.onData(encodeClientMessage({ kind: 'detach' }));
    expect(isWatched()).toBe(false);
  });

  test.for(['view', 'control'] as const)('ends a client of the mode %s that sends a fence', (mode) => {
    const { handlers, state } = connect(createHub());
    const size = { columns: 80, rows: 24 };
    handlers.onData(encodeClientMessage({ kind: 'hello', mode, size, terminal: 'xterm', capabilities: [DIRECT] }));
    handlers.onData(encodeClientMessage({ kind: 'typedFence', number: 1 }));

    expect(state.isEnded).toBe(true);
  });
});

const LOG = encodeClientMessage({ kind: 'request', request: { verb: 'log', follow: false } });

function hello(mode: ClientMode, size = { columns: 80, rows: 24 }): Uint8Array {
  return encodeClientMessage({ kind: 'hello', mode, size, terminal: 'xterm', capabilities: [] });
}

/** Longer than any chain of promises here. */
async function settleAll(): Promise<void> {
  for (let turn = 0; turn < 100; turn++) await Promise.resolve();
}
