import { describe, expect, test, vi } from 'vitest';
import { type Bytes, bufferFromBytes, bytesFromText } from '../../../../src/bytes.ts';
import type { Context } from '../../../../src/commands/context.ts';
import { Dialogue } from '../../../../src/commands/rollback/dialogue.ts';
import type { NamedSession } from '../../../../src/commands/rollback/open-store.ts';
import { Review } from '../../../../src/commands/rollback/review-dialogue.ts';
import type { SessionView } from '../../../../src/commands/rollback/session-view.ts';
import { createNodeHash } from '../../../../src/platform/node/hash.ts';
import type { TerminalHandlers, UserTerminal } from '../../../../src/ports/user-terminal.ts';
import type { Change } from '../../../../src/rollback/compare.ts';
import { contentOf } from '../../../../src/rollback/content-access.ts';
import { type Entry, skippedEntry } from '../../../../src/rollback/entry.ts';
import type { FileDelta, FileSide } from '../../../../src/rollback/file-delta.ts';

const hash = createNodeHash();

interface FakeTerminal {
  readonly context: Context;
  readonly written: () => string;
  readonly handlers: () => TerminalHandlers;
  readonly stops: () => number;
}

/** Answers each question, which the terminal is told of by a text that ends in `] `, with the next key. */
function createTerminal(columns: number, isColour: boolean, type: string, keys: string[]): FakeTerminal {
  let [written, stops] = ['', 0];
  let handlers: TerminalHandlers | undefined;
  const terminal: UserTerminal = {
    size: () => ({ columns, rows: 1000 }),
    identity: () => undefined,
    ifKilled: () => undefined,
    settings: () => '' as Bytes,
    enterRaw: () => undefined,
    leaveRaw: () => undefined,
    write(data) {
      const text = Buffer.from(data).toString('utf8');
      written += text;
      if (/[\])] $/.test(text)) setTimeout(() => handlers?.onInput(Buffer.from(keys.shift() ?? '\x03')), 1);
    },
    watch: () => undefined,
    follow: (given) => void (handlers = given),
    [Symbol.dispose]: () => undefined,
  };
  const signals = {
    watch: () => ({ [Symbol.dispose]: () => undefined }),
    stopGroup: () => void (stops += 1),
    foregroundGroup: () => undefined,
  };
  const context: Partial<Record<keyof Context, unknown>> = {
    terminal: { isStdinTerminal: true, isStdoutTerminal: true, colourStdout: isColour },
    environment: new Map([['TERM', type]]),
    homeDirectory: '/home/u',
    clock: { nowMs: () => 60_000 },
    loadSignals: async () => signals,
    loadUserTerminal: async () => () => terminal,
  };
  return {
    context: context as unknown as Context,
    written: () => written,
    handlers: () => handlers as TerminalHandlers,
    stops: () => stops,
  };
}

function sideOf(text: string): FileSide {
  const data = bufferFromBytes(text as Bytes);
  return { mode: '100644', permissions: 0o644, content: contentOf(data), hash: hash.sha256(data) };
}

function change(path: string, fields: Partial<Change> = {}): Change {
  const entry: Entry = { ...skippedEntry('x' as Bytes, 'excluded'), reason: undefined, kind: 'file', mode: 0o644 };
  return { path: bytesFromText(`/p/${path}`), root: '/p' as Bytes, type: '~', before: entry, after: entry, ...fields };
}

/** One that still runs, so that nothing is remembered of the review. */
function createView(): SessionView {
  const changes = [
    change('a/long/name/of/a/file/that/does/not/fit.ts'),
    change('表\x1b[2J'),
    change('mode', { type: 'p', after: { ...(change('x').after as Entry), mode: 0o755 } }),
  ];
  const lines = Array.from({ length: 20 }, (_, at) => `line ${at}\n`);
  const delta = (at: number, after: readonly string[]): FileDelta => ({
    path: changes[at]?.path as Bytes,
    name: (changes[at]?.path ?? '').slice(3) as Bytes,
    before: sideOf(lines.join('')),
    after: sideOf(after.join('')),
    renamedFrom: undefined,
  });
  const view: Partial<Record<keyof SessionView, unknown>> = {
    session: { id: '20260219-091403-90291' },
    manifest: { snapshots: [], runId: 'a3f7c2', startedMs: 0, status: 'open', command: ['sh'] },
    state: { manifest: { status: 'open' }, isLive: true, tree: { roots: () => [] } },
    roots: ['/p'],
    range: { from: 0, to: undefined },
    changes,
    deltas: [delta(0, lines.with(3, 'line three\n')), delta(1, ['\x1b]0;title\x07\n'])],
    traps: [],
    git: [],
  };
  return view as unknown as SessionView;
}

async function review(terminal: FakeTerminal): Promise<string> {
  const view = createView();
  const named = { session: view.session, home: {}, store: {}, manifests: [] } as unknown as NamedSession;
  using dialogue = await Dialogue.open(terminal.context);
  await new Review(terminal.context, named, view, dialogue).run();
  return terminal.written().replaceAll('\r\n', '\n');
}

const SCREENS = [40, 80, 200].flatMap((columns) => [true, false].map((isColour) => ({ columns, isColour })));

describe('the review', () => {
  test.for(SCREENS)('at $columns columns, in colour: $isColour', async ({ columns, isColour }) => {
    const keys = ['?', 'd', 'o', 'n', 'd', 'h', 'n', 'n', 'n', 'd', 'n', 'u', 'p', 'x', 'k'];
    const screen = await review(createTerminal(columns, isColour, 'xterm', keys));
    expect(screen.replaceAll(/\x1b\[[0-9;]*m/g, '')).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/);
    expect(screen).toMatchSnapshot();
  });

  test('asks by lines on a dumb terminal, takes corrections, and ends at the end of the input', async () => {
    const terminal = createTerminal(80, true, 'dumb', ['n\r', 'x\x7fd\r', 'nonsense\r', '\x04']);
    const screen = await review(terminal);
    expect(screen).not.toContain('\x1b');
    expect(screen).toMatchSnapshot();
  });

  test.for(['\x03', '\x04', 'q', 'k'])('ends at %j', async (key) => {
    const screen = await review(createTerminal(80, false, 'xterm', [key]));
    expect(screen).toMatch(/Kept\. Undo with: nono rollback restore 20260219-091403-90291\n$/);
  });

  test('ends when the terminal goes away', async () => {
    // No key ever comes.
    const terminal = createTerminal(80, false, 'xterm', ['']);
    const done = review(terminal);
    await vi.waitFor(() => expect(terminal.written()).toContain('[1/3]'));
    terminal.handlers().onEnd();
    expect(await done).toContain('Kept.');
  });

  test('stops at Ctrl-Z and asks again', async () => {
    const terminal = createTerminal(80, false, 'xterm', ['\x1a', 'q']);
    const screen = await review(terminal);
    expect(terminal.stops()).toBe(1);
    expect(screen.match(/\[1\/3\]/g)).toHaveLength(2);
  });

  test('goes by the cursor keys and lets other sequences pass', async () => {
    const screen = await review(createTerminal(80, false, 'xterm', ['\x1b[B', '\x1b[A', 'q']));
    expect(screen.match(/\[\d\/3\]/g)).toEqual(['[1/3]', '[2/3]', '[1/3]']);
  });
});
