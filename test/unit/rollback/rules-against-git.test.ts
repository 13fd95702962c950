import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Bytes } from '../../../src/bytes.ts';
import { baseName, joinPath } from '../../../src/paths.ts';
import { patternOfGlob, type RuleScope, Rules } from '../../../src/rollback/rules.ts';
import { runs } from '../../support/effort.ts';
import { memoryDirectory } from '../../support/memory.ts';
import { createScratchDirectory } from '../../support/scratch.ts';

const CASES = runs(import.meta.filename, 500);
const EMPTY = '' as Bytes;

const NAMES = 'a b c ab ba abc a.c .h A B1 1 _ - !n #n [x] [ ] * ** ? \\ a\\b caf\xc3\xa9 \xff {a} ~ ^ :'.split(' ') as Bytes[];
const BLANK_NAMES = ['x y', ' b', 'b ', 'a  ', 'c\r', 'q\t', '\x0b', '\x0c', '\x7f'] as Bytes[];

const name = fc.constantFrom(...NAMES, ...BLANK_NAMES, 'a', 'b', 'c', 'ab', 'a', 'b') as fc.Arbitrary<Bytes>;
const path = fc.array(name, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('/') as Bytes);

const piece = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('a', 'b', 'c', 'ab', '/', '/', '*', '*', '?', '**', '**/', '/**', '/**/') },
  {
    weight: 2,
    arbitrary: fc.constantFrom('***', '**\\/', '\\*', '\\?', '\\[', '\\a', '\\\\', '\\', '\\/', '!', '#', ' ', '\\ ', '\t', '.'),
  },
  { weight: 2, arbitrary: fc.constantFrom('[ab]', '[!a]', '[^a]', '[a-c]', '[!a-b]', '[c-a]', '[]a]', '[!]a]', '[a-]', '[-a]') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('[--a]', '[\\a-c]', '[a-\\c]', '[\\]]', '[a/b]', '[', '[a', '[]', '[!]', '[a-c-z]', '[[a]'),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('alnum', 'alpha', 'blank', 'cntrl', 'digit', 'graph', 'lower', 'print', 'punct', 'space', 'upper', 'xdigit')
      .chain((posix) => fc.constantFrom(`[[:${posix}:]]`, `[![:${posix}:]]`, `[a[:${posix}:]-]`)),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('[[:foo:]]', '[[:abc1:]]', '[[::]]', '[[:alpha]', '[[:]abc:]', '[[:a]b:]', '[[:ALPHA:]]'),
  },
  { weight: 1, arbitrary: name },
);

const line = fc
  .tuple(
    fc.constantFrom('', '', '', '', '!', '/', '!/', '\\!', '\\#', '#'),
    fc.array(piece, { maxLength: 5 }),
    fc.constantFrom('', '', '', '', '/', '/', '//', ' ', '  ', '\\ ', '/ ', '\0b'),
  )
  .map(([start, middle, end]) => `${start}${middle.join('')}${end}`.replaceAll('\n', ''));

const ignoreText = fc
  .tuple(
    fc.constantFrom('', '', '', '', '', '\xef\xbb\xbf'),
    fc.array(line, { minLength: 1, maxLength: 6 }),
    fc.constantFrom('\n', '\n', '\r\n'),
    fc.boolean(),
  )
  .map(([mark, lines, end, isEnded]) => `${mark}${lines.join(end)}${isEnded ? end : ''}` as Bytes);

interface Case {
  /** By directory relative to the case. */
  readonly ignore: IgnoreFiles;
  readonly directories: readonly Bytes[];
  readonly files: readonly Bytes[];
}

const IGNORING_DIRECTORIES = ['', 'a', 'a/b', 'ab'] as Bytes[];

const oneCase: fc.Arbitrary<Case> = fc
  .tuple(
    fc.array(ignoreText, { minLength: 1, maxLength: 4 }),
    fc.array(path, { minLength: 3, maxLength: 12 }),
    fc.array(path, { maxLength: 4 }),
  )
  .map(([texts, filePaths, directoryPaths]) => {
    const ignore = new Map(texts.map((text, index) => [IGNORING_DIRECTORIES[index] as Bytes, text]));
    const directories = new Set<Bytes>(['a' as Bytes, 'a/b' as Bytes, 'ab' as Bytes, ...directoryPaths.flatMap(withParents)]);
    for (const file of filePaths) for (const parent of withParents(file).slice(0, -1)) directories.add(parent);
    return { ignore, directories: [...directories].sort(), files: filePaths.filter((file) => !directories.has(file)) };
  });

/** a, a/b, a/b/c. */
function withParents(given: Bytes): Bytes[] {
  const parts = given.split('/');
  return parts.map((_, index) => parts.slice(0, index + 1).join('/') as Bytes);
}

type IgnoreFiles = ReadonlyMap<Bytes, Bytes>;

/** The cases side by side in one repository. Only directories are made: git takes for a file what is not there. */
class Repository implements Disposable {
  readonly #scratch = createScratchDirectory(memoryDirectory());
  readonly #cases: readonly Case[];

  constructor(cases: readonly Case[]) {
    this.#cases = cases;
    execFileSync('git', ['init', '-q', this.#scratch.path]);
    for (const [index, { directories }] of cases.entries()) {
      fs.mkdirSync(this.#scratch.at(`${index}`));
      for (const directory of directories) fs.mkdirSync(this.#scratch.raw(`${index}/${directory}`));
    }
  }

  /** @param ignore The ignore files of each case. @returns the pattern that decided, by path; empty where none did. */
  askGit(ignore: readonly IgnoreFiles[]): Map<Bytes, string> {
    for (const [index, texts] of ignore.entries()) {
      for (const directory of IGNORING_DIRECTORIES) {
        const file = this.#scratch.raw(joinPath(`${index}/${directory}` as Bytes, '.gitignore' as Bytes));
        const text = texts.get(directory);
        if (text === undefined) fs.rmSync(file, { force: true });
        else fs.writeFileSync(file, Buffer.from(text, 'latin1'));
      }
    }
    const words = ['-C', this.#scratch.path, '-c', 'core.excludesFile=/dev/null'];
    const check = ['check-ignore', '--no-index', '--stdin', '-z', '-v', '-n'];
    const asked = this.#cases.flatMap(({ directories, files }, index) =>
      [...directories, ...files].map((each) => `${index}/${each}\0`),
    );
    const input = Buffer.from(asked.join(''), 'latin1');
    const fields = execFileSync('git', [...words, ...check], { input, maxBuffer: 1 << 28 })
      .toString('latin1')
      .split('\0');
    const patterns = new Map<Bytes, string>();
    for (let at = 0; at + 3 < fields.length; at += 4) patterns.set(fields[at + 3] as Bytes, fields[at + 2] as string);
    return patterns;
  }

  [Symbol.dispose](): void {
    this.#scratch[Symbol.dispose]();
  }
}

const MANY_GLOBS = Array.from({ length: 100 }, (_, number) => `no${number}where*\n*/none[${number}]\n`).join('');

/** So many more globs, which match nothing here, that only those are tried that may fit. */
function amongMany(text: Bytes): Bytes {
  const mark = text.startsWith('\xef\xbb\xbf') ? 3 : 0;
  return `${text.slice(0, mark)}${MANY_GLOBS}${text.slice(mark)}` as Bytes;
}

/** Whether the rules leave the path or a directory that leads to it out. */
function isLeftOut(rules: Rules, given: Bytes, isDirectory: boolean): boolean {
  let scope: RuleScope = rules.enter([], EMPTY);
  const steps = withParents(given);
  return steps.some((step, index) => {
    const isLast = index === steps.length - 1;
    const excluded = rules.isExcluded(
      scope,
      step.slice(0, Math.max(0, step.lastIndexOf('/'))) as Bytes,
      baseName(step),
      !isLast || isDirectory,
    );
    scope = rules.enter(scope, step);
    return excluded;
  });
}

describe('Rules against git check-ignore', () => {
  const cases = fc.sample(oneCase, CASES);
  let repository: Repository;
  let patterns: ReadonlyMap<Bytes, string>;
  beforeAll(() => {
    repository = new Repository(cases);
    patterns = repository.askGit(cases.map(({ ignore }) => ignore));
  });
  afterAll(() => repository[Symbol.dispose]());

  test('leave out what git ignores, by ignore files at several levels', () => {
    const differing: unknown[] = [];
    for (const [index, { ignore, directories, files }] of cases.entries()) {
      const rules = new Rules([], []);
      const crowded = new Rules([], []);
      for (const [directory, text] of ignore) {
        rules.addIgnoreFile(directory, EMPTY, text);
        crowded.addIgnoreFile(directory, EMPTY, amongMany(text));
      }
      for (const each of [...directories, ...files]) {
        const pattern = patterns.get(`${index}/${each}` as Bytes) ?? '';
        const isIgnored = pattern !== '' && !pattern.startsWith('!');
        for (const [how, own] of Object.entries({ rules, crowded })) {
          const isOurs = isLeftOut(own, each, directories.includes(each));
          if (isIgnored !== isOurs)
            differing.push({ how, path: each, git: isIgnored, pattern, ignore: Object.fromEntries(ignore) });
        }
      }
    }
    expect(patterns.size).toBeGreaterThan(CASES);
    expect(differing).toEqual([]);
  });

  test('leave out the same where the root lies below the ignore files', () => {
    const differing: unknown[] = [];
    let compared = 0;
    for (const [index, { ignore, directories, files }] of cases.entries()) {
      const above = patterns.get(`${index}/a` as Bytes) ?? '';
      // A root is tracked though a rule above it leaves it out: there nono means to differ.
      if (above !== '' && !above.startsWith('!')) continue;
      const rules = new Rules([], []);
      for (const [directory, text] of ignore) {
        if (directory === '') rules.addIgnoreFile(EMPTY, 'a' as Bytes, text);
        else if (directory === 'a') rules.addIgnoreFile(EMPTY, EMPTY, text);
        else if (directory === 'a/b') rules.addIgnoreFile('b' as Bytes, EMPTY, text);
      }
      for (const each of [...directories, ...files].filter((one) => one.startsWith('a/'))) {
        const pattern = patterns.get(`${index}/${each}` as Bytes) ?? '';
        const isIgnored = pattern !== '' && !pattern.startsWith('!');
        compared += 1;
        if (isIgnored !== isLeftOut(rules, each.slice(2) as Bytes, directories.includes(each))) {
          differing.push({ path: each, git: isIgnored, pattern, ignore: Object.fromEntries(ignore) });
        }
      }
    }
    expect(compared).toBeGreaterThan(CASES / 2);
    expect(differing).toEqual([]);
  });

  test('leave out by patterns of the user what git ignores by the same lines in the ignore file of the root', () => {
    const alone = cases.map((each) => ({ ...each, ignore: new Map([...each.ignore].slice(0, 1)) }));
    const ofFirst = repository.askGit(alone.map(({ ignore }) => ignore));
    const differing: unknown[] = [];
    for (const [index, { ignore, directories, files }] of alone.entries()) {
      // A line break ends an option as it ends a line; a mark at the start belongs to a file.
      const lines = (ignore.get(EMPTY) ?? EMPTY).replace(/^\xef\xbb\xbf/, '').split('\n') as Bytes[];
      const rules = new Rules([], lines);
      for (const each of [...directories, ...files]) {
        const pattern = ofFirst.get(`${index}/${each}` as Bytes) ?? '';
        const isIgnored = pattern !== '' && !pattern.startsWith('!');
        const isOurs = isLeftOut(rules, each, directories.includes(each));
        if (isIgnored !== isOurs) differing.push({ path: each, git: isIgnored, pattern, lines });
      }
    }
    expect(differing).toEqual([]);
  });

  test('take a shell glob for what git takes its pattern for: a name anywhere, or a path below the root', () => {
    const left = (glob: string, path: string, isDirectory = false) =>
      isLeftOut(new Rules([], [patternOfGlob(glob as Bytes)]), path as Bytes, isDirectory);
    expect(left('*.o', 'deep/a.o')).toBe(true);
    expect(left('build/*.o', 'build/a.o')).toBe(true);
    expect(left('build/*.o', 'sub/build/a.o')).toBe(false);
    expect(left('build/*.o', 'build/deep/a.o')).toBe(false);
    expect(left('build/**', 'build/deep/a.o')).toBe(true);
    expect(left('/top', 'top')).toBe(true);
    expect(left('/top', 'sub/top')).toBe(false);
    expect(left('logs/', 'sub/logs', true)).toBe(true);
    expect(left('logs/', 'sub/logs', false)).toBe(false);
    expect(left('!odd', '!odd')).toBe(true);
    expect(left('#odd', 'sub/#odd')).toBe(true);
    expect(left('ends in blanks  ', 'ends in blanks  ')).toBe(true);
    expect(left('ends in blanks  ', 'ends in blanks')).toBe(false);
  });
});
