import { chmodSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Bytes, bytesFromText } from '../../src/bytes.ts';
import { removeTree } from '../../src/remove-tree.ts';
import { loadAdapters } from '../support/adapters.ts';
import { createScratchDirectory, type Scratch } from '../support/scratch.ts';

const { files } = await loadAdapters();
let scratch: Scratch;
let top = '';

beforeEach(() => {
  scratch = createScratchDirectory();
  top = scratch.path;
});
afterEach(() => scratch[Symbol.dispose]());

describe('removeTree()', () => {
  test('removes everything below and nothing that it links to', () => {
    mkdirSync(join(top, 'tree/a/b'), { recursive: true });
    mkdirSync(join(top, 'precious'));
    writeFileSync(join(top, 'precious/f'), 'x');
    symlinkSync('../../precious', join(top, 'tree/a/out'));
    symlinkSync(join(top, 'precious/f'), join(top, 'tree/file'));
    writeFileSync(join(top, 'tree/a/b/f'), 'x');
    chmodSync(join(top, 'tree/a/b'), 0);
    using parent = files.openDirectory(bytesFromText(top));

    removeTree(parent, 'tree' as Bytes);

    expect(readdirSync(top)).toEqual(['precious']);
    expect(readFileSync(join(top, 'precious/f'), 'utf8')).toBe('x');
  });

  test('removes a link by that name, not what it means', () => {
    mkdirSync(join(top, 'precious'));
    symlinkSync('precious', join(top, 'tree'));
    using parent = files.openDirectory(bytesFromText(top));

    removeTree(parent, 'tree' as Bytes);
    removeTree(parent, 'missing' as Bytes);

    expect(readdirSync(top)).toEqual(['precious']);
  });

  test('is not stopped by depth', () => {
    using parent = files.openDirectory(bytesFromText(top));
    let path = 'tree';
    for (let depth = 0; depth < 300; depth++) path += '/d';
    mkdirSync(join(top, path), { recursive: true });

    removeTree(parent, 'tree' as Bytes);

    expect(readdirSync(top)).toEqual([]);
  });
});
