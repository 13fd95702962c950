import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../../src/bytes.ts';
import { baseName } from '../../../src/paths.ts';
import { decideIgnored, parseIgnoreFile } from '../../../src/rollback/ignore-file.ts';
import { compileGlob } from '../../../src/rollback/wildmatch.ts';

function matches(pattern: string, text: string): boolean {
  return compileGlob(pattern)?.(text) ?? false;
}

describe('compileGlob()', () => {
  test.for([
    { pattern: 'a', yes: ['a'], no: ['b', 'aa', 'a/', ''] },
    { pattern: '*', yes: ['', 'a', '.a'], no: ['a/b', '/'] },
    { pattern: '*.js', yes: ['.js', 'a.js', 'a.b.js'], no: ['a/b.js', 'a.jsx'] },
    { pattern: 'a*/b', yes: ['a/b', 'ax/b'], no: ['a/x/b', 'ab'] },
    { pattern: '?', yes: ['a', '\xff'], no: ['', 'ab', '/'] },
    { pattern: '**', yes: ['', 'a', 'a/b/c'], no: [] },
    { pattern: '**/b', yes: ['b', 'a/b', 'a/c/b'], no: ['ab', 'b/a'] },
    { pattern: 'a/**', yes: ['a/b', 'a/b/c', 'a/'], no: ['a', 'b/a'] },
    { pattern: 'a/**/b', yes: ['a/b', 'a/x/b', 'a/x/y/b'], no: ['ab', 'a/xb', 'a/b/x'] },
    { pattern: 'a/x**/b', yes: ['a/x/b', 'a/xy/b', 'a/xy/z/b'], no: ['a/b'] },
    { pattern: 'a/?x**/b', yes: ['a/yx/b', 'a/yxz/b'], no: ['a/yx/z/b'] },
    { pattern: '\\*\\?', yes: ['*?'], no: ['ab', '\\*\\?'] },
    { pattern: '[a-c]', yes: ['a', 'b', 'c'], no: ['d', '-', ''] },
    { pattern: '[!a-c]', yes: ['d', '-'], no: ['a', '/', ''] },
    { pattern: '[^a]', yes: ['b'], no: ['a', '/'] },
    { pattern: '[]a]', yes: [']', 'a'], no: ['b'] },
    { pattern: '[a-]', yes: ['a', '-'], no: ['b'] },
    { pattern: '[c-a]', yes: ['c'], no: ['a', 'b'] },
    { pattern: '[[:digit:][:upper:]]x', yes: ['1x', 'Ax'], no: ['ax', ':x'] },
    { pattern: '[[:space:]]', yes: [' ', '\t'], no: ['\v', 'a'] },
  ])('$pattern matches $yes and not $no', ({ pattern, yes, no }) => {
    for (const text of yes) expect([text, matches(pattern, text)]).toEqual([text, true]);
    for (const text of no) expect([text, matches(pattern, text)]).toEqual([text, false]);
  });

  test.for(['[', '[a', '[]', '[!]', 'a\\', '[[:alpha:]', '[[:nope:]]', '[[:constructor:]]', '[a-\\'])(
    '%s matches nothing',
    (pattern) => {
      expect(compileGlob(pattern)).toBeUndefined();
    },
  );

  // A search that tries every split of these takes longer than the universe is old; vitest's limit is seconds.
  test.for([
    { what: 'single stars', pattern: `${'*a'.repeat(120)}b`, text: 'a'.repeat(255) },
    { what: 'question marks', pattern: `${'*?'.repeat(120)}b`, text: 'a'.repeat(255) },
    { what: 'double stars', pattern: `${'**/a/'.repeat(60)}b`, text: 'a/'.repeat(2000) },
    { what: 'classes', pattern: `${'*[a-z]'.repeat(120)}!`, text: 'z'.repeat(255) },
    { what: 'mixed stars', pattern: `${'**/*a*/'.repeat(50)}b`, text: 'aaaa/'.repeat(800) },
  ])('ends at once on hostile $what', ({ pattern, text }) => {
    expect(matches(pattern, text)).toBe(false);
    expect(matches(`${pattern.slice(0, -1)}*`, text.replace(/\/$/, ''))).toBe(true);
  });
});

describe('parseIgnoreFile()', () => {
  const decide = (text: string, path: string, isDirectory = false) =>
    decideIgnored(parseIgnoreFile(text as Bytes), path as Bytes, baseName(path as Bytes), isDirectory);

  test.for([
    { text: '# a\n', path: '# a', decision: undefined },
    { text: '\\# a\n', path: '# a', decision: true },
    { text: '\\!a\n', path: '!a', decision: true },
    { text: 'a   \n', path: 'a', decision: true },
    { text: 'a\\ \n', path: 'a ', decision: true },
    { text: 'a\\\\ \n', path: 'a\\', decision: true },
    { text: 'a\r\nb\r\n', path: 'a', decision: true },
    { text: 'a\r', path: 'a', decision: true },
    { text: '\xef\xbb\xbfa\n', path: 'a', decision: true },
    { text: 'a\0b\n', path: 'a', decision: true },
    { text: 'a\n!a\n', path: 'a', decision: false },
    { text: '!a\na\n', path: 'a', decision: true },
    { text: 'a/\n', path: 'a', decision: undefined },
    { text: '/a\n', path: 'b/a', decision: undefined },
    { text: 'a\n', path: 'b/a', decision: true },
    { text: 'b/a\n', path: 'c/b/a', decision: undefined },
    { text: '\n\r\n  \n/\n!\n', path: 'a', decision: undefined },
  ])('$text says $decision of $path', ({ text, path, decision }) => {
    expect(decide(text, path)).toBe(decision);
  });

  test('a pattern that ends in a slash is for directories only', () => {
    expect(decide('a/\n', 'a', true)).toBe(true);
  });
});

describe('decideIgnored()', () => {
  test('takes the last of what matches, with wildcards and without, names and paths', () => {
    const patterns = ['a', '!a', '*.o', '!keep.o', 'b/c', '!/b/c', 'd/', '!d', 'x*', '!xy', 'xy'];
    const anyLines = fc.array(fc.constantFrom(...patterns), { maxLength: 12 });
    fc.assert(
      fc.property(
        anyLines,
        fc.constantFrom('a', 'keep.o', 'b/c', 'd', 'b/d', 'xy', 'z'),
        fc.boolean(),
        (lines, path, isDirectory) => {
          const decide = (text: string) =>
            decideIgnored(parseIgnoreFile(text as Bytes), path as Bytes, baseName(path as Bytes), isDirectory);
          // One line alone says whether it matches.
          const decisions = lines.map(decide).filter((decision) => decision !== undefined);
          expect(decide(lines.join('\n'))).toBe(decisions.at(-1));
        },
      ),
    );
  });

  test('asks a hundred thousand plain lines no slower than one', () => {
    const file = parseIgnoreFile(Array.from({ length: 100_000 }, (_, index) => `name${index}`).join('\n') as Bytes);
    expect(file.globs).toEqual([]);
    expect(decideIgnored(file, 'b/name7' as Bytes, 'name7' as Bytes, false)).toBe(true);
    expect(decideIgnored(file, 'b/other' as Bytes, 'other' as Bytes, false)).toBeUndefined();
  });
});
