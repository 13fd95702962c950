import { describe, expect, test } from 'vitest';
import { type Bytes, bytesFromText } from '../../../src/bytes.ts';
import { countsText, displayPath, totalOf } from '../../../src/ui/change-lines.ts';
import { createPalette } from '../../../src/ui/palette.ts';
import { formatSize } from '../../../src/ui/size.ts';

const plain = createPalette(false);

describe('displayPath()', () => {
  test.for([
    { path: '/p/a/b', roots: ['/p'], shown: 'a/b' },
    { path: '/p', roots: ['/p'], shown: '.' },
    { path: '/home/u/x', roots: ['/p', '/home/u'], shown: '~/x' },
    { path: '/q/x', roots: ['/p', '/r'], shown: '/q/x' },
    { path: '/p/\x1b[31mred\n', roots: ['/p'], shown: '\\x1b[31mred\\n' },
    { path: '/p/bad\xff', roots: ['/p'], shown: 'bad\\xff' },
    { path: '/p/caf\xc3\xa9', roots: ['/p'], shown: 'café' },
  ])('shows $path below $roots as $shown', ({ path, roots, shown }) => {
    expect(displayPath(path as Bytes, roots as Bytes[], bytesFromText('/home/u'))).toBe(shown);
  });
});

describe('countsText()', () => {
  test.for([
    { counts: [0, 0, 0, 0], text: '' },
    { counts: [1, 0, 0, 0], text: '+1 file' },
    { counts: [5, 0, 0, 0], text: '+5 files' },
    { counts: [0, 2, 1, 0], text: '~2 modified, -1 deleted' },
    { counts: [1, 1, 1, 1], text: '+1 file, ~1 modified, -1 deleted, 1 mode' },
  ])('$counts is "$text"', ({ counts: [created = 0, modified = 0, deleted = 0, modeChanged = 0], text }) => {
    const counts = { created, modified, deleted, modeChanged };
    expect(countsText(counts, plain)).toBe(text);
    expect(totalOf(counts)).toBe(created + modified + deleted + modeChanged);
  });
});

describe('createPalette()', () => {
  test('writes escapes only where colour is wanted', () => {
    expect(plain.added('+x')).toBe('+x');
    expect(createPalette(true).added('+x')).toBe('\x1b[32m+x\x1b[39m');
  });
});

describe('formatSize()', () => {
  test.for([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [1434, '1.4 KiB'],
    [20 * 1024 ** 2, '20 MiB'],
    [3 * 1024 ** 5, '3072 TiB'],
  ] as const)('%i is %s', ([bytes, text]) => {
    expect(formatSize(bytes)).toBe(text);
  });
});
