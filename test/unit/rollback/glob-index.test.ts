import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../../src/bytes.ts';
import { anchorOf, GlobIndex } from '../../../src/rollback/glob-index.ts';
import { decideIgnored, parseIgnoreFile } from '../../../src/rollback/ignore-file.ts';
import { compileGlob } from '../../../src/rollback/wildmatch.ts';
import { runs } from '../../support/effort.ts';

const RUNS = { numRuns: runs(import.meta.filename, 5000) };
const PIECES = 'a b ab abc bca / * ** **/ /**/ ? [ab] [!a] []a] [ ] \\ \\* \\a \\/ .c'.split(' ');
const piece = fc.constantFrom(...PIECES);
const glob = fc.array(piece, { maxLength: 7 }).map((pieces) => pieces.join(''));
const text = fc
  .array(fc.constantFrom('a', 'b', 'c', 'ab', '/', '*', '[', ']', '.c', 'x'), { maxLength: 8 })
  .map((parts) => parts.join(''));

describe('anchorOf()', () => {
  test('gives what every text has that the glob matches', () => {
    fc.assert(
      fc.property(glob, text, (pattern, candidate) => {
        fc.pre(compileGlob(pattern)?.(candidate) === true);
        const anchor = anchorOf(pattern);
        if (anchor?.place === 'start') expect(candidate.startsWith(anchor.text)).toBe(true);
        if (anchor?.place === 'end') expect(candidate.endsWith(anchor.text)).toBe(true);
        if (anchor?.place === 'inside') expect(candidate.includes(anchor.text)).toBe(true);
      }),
      RUNS,
    );
  });

  test.for([
    ['*.log', { place: 'end', text: '.log' }],
    ['tmp*', { place: 'start', text: 'tmp' }],
    ['*middle*', { place: 'inside', text: 'middle' }],
    ['src/**/generated', { place: 'end', text: 'generated' }],
    ['**/foo', { place: 'end', text: 'foo' }],
    ['cache[0-9]', { place: 'start', text: 'cache' }],
    ['*[ab]?', undefined],
    [`a${'b'.repeat(20)}*`, { place: 'start', text: `a${'b'.repeat(11)}` }],
  ] as const)('of %s is what tells it apart best', ([pattern, anchor]) => expect(anchorOf(pattern)).toEqual(anchor));
});

describe('GlobIndex', () => {
  test('decides as trying all globs one after the other does', () => {
    const line = fc.tuple(fc.constantFrom('', '', '!', '/'), glob, fc.constantFrom('', '', '/')).map((parts) => parts.join(''));
    fc.assert(
      fc.property(
        fc.array(line, { maxLength: 12 }),
        fc.array(text, { maxLength: 6 }),
        fc.boolean(),
        (lines, paths, isDirectory) => {
          const file = lines.join('\n') as Bytes;
          const [tried, indexed] = [parseIgnoreFile(file, Number.POSITIVE_INFINITY), parseIgnoreFile(file, 0)];
          for (const path of paths as Bytes[]) {
            const name = path.slice(path.lastIndexOf('/') + 1) as Bytes;
            expect(decideIgnored(indexed, path, name, isDirectory)).toBe(decideIgnored(tried, path, name, isDirectory));
          }
        },
      ),
      RUNS,
    );
  });

  test('gives few of many', () => {
    const index = new GlobIndex<number>();
    const makers = [
      (n: number) => `*.x${n}`,
      (n: number) => `tmp${n}*`,
      (n: number) => `*abc${n}*`,
      (n: number) => `out/**/f[ab]${n}`,
    ];
    for (let number = 0; number < 20_000; number += 1) index.add(makers[number % 4]?.(number) ?? '', number);
    for (const name of ['main.ts', 'tmp9', 'a.x4', 'xabc2', 'out/a/fa3']) {
      const candidates = [...index.candidates(name)].flat();
      expect(candidates.length).toBeLessThan(300);
    }
    expect([...index.candidates('a.x4')].flat()).toContain(4);
  });
});
