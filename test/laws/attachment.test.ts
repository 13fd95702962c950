import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Shortcut } from '../../src/ports/shortcut.ts';
import type { Connection, ConnectionHandlers } from '../../src/ports/socket.ts';
import { ATTACHMENT, type ClientRole } from '../../src/session/attachment.ts';
import type { AuditEvent } from '../../src/session/audit-event.ts';
import { Hub } from '../../src/session/hub.ts';
import { type ClientMode, decodeServerMessage, encodeClientMessage, type ServerMessage } from '../../src/session/messages.ts';
import { FrameDecoder } from '../../src/session/protocol.ts';
import { runs } from '../support/effort.ts';
import { createShown } from '../support/shown-session.ts';

const RUNS = { numRuns: runs(import.meta.filename, 400) };
const SIZE = { columns: 80, rows: 24 };
/** Longer than the hub waits before it joins a terminal, and much shorter than for a hello. */
const STEP_MS = 60;

type Step =
  | { readonly kind: 'connect' | 'stopped' | 'dropped' | 'ended'; readonly who?: undefined }
  | { readonly kind: 'hello'; readonly who: number; readonly mode: ClientMode }
  | { readonly kind: 'data' | 'resize' | 'fence' | 'detach' | 'request' | 'close'; readonly who: number };

const who = fc.nat(3);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 40, arbitrary: fc.record({ kind: fc.constant('connect' as const) }) },
  {
    weight: 60,
    arbitrary: fc.record({
      kind: fc.constant('hello' as const),
      who,
      mode: fc.constantFrom<ClientMode>('attach', 'steal', 'view', 'control'),
    }),
  },
  {
    weight: 90,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'data' as const,
        'resize' as const,
        'detach' as const,
        'request' as const,
        'fence' as const,
        'close' as const,
      ),
      who,
    }),
  },
  { weight: 20, arbitrary: fc.record({ kind: fc.constantFrom('stopped' as const, 'dropped' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('ended' as const) }) },
);

/** Somebody is there from the start; those who came last are the likeliest to do something. */
const steps = fc
  .array(step, { maxLength: 50, size: 'max' })
  .map((list): readonly Step[] => [{ kind: 'connect' }, { kind: 'connect' }, ...list]);

/** All that can be seen of a session by its clients and its host, one line for each thing, in its order. */
class Seen {
  readonly lines: string[] = [];

  to(client: number, what: string): void {
    this.lines.push(`${client} hears ${what}`);
  }

  host(what: string): void {
    this.lines.push(what);
  }
}

/** What is to be seen, in words: whoever came last with `attach`, where nobody was, or `steal` has the session for itself. */
class Expected {
  readonly seen = new Seen();
  readonly #kinds: ('new' | 'viewer' | 'control' | 'gone')[] = [];
  attached: number | undefined;
  isResting = false;
  #isOver = false;

  take(one: Step): void {
    if (one.kind === 'connect') this.#kinds.push('new');
    else if (one.kind === 'stopped') {
      if (this.attached === undefined) return;
      this.isResting = true;
      this.seen.to(this.attached, 'stopped');
    } else if (one.kind === 'dropped') {
      if (this.attached !== undefined) this.#goes(this.attached, 'exit detached', 'dropped');
    } else if (one.kind === 'ended') {
      this.#isOver = true;
      this.#kinds.forEach((kind, client) => kind !== 'gone' && this.#goes(client, 'exit ended', 'ended'));
    } else if (one.who !== undefined) {
      const client = this.#kinds.length - 1 - one.who;
      const kind = this.#kinds[client];
      if (kind !== undefined && kind !== 'gone') this.#takeOf(client, kind, one);
    }
  }

  #takeOf(client: number, kind: 'new' | 'viewer' | 'control', one: Step): void {
    const isAttached = this.attached === client;
    if (one.kind === 'close') this.#goes(client, undefined, 'gone');
    else if (one.kind === 'detach') this.#goes(client, 'exit detached', 'asked');
    else if (one.kind === 'hello') this.#hello(client, one.mode, kind === 'new' && !isAttached);
    else if (one.kind === 'request' && kind === 'control') {
      this.seen.host(`request of ${client}`);
      this.seen.to(client, 'answer');
    } else if (one.kind === 'data' && isAttached) this.seen.host(`typed by ${client}`);
    else if (one.kind === 'resize' && isAttached) {
      this.isResting = false;
      this.seen.host(`size of ${client}`);
    } else if ((one.kind !== 'resize' || kind !== 'viewer') && (one.kind !== 'fence' || !isAttached))
      this.#goes(client, 'error protocol', 'gone');
  }

  #hello(client: number, mode: ClientMode, isNew: boolean): void {
    if (!isNew) return this.#goes(client, 'error protocol', 'gone');
    if (mode === 'attach' && this.attached !== undefined) return this.#goes(client, 'error busy', 'gone');
    this.seen.to(client, 'welcome');
    if (this.#isOver) return this.#goes(client, 'exit ended', 'ended');
    if (mode === 'control' || mode === 'view') {
      this.#kinds[client] = mode === 'view' ? 'viewer' : 'control';
      if (mode === 'view') this.seen.host(`audit attach view ${client}`);
      return;
    }
    const before = this.attached;
    this.seen.host(before === undefined ? `audit attach attach ${client}` : `audit steal ${before} ${client}`);
    if (before !== undefined) this.#goes(before, 'exit stolen', 'stolen');
    this.attached = client;
    this.seen.host('attached true');
    this.seen.host(`size of ${client}`);
  }

  #goes(client: number, hears: string | undefined, reason: string): void {
    if (hears !== undefined) this.seen.to(client, hears);
    const wasAttached = this.attached === client;
    if (wasAttached || this.#kinds[client] === 'viewer')
      this.seen.host(`audit detach ${wasAttached ? 'attach' : 'view'} ${reason} ${client}`);
    this.#kinds[client] = 'gone';
    if (!wasAttached) return;
    this.attached = undefined;
    this.isResting = false;
    this.seen.host('attached false');
  }
}

/** Keys and echoes pass the loop by only where nobody has to look at them. */
function watchedShortcut(client: number, expected: Expected, seen: Seen): Shortcut {
  return {
    open: ({ fromTerminal, toTerminal }) => {
      const mayPass = expected.attached === client && !expected.isResting;
      if (!mayPass && (fromTerminal || toTerminal)) seen.host(`${client} is passed by`);
    },
    close: () => undefined,
    isFenceDue: () => false,
    sendFence: () => false,
    fenceAnswered: () => undefined,
    answerFence: () => {
      if (expected.attached !== client || expected.isResting) seen.host(`${client} is told to pass by`);
      return true;
    },
    [Symbol.dispose]: () => undefined,
  };
}

/** A hub, its host and its clients. Widths and what is typed are the number of the client. */
function createSession(expected: Expected) {
  const seen = new Seen();
  const clients: { readonly connection: Connection; readonly handlers: ConnectionHandlers; isClosed: boolean }[] = [];
  const { screen } = createShown(SIZE, 10);
  const hub: Hub = new Hub(
    {
      hasTerminal: true,
      sessionId: 'a3f7c2',
      name: () => 'calm-node',
      status: () => 'running',
      type: (data) => seen.host(`typed by ${Buffer.from(data).toString()}`),
      resize: ({ columns }) => seen.host(`size of ${columns - 1}`),
      hasBegun: () => true,
      join: (connection, onIdle) => {
        onIdle();
        const client = clients.findIndex((one) => one.connection === connection);
        return watchedShortcut(client, expected, seen);
      },
      request: (_, { pid }) => {
        seen.host(`request of ${pid}`);
        return { isDone: true, changed: false };
      },
      audit: (event) => seen.host(`audit ${wordsOf(event)}`),
      attachmentChanged: (isAttached) => seen.host(`attached ${isAttached}`),
      questions: () => [],
      decide: () => undefined,
      propose: () => Promise.resolve(undefined),
      decideForGood: () => Promise.resolve(),
      nowMs: () => 0,
    },
    screen,
  );
  const connect = (): void => {
    const client = clients.length;
    const decoder = new FrameDecoder();
    const connection: Connection = {
      peer: { pid: client, uid: 1000 },
      queuedBytes: 0,
      write: (frames) => {
        for (const frame of decoder.push(frames)) {
          const words = wordsHeard(decodeServerMessage(frame));
          if (words !== undefined) seen.to(client, words);
        }
      },
      end: () => undefined,
      close: () => undefined,
    };
    clients.push({ connection, handlers: hub.accept(connection), isClosed: false });
  };
  return { hub, seen, clients, connect };
}

function wordsOf(event: AuditEvent): string {
  if (event.event === 'attach') return `attach ${event.mode} ${event.pid}`;
  if (event.event === 'steal') return `steal ${event.from_pid} ${event.pid}`;
  return event.event === 'detach' ? `detach ${event.mode} ${event.reason} ${event.pid}` : event.event;
}

function wordsHeard(message: ServerMessage): string | undefined {
  if (message.kind === 'exit') return `exit ${message.end.reason}`;
  if (message.kind === 'error') return `error ${message.code}`;
  return ['welcome', 'answer', 'stopped'].includes(message.kind) ? message.kind : undefined;
}

function perform({ hub, clients, connect }: ReturnType<typeof createSession>, one: Step): void {
  if (one.kind === 'connect') return connect();
  if (one.kind === 'stopped') return hub.stopped();
  if (one.kind === 'dropped') return void hub.detach();
  if (one.kind === 'ended') return void hub.end({ reason: 'ended', exitCode: 0, signal: null });
  if (one.who === undefined) return;
  const number = clients.length - 1 - one.who;
  const client = clients[number];
  if (client === undefined || client.isClosed) return;
  const size = { columns: number + 1, rows: 24 };
  if (one.kind === 'close') {
    client.isClosed = true;
    client.handlers.onClose();
  } else if (one.kind === 'hello') {
    client.handlers.onData(encodeClientMessage({ kind: 'hello', mode: one.mode, size, terminal: 'xterm', capabilities: [] }));
  } else if (one.kind === 'data') client.handlers.onData(encodeClientMessage({ kind: 'data', data: Buffer.from(`${number}`) }));
  else if (one.kind === 'resize') client.handlers.onData(encodeClientMessage({ kind: 'resize', size }));
  else if (one.kind === 'fence') client.handlers.onData(encodeClientMessage({ kind: 'typedFence', number: 1 }));
  else if (one.kind === 'detach') client.handlers.onData(encodeClientMessage({ kind: 'detach' }));
  else client.handlers.onData(encodeClientMessage({ kind: 'request', request: { verb: 'status' } }));
}

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

describe('the clients of a session', () => {
  test('attach, steal, view, ask, stop, leave, vanish and are refused as is told, whatever comes in whatever order', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (list) => {
        const expected = new Expected();
        const session = createSession(expected);
        for (const one of list) {
          expected.take(one);
          perform(session, one);
          for (let turns = 0; turns < 4; turns++) await turn();
          vi.advanceTimersByTime(STEP_MS);
          expect({ one, lines: session.seen.lines }).toEqual({ one, lines: expected.seen.lines });
          expect(session.hub.isAttached).toBe(expected.attached !== undefined);
        }
      }),
      RUNS,
    );
  });

  test('have a table in which whoever is gone stays so, and everybody can go', () => {
    const reached = new Set<ClientRole>(['new']);
    for (const role of reached) for (const next of Object.values(ATTACHMENT[role])) reached.add(next);
    expect([...reached].toSorted()).toEqual(Object.keys(ATTACHMENT).toSorted());
    for (const [role, row] of Object.entries(ATTACHMENT))
      expect({ role, isEnd: Object.values(row).includes('gone') }).toEqual({ role, isEnd: role !== 'gone' });
    expect(ATTACHMENT.gone).toEqual({});
  });
});
