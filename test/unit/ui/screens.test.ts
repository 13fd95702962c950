import { describe, expect, test } from 'vitest';
import { type Bytes, bufferFromBytes, bytesFromText } from '../../../src/bytes.ts';
import type { Context } from '../../../src/commands/context.ts';
import type { SessionView } from '../../../src/commands/rollback/session-view.ts';
import { summaryLines } from '../../../src/commands/rollback/summary.ts';
import { createNodeHash } from '../../../src/platform/node/hash.ts';
import type { Change } from '../../../src/rollback/compare.ts';
import { contentOf } from '../../../src/rollback/content-access.ts';
import { type Entry, skippedEntry } from '../../../src/rollback/entry.ts';
import type { FileDelta, FileSide } from '../../../src/rollback/file-delta.ts';
import { SnapshotTree } from '../../../src/rollback/snapshot-tree.ts';
import { createPalette } from '../../../src/ui/palette.ts';
import { renderScreenDelta } from '../../../src/ui/screen-diff.ts';
import { type ProjectRows, renderSessionList } from '../../../src/ui/session-list.ts';
import { displayWidth } from '../../../src/ui/width.ts';

const hash = createNodeHash();

const SCREENS = [40, 80, 200].flatMap((columns) => [true, false].map((isColour) => ({ columns, isColour })));
const COLOUR = /\x1b\[[0-9;]*m/g;

/** Every line fits, and nothing but colours acts on the terminal. */
function expectFits(screen: string, columns: number): void {
  const plain = screen.replaceAll(COLOUR, '');
  expect(plain).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]/);
  expect(plain.split('\n').filter((line) => displayWidth(line) > columns)).toEqual([]);
}

const PROJECTS: readonly ProjectRows[] = [
  {
    name: '~/dev/sprockets',
    count: 7,
    rows: [
      { id: '20260219-091403-90291', age: '7m ago', command: 'claude', news: [{ text: '~2 modified', kind: 'changed' }] },
      { id: '20260219-081403-9', age: '1h ago', command: '表計算プログラム', news: [{ text: 'running', kind: 'changed' }] },
      {
        id: '20260218-081403-9029',
        age: '1d ago',
        command: 'restore of 20260219-091403-90291',
        news: [
          { text: '+12345 files', kind: 'added' },
          { text: '~2 modified', kind: 'changed' },
          { text: '-1 deleted', kind: 'removed' },
          { text: '1 mode', kind: 'changed' },
          { text: 'not reviewed', kind: 'faint' },
        ],
      },
      { id: '20260217-081403-9029', age: '2d ago', command: '\\x1b[2Jevil', news: [{ text: 'lost', kind: 'removed' }] },
    ],
  },
  {
    name: '~/a/very/long/path/that/leads/to/a/project/with/a/long/name/that/takes/more/than/eighty/columns',
    count: 1,
    rows: [{ id: '20260101-000000-1', age: '49d ago', command: 'sh', news: [{ text: 'no changes', kind: 'plain' }] }],
  },
];

describe('the list', () => {
  test.for(SCREENS)('at $columns columns, in colour: $isColour', ({ columns, isColour }) => {
    const screen = renderSessionList(PROJECTS, true, { palette: createPalette(isColour), columns });
    expectFits(screen, columns);
    expect(screen).toMatchSnapshot();
  });

  test('is not cut where the output is no terminal', () => {
    const screen = renderSessionList(PROJECTS, false, { palette: createPalette(false), columns: Number.POSITIVE_INFINITY });
    expect(screen).toContain('restore of 20260219-091403-90291  +12345 files, ~2 modified, -1 deleted, 1 mode, not reviewed');
  });
});

function sideOf(text: string, permissions = 0o644): FileSide {
  const data = bufferFromBytes(text as Bytes);
  return { mode: '100644', permissions, content: contentOf(data), hash: hash.sha256(data) };
}

const CODE = Array.from({ length: 14 }, (_, at) => `\tconst value${at} = compute(${at}, 'text');\n`).join('');
const CHANGED = `${CODE.replace("compute(3, 'text')", "calculate(3, 'other text')").replace('value9', '表計算')}no end`;

const DELTA: FileDelta = {
  path: '/p/src/main.ts' as Bytes,
  name: 'src/main.ts' as Bytes,
  before: sideOf(CODE),
  after: sideOf(bytesFromText(CHANGED), 0o755),
  renamedFrom: undefined,
};
const HOSTILE: FileDelta = {
  ...DELTA,
  name: 'bad\x1b[31m\n\xff' as Bytes,
  before: undefined,
  after: sideOf('\x1b]0;title\x07\x9b2J\r\n\xe2\x80\xaegnp.exe\n\xff\xfe\x7f'),
};

describe.for(['unified', 'side-by-side', 'full'] as const)('the changes of a file, %s', (view) => {
  test.for(SCREENS)('at $columns columns, in colour: $isColour', ({ columns, isColour }) => {
    const layout = { palette: createPalette(isColour), columns };
    const screen = [DELTA, HOSTILE].map((delta) => [...renderScreenDelta(delta, view, layout)].join('')).join('');
    // The other forms leave long lines to the terminal.
    expectFits(screen, view === 'side-by-side' ? columns : 1000);
    expect(screen).toMatchSnapshot();
  });
});

describe('a file that is too large to be shown', () => {
  test('is shown by its beginning, with a note', () => {
    const line = 'the same line again and again\n';
    const large = contentOf(Buffer.alloc(17 * 1024 * 1024, line));
    const before: FileSide = { ...sideOf(''), content: large, hash: 'a' as Bytes };
    const after: FileSide = {
      ...before,
      content: { sizeBytes: large.sizeBytes, pieces: () => [Buffer.from(`first\n`), ...large.pieces()] },
      hash: 'b' as Bytes,
    };
    const screen = [
      ...renderScreenDelta({ ...DELTA, before, after }, 'unified', { palette: createPalette(false), columns: 80 }),
    ].join('');
    expect(screen).toContain('+first\n');
    expect(screen).toMatch(/ {2}Only the first 256 KiB of 17 MiB → 17 MiB are compared here; --diff > FILE has all of it\n$/);
  });
});

function entry(fields: Partial<Entry> = {}): Entry {
  return { ...skippedEntry('x' as Bytes, 'excluded'), reason: undefined, kind: 'file', mode: 0o644, ...fields };
}

function change(path: string, fields: Partial<Change>): Change {
  return {
    path: bytesFromText(`/home/u/dev/${path}`),
    root: '/home/u/dev' as Bytes,
    type: '~',
    before: entry(),
    after: entry(),
    ...fields,
  };
}

function viewOf(): SessionView {
  const lines = (count: number) => sideOf(Array.from({ length: count }, (_, at) => `${at}\n`).join(''));
  const changes = [
    change('.envrc', { type: '+', before: undefined }),
    change('bin', {}),
    change('empty', { type: '-', before: entry({ kind: 'directory' }), after: undefined }),
    change('run.sh', { type: 'p', after: entry({ mode: 0o755 }) }),
    change('src/a/very/long/directory/name/that/does/not/fit/into/forty/columns.ts', {}),
    change('表計算/資料.txt', {}),
  ];
  const delta = (at: number, before: FileSide | undefined, after: FileSide): FileDelta => ({
    path: changes[at]?.path as Bytes,
    name: changes[at]?.path as Bytes,
    before,
    after,
    renamedFrom: undefined,
  });
  const view: Partial<Record<keyof SessionView, unknown>> = {
    session: { id: '20260219-091403-90291' },
    manifest: {
      snapshots: [],
      runId: 'a3f7c2',
      startedMs: 0,
      status: 'complete',
      exitCode: 1,
      command: ['sh', '-c', 'echo a very long command line that does not fit into eighty columns; exit 1'],
    },
    state: { manifest: { status: 'complete', exitCode: 1 }, isLive: false, tree: emptyTree() },
    roots: ['/home/u/dev'],
    range: { from: 0, to: undefined },
    changes,
    deltas: [
      delta(0, undefined, lines(3)),
      delta(1, sideOf('a\0b'), sideOf('a\0bc')),
      delta(4, lines(100), lines(700)),
      delta(5, lines(30), lines(10)),
    ],
    traps: [{ path: changes[0]?.path, reason: 'direnv runs it when a shell enters the directory' }],
    git: [
      {
        kind: 'ref',
        top: '/home/u/dev',
        text: 'refs/heads/main moved from 1234567 to 89abcde',
        takeBack: ['git -C /home/u/dev update-ref refs/heads/main 1234567'],
        reason: undefined,
      },
    ],
  };
  return view as unknown as SessionView;
}

function emptyTree(): SnapshotTree {
  const tree = new SnapshotTree(() => Buffer.alloc(0), { snapshot: 0, offset: 0 });
  return Object.assign(tree, { roots: () => [] });
}

describe('the summary', () => {
  test.for(SCREENS)('at $columns columns, in colour: $isColour', ({ columns, isColour }) => {
    const context = { homeDirectory: '/home/u', clock: { nowMs: () => 7 * 60_000 } } as unknown as Context;
    const layout = { palette: createPalette(isColour), columns, cutsNames: true };
    const screen = [...summaryLines(viewOf(), context, layout)].join('\n');
    expect(screen).toMatchSnapshot();
    const graphs = screen
      .replaceAll(COLOUR, '')
      .split('\n')
      .filter((line) => line.includes(' | '));
    expect(graphs.filter((line) => displayWidth(line) > columns)).toEqual([]);
  });
});
