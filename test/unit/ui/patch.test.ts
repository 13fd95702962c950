import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { dirname } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Bytes, bufferFromBytes } from '../../../src/bytes.ts';
import { deflate } from '../../../src/platform/node/deflate.ts';
import { createNodeHash } from '../../../src/platform/node/hash.ts';
import { contentOf } from '../../../src/rollback/content-access.ts';
import type { FileSide, GitMode } from '../../../src/rollback/file-delta.ts';
import { isText } from '../../../src/rollback/text-facts.ts';
import { renderPatch as renderPieces } from '../../../src/ui/patch.ts';
import { runs } from '../../support/effort.ts';
import { memoryDirectory } from '../../support/memory.ts';
import { createScratchDirectory, type Scratch } from '../../support/scratch.ts';

interface PatchSide {
  readonly mode: GitMode;
  readonly content: Bytes;
}

const RUNS = runs(import.meta.filename, 250);
const hash = createNodeHash();

function sideOf(given: PatchSide | undefined): FileSide | undefined {
  if (given === undefined) return undefined;
  const data = bufferFromBytes(given.content);
  return { mode: given.mode, permissions: 0o644, content: contentOf(data), hash: hash.sha256(data) };
}

function renderPatch(name: Bytes, before: PatchSide | undefined, after: PatchSide | undefined, from?: Bytes): string {
  const renamedFrom = from === undefined ? undefined : { path: from, name: from };
  const delta = { name, before: sideOf(before), after: sideOf(after), renamedFrom };
  return Array.from(renderPieces(delta, { hash, deflate }), (piece) => Buffer.from(piece).toString('latin1')).join('');
}

const NAMES = [
  'a',
  'dir/b',
  'dir/deep/c',
  'sp ace',
  'trailing ',
  ' leading',
  'tab\tin',
  'tab at end\t',
  'new\nline',
  'quo"te',
  "it's",
  'back\\slash',
  'bad\xff\xfe',
  'caf\xc3\xa9',
  '-dash',
  'a b/c d',
  '.dot',
  '\x01',
  'x\r',
  'dev/null',
  'b/a/b',
  '{a => b}',
  '*',
] as const;

const LINES = [
  '',
  'a',
  'b',
  'c',
  '-',
  '+',
  ' ',
  '\t',
  '--- a/a',
  '+++ b/a',
  '@@ -1 +1 @@',
  '\\ No newline at end of file',
  '\r',
  'x ',
];
const OTHER_LINES = ['\f', '\x85', '\xe2\x80\xa8', '\xff\xfe', 'diff --git a/a b/a', '-- ', '> quoted', 'a\rb'];

const text = fc
  .tuple(
    fc.array(fc.constantFrom(...LINES, ...OTHER_LINES, 'a', 'b', 'c', 'd', 'e'), { maxLength: 14 }),
    fc.constantFrom('\n', '\n', '\r\n'),
    fc.boolean(),
  )
  .map(([lines, end, isEnded]) => `${lines.join(end)}${isEnded && lines.length > 0 ? end : ''}` as Bytes);

const file: fc.Arbitrary<PatchSide> = fc.record({ mode: fc.constantFrom('100644', '100755'), content: text });
const link: fc.Arbitrary<PatchSide> = fc.record({
  mode: fc.constant('120000' as const),
  content: fc.constantFrom('target', '../up', 'sp ace', 'bad\xff', 'new\nline', '/absolute', 'end\n') as fc.Arbitrary<Bytes>,
});
const side = fc.oneof(
  { weight: 5, arbitrary: file },
  { weight: 2, arbitrary: link },
  { weight: 2, arbitrary: fc.constant(undefined) },
);

interface Pair {
  readonly name: Bytes;
  readonly before: PatchSide | undefined;
  readonly after: PatchSide | undefined;
}

/** Most pairs are close to each other, so that there are hunks with context. */
const contents = fc.oneof(
  fc.tuple(side, side),
  fc
    .tuple(file, fc.nat(20), fc.constantFrom('inserted\n', ''), fc.nat(5), fc.constantFrom('100644', '100755'))
    .map(([before, at, inserted, dropped, mode]): [PatchSide, PatchSide] => {
      const content = `${before.content.slice(0, at)}${inserted}${before.content.slice(at + dropped)}` as Bytes;
      return [before, { mode, content }];
    }),
);

const pairs: fc.Arbitrary<Pair[]> = fc.uniqueArray(
  fc.tuple(fc.constantFrom(...NAMES), contents).map(([name, [before, after]]) => ({ name: name as Bytes, before, after })),
  { selector: ({ name }) => name, minLength: 1, maxLength: 5 },
);

function write(scratch: Scratch, name: Bytes, { mode, content }: PatchSide): void {
  fs.mkdirSync(dirname(scratch.at(name.replaceAll(/[^a-z/]/g, 'x'))), { recursive: true });
  const parents = name.split('/').slice(0, -1);
  for (let depth = 1; depth <= parents.length; depth++) {
    const parent = scratch.raw(parents.slice(0, depth).join('/'));
    if (!fs.existsSync(parent)) fs.mkdirSync(parent);
  }
  if (mode === '120000') fs.symlinkSync(Buffer.from(content, 'latin1'), scratch.raw(name));
  else fs.writeFileSync(scratch.raw(name), Buffer.from(content, 'latin1'), { mode: mode === '100755' ? 0o755 : 0o644 });
}

function read(scratch: Scratch, name: Bytes): PatchSide | undefined {
  const stat = fs.lstatSync(scratch.raw(name), { throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  if (stat.isSymbolicLink()) {
    return { mode: '120000', content: fs.readlinkSync(scratch.raw(name), 'buffer').toString('latin1') as Bytes };
  }
  const content = fs.readFileSync(scratch.raw(name)).toString('latin1') as Bytes;
  return { mode: (stat.mode & 0o100) === 0 ? '100644' : '100755', content };
}

function apply(scratch: Scratch, patch: string, ...words: readonly string[]): void {
  const { status, stderr } = spawnSync('git', ['apply', ...words, '-'], {
    cwd: scratch.path,
    input: Buffer.from(patch, 'latin1'),
    env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1', GIT_CEILING_DIRECTORIES: '/' },
  });
  if (status !== 0) throw new Error(`git apply ${words.join(' ')} gave ${status}: ${stderr.toString()}\n${patch}`);
}

function isSame(left: PatchSide | undefined, right: PatchSide | undefined): boolean {
  return left?.mode === right?.mode && left?.content === right?.content;
}

/** Applies the patch of all pairs to their old tree and back again. */
function expectRoundTrip(list: readonly Pair[]): void {
  const changed = list.filter(({ before, after }) => !isSame(before, after));
  if (changed.length === 0) return;
  using scratch = createScratchDirectory(memoryDirectory());
  for (const { name, before } of changed) if (before !== undefined) write(scratch, name, before);
  const patch = changed.map(({ name, before, after }) => renderPatch(name, before, after)).join('');
  apply(scratch, patch);
  for (const { name, after } of changed) expect(read(scratch, name)).toEqual(after);
  apply(scratch, patch, '-R');
  for (const { name, before } of changed) expect(read(scratch, name)).toEqual(before);
}

describe('renderPatch()', () => {
  test('git apply makes the new tree of the old one, and -R the old of the new', () => {
    fc.assert(fc.property(pairs, expectRoundTrip), { numRuns: RUNS });
  });

  const SIDES: Readonly<Record<string, PatchSide | undefined>> = {
    nothing: undefined,
    'a file': { mode: '100644', content: 'one\n' as Bytes },
    'an executable file': { mode: '100755', content: 'one\n' as Bytes },
    'an empty file': { mode: '100644', content: '' as Bytes },
    'a file without a last line end': { mode: '100755', content: 'no end' as Bytes },
    'a link': { mode: '120000', content: 'one' as Bytes },
  };
  test.for(Object.keys(SIDES).flatMap((from) => Object.keys(SIDES).map((to) => [from, to] as const)))(
    'git apply makes of %s %s, under every name',
    ([from, to]) => expectRoundTrip(NAMES.map((name) => ({ name: name as Bytes, before: SIDES[from], after: SIDES[to] }))),
  );

  test('git apply takes a file that becomes a directory, and the reverse', () => {
    const content: PatchSide = { mode: '100644', content: 'x\n' as Bytes };
    using scratch = createScratchDirectory(memoryDirectory());
    write(scratch, 'it' as Bytes, content);
    const patch = `${renderPatch('it' as Bytes, content, undefined)}${renderPatch('it/inner' as Bytes, undefined, content)}`;
    apply(scratch, patch);
    expect(read(scratch, 'it/inner' as Bytes)).toEqual(content);
    apply(scratch, patch, '-R');
    expect(read(scratch, 'it' as Bytes)).toEqual(content);
  });

  test('writes what is very different as removed and added, and git apply takes it', () => {
    const lines = (word: string, count: number) => Array.from({ length: count }, (_, index) => `${word} ${index}\n`).join('');
    const before: PatchSide = { mode: '100644', content: lines('old', 12_000) as Bytes };
    const after: PatchSide = { mode: '100644', content: `${lines('new', 12_000)}no end` as Bytes };
    expectRoundTrip([{ name: 'large' as Bytes, before, after }]);
  });

  test('git apply takes binary files of every size around the ends of lines', () => {
    const sizes = [0, 1, 25, 26, 27, 51, 52, 53, 103, 104, 105, 1000, 70_000];
    for (const size of sizes) {
      const data = Array.from({ length: size }, (_, at) => String.fromCharCode((at * 7 + size) % 256)).join('');
      const binary: PatchSide = { mode: '100644', content: `\0${data}` as Bytes };
      const text: PatchSide = { mode: '100755', content: 'text\n' as Bytes };
      for (const other of [undefined, text, { ...binary, content: `${binary.content}x` as Bytes }]) {
        expectRoundTrip([{ name: 'it' as Bytes, before: binary, after: other }]);
        expectRoundTrip([{ name: 'it' as Bytes, before: other, after: binary }]);
      }
    }
  });

  test('a NUL near the beginning makes a file binary, and a line that is too long to be held', () => {
    const probe = (text: string) => isText(contentOf(Buffer.from(text)));
    expect([probe('a\0'), probe('a'), probe(`${'a'.repeat(9000)}\0`), probe('x'.repeat(5 * 1024 * 1024))]).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  test('git apply moves a file that was renamed, with its mode', () => {
    const before: PatchSide = { mode: '100644', content: 'same\n' as Bytes };
    const after: PatchSide = { mode: '100755', content: 'same\n' as Bytes };
    using scratch = createScratchDirectory(memoryDirectory());
    write(scratch, 'old name' as Bytes, before);
    const patch = renderPatch('new/caf\xc3\xa9' as Bytes, before, after, 'old name' as Bytes);
    apply(scratch, patch);
    expect([read(scratch, 'old name' as Bytes), read(scratch, 'new/caf\xc3\xa9' as Bytes)]).toEqual([undefined, after]);
    apply(scratch, patch, '-R');
    expect([read(scratch, 'old name' as Bytes), read(scratch, 'new/caf\xc3\xa9' as Bytes)]).toEqual([before, undefined]);
  });

  test('has no control character in its headers', () => {
    const side: PatchSide = { mode: '100644', content: '' as Bytes };
    const patch = renderPatch('\x1b[2J\n\x7f' as Bytes, undefined, side);
    expect(patch).toBe('diff --git "a/\\033[2J\\n\\177" "b/\\033[2J\\n\\177"\nnew file mode 100644\n');
  });
});
