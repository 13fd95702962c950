import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../../src/bytes.ts';
import { hasName, hasNameBelow, parseGitIndex } from '../../../src/rollback/git-index.ts';
import { createScratchDirectory, type Scratch } from '../../support/scratch.ts';

const NAMES = [
  'a',
  'a.b',
  'a/b',
  'a/b/c',
  'a0',
  'new\nline',
  'caf\xc3\xa9',
  'bad\xff',
  `${'long/'.repeat(30)}x`,
  'z'.repeat(255),
];

function git(scratch: Scratch, words: readonly string[], input?: Buffer): Buffer {
  return execFileSync('git', ['-C', scratch.path, ...words], { input, stdio: ['pipe', 'pipe', 'pipe'] });
}

/** A repository whose index has these names, with contents that git need not have. */
function makeIndex(scratch: Scratch, names: readonly string[], format: 'sha1' | 'sha256', version: number): Buffer {
  git(scratch, ['init', '-q', `--object-format=${format}`]);
  const blob = git(scratch, ['hash-object', '-w', '--stdin'], Buffer.from('x')).toString().trim();
  const lines = names.map((name) => `100644 ${blob} 0\t${name}\0`);
  git(scratch, ['update-index', '-z', '--index-info'], Buffer.from(lines.join(''), 'latin1'));
  git(scratch, ['update-index', '--force-write-index', '--index-version', String(version)]);
  return fs.readFileSync(scratch.at('.git/index'));
}

function listed(scratch: Scratch): string[] {
  return git(scratch, ['ls-files', '-z']).toString('latin1').split('\0').slice(0, -1);
}

describe('parseGitIndex()', () => {
  test.for([
    { format: 'sha1', version: 2 },
    { format: 'sha1', version: 4 },
    { format: 'sha256', version: 2 },
    { format: 'sha256', version: 4 },
  ] as const)('gives what git ls-files gives: $format, version $version', ({ format, version }) => {
    using scratch = createScratchDirectory();
    const names = [...NAMES.filter((name) => name !== 'a'), ...Array.from({ length: 300 }, (_, index) => `many/${index}`)];
    const index = makeIndex(scratch, names, format, version);
    expect(index.readUInt32BE(4)).toBe(version);
    expect(parseGitIndex(index, format)).toEqual(listed(scratch));
  });

  test('reads the extended flags of version 3', () => {
    using scratch = createScratchDirectory();
    makeIndex(scratch, ['b', 'd'], 'sha1', 2);
    for (const name of ['a', 'c', 'e']) fs.writeFileSync(scratch.at(name), name);
    git(scratch, ['add', '--intent-to-add', 'a', 'c', 'e']);
    const index = fs.readFileSync(scratch.at('.git/index'));
    expect(index.readUInt32BE(4)).toBe(3);
    expect(parseGitIndex(index)).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  test('reads names longer than the length field can say, and entries in conflict', () => {
    using scratch = createScratchDirectory();
    makeIndex(scratch, ['a'], 'sha1', 2);
    const blob = git(scratch, ['rev-parse', ':a']).toString().trim();
    const long = Array.from({ length: 19 }, () => 'n'.repeat(250)).join('/');
    const lines = [1, 2, 3].map((stage) => `100644 ${blob} ${stage}\tboth\0`);
    git(scratch, ['update-index', '-z', '--index-info'], Buffer.from([...lines, `100644 ${blob} 0\t${long}\0`].join('')));
    for (const version of ['2', '4']) {
      git(scratch, ['update-index', '--force-write-index', '--index-version', version]);
      expect(parseGitIndex(fs.readFileSync(scratch.at('.git/index')))).toEqual(listed(scratch));
    }
  });

  test.for([2, 4])('survives an index of version %i that is cut anywhere or has any byte changed', (version) => {
    using scratch = createScratchDirectory();
    const index = makeIndex(scratch, ['a/b', 'a/c', 'bad\xff'], 'sha1', version);
    for (let length = 0; length < index.length; length++) {
      const names = parseGitIndex(index.subarray(0, length));
      expect(names === undefined || names.length <= 3).toBe(true);
    }
    for (let at = 0; at < index.length; at++) {
      for (const value of [0, 0xff, (index[at] ?? 0) ^ 0x80]) {
        const changed = Buffer.from(index);
        changed[at] = value;
        expect(() => parseGitIndex(changed)).not.toThrow();
      }
    }
  });

  test.for([
    { what: 'nothing', data: '' },
    { what: 'another magic', data: 'DIRX\0\0\0\x02\0\0\0\0' },
    { what: 'version 1', data: 'DIRC\0\0\0\x01\0\0\0\0' },
    { what: 'version 5', data: 'DIRC\0\0\0\x05\0\0\0\0' },
    { what: 'four billion entries', data: 'DIRC\0\0\0\x02\xff\xff\xff\xff' },
  ])('gives undefined for $what', ({ data }) => {
    expect(parseGitIndex(Buffer.from(data, 'latin1'))).toBeUndefined();
  });

  test('is not made to hold gigabytes of names by a small file', () => {
    // Version 4: each name is the one before and a byte more.
    const count = 60_000;
    const head = Buffer.alloc(12);
    head.write('DIRC');
    head.writeUInt32BE(4, 4);
    head.writeUInt32BE(count, 8);
    const entry = Buffer.concat([Buffer.alloc(62), Buffer.from('\0a\0')]);
    expect(parseGitIndex(Buffer.concat([head, ...Array.from({ length: count }, () => entry)]))).toBeUndefined();
  });

  test('gives no names for an empty index', () => {
    expect(parseGitIndex(Buffer.from('DIRC\0\0\0\x02\0\0\0\0', 'latin1'))).toEqual([]);
  });
});

describe('hasName() and hasNameBelow()', () => {
  const names = ['a-b', 'a/b', 'a/c/d', 'a0', 'b'] as Bytes[];
  const all = ['a-b', 'a/b', 'a/c/d', 'a0', 'b', 'a', 'a/c', 'a/', 'c', '', 'a-', 'A'] as Bytes[];

  test.for(all)('agree with a plain search for %j', (name) => {
    expect(hasName(names, name)).toBe(names.includes(name));
    expect(hasNameBelow(names, name)).toBe(names.some((each) => each.startsWith(`${name}/`)));
  });
});
