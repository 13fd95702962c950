import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { TerminalHandlers, UserTerminal } from '../../../src/ports/user-terminal.ts';
import { AttachClient } from '../../../src/session/attach-client.ts';
import { type ClientMessage, encodeClientMessage } from '../../../src/session/messages.ts';
import { typedOf } from '../../support/attached-client.ts';

const FOLLOW_AFTER_MS = 20;

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** @param follow Fails, where the system refuses what following takes. */
function attach(follow: () => void = () => undefined, terminalName = 'xterm') {
  const terminal = { written: '', isRaw: false, handlers: undefined as TerminalHandlers | undefined };
  const sent: ClientMessage[] = [];
  const userTerminal: UserTerminal = {
    size: () => ({ columns: 80, rows: 24 }),
    identity: () => undefined,
    settings: () => '' as never,
    enterRaw: () => void (terminal.isRaw = true),
    leaveRaw: () => void (terminal.isRaw = false),
    ifKilled: () => undefined,
    write: (data) => void (terminal.written += Buffer.from(data).toString('latin1')),
    watch: () => undefined,
    follow(handlers) {
      follow();
      terminal.handlers = handlers;
    },
    [Symbol.dispose]: () => undefined,
  };
  const client = new AttachClient(userTerminal, {
    mode: 'attach',
    status: undefined,
    farewell: '',
    detachKeys: ['ctrl-]', 'd'],
    followAfterMs: FOLLOW_AFTER_MS,
    historyLines: undefined,
    terminalName,
    clock: { nowMs: () => 0, monotonicMs: () => 0, utcOffsetMinutes: () => 0 },
    stopGroup: () => undefined,
    isInForeground: () => true,
  });
  const connection = { peer: undefined, queuedBytes: 0, write: () => undefined, end: () => undefined, close: () => undefined };
  const ended = client.run({ connection, send: (message) => sent.push(message), isBetweenFrames: () => true });
  const { onMessage } = client.handlers;
  return {
    terminal,
    ended,
    sent,
    onMessage,
    shows: (text: string) => onMessage({ kind: 'redraw', data: Buffer.from(text) }),
    typed: () => sent.flatMap((message) => (message.kind === 'data' ? [Buffer.from(message.data).toString()] : [])),
  };
}

const DETACHED = { kind: 'exit', end: { reason: 'detached', rowsBelow: 0 } } as const;

describe('AttachClient', () => {
  test('shows the first screen before it follows what is typed, which comes a moment later', async () => {
    const { terminal, ended, onMessage, shows, typed } = attach();
    shows('a screen');
    expect(terminal).toMatchObject({ written: 'a screen', isRaw: true, handlers: undefined });

    vi.advanceTimersByTime(FOLLOW_AFTER_MS);
    terminal.handlers?.onInput(Buffer.from('typed before'));
    expect(typed()).toEqual(['typed before']);

    onMessage(DETACHED);
    await ended;
    expect(terminal.isRaw).toBe(false);
  });

  test('swallows what a terminal answers to a session that is over before anything typed was followed', async () => {
    const { terminal, ended, onMessage, shows, typed } = attach();
    shows('\x1b[c');
    onMessage(DETACHED);
    await Promise.resolve();
    expect(terminal.written).toBe('\x1b[c\x1b[c');

    terminal.handlers?.onInput(Buffer.from('\x1b[?1;2c\x1b[?1;2c'));

    await expect(ended).resolves.toMatchObject(DETACHED);
    expect(typed()).toEqual([]);
  });

  test('types all of a paste that came while nobody looked', async () => {
    const { terminal, ended, onMessage, sent } = attach();
    vi.advanceTimersByTime(FOLLOW_AFTER_MS);
    const paste = Buffer.from(`\x1b[200~${'pasted '.repeat(100_000)}\x1b[201~`);

    terminal.handlers?.onInput(paste);

    const typedBytes = typedOf(Buffer.concat(sent.map(encodeClientMessage)));
    expect(Buffer.compare(typedBytes, paste)).toBe(0);
    onMessage(DETACHED);
    await ended;
  });

  test.for([
    ['xterm', ['direct']],
    ['dumb', []],
    ['', []],
  ] as const)('lets a session write by itself to a terminal of the type %j: %j', async ([type, capabilities]) => {
    const { ended, onMessage, sent } = attach(undefined, type);
    expect(sent).toMatchObject([{ kind: 'hello', capabilities }]);
    onMessage(DETACHED);
    await ended;
  });

  test('gives the terminal back where it cannot be followed', async () => {
    const { terminal, ended } = attach(() => {
      throw new Error('no descriptor is left');
    });
    vi.advanceTimersByTime(FOLLOW_AFTER_MS);

    await expect(ended).rejects.toThrow('no descriptor is left');
    expect(terminal.isRaw).toBe(false);
  });
});
