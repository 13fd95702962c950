import { chmodSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Bytes, bytesFromText } from '../../src/bytes.ts';
import type { Directory } from '../../src/ports/files.ts';
import { removeTree } from '../../src/remove-tree.ts';
import { loadAdapters } from '../support/adapters.ts';
import { createScratchDirectory, type Scratch } from '../support/scratch.ts';

const { files } = await loadAdapters();
const CHAIN = 200;
let scratch: Scratch;
let top = '';

beforeEach(() => {
  scratch = createScratchDirectory();
  top = scratch.path;
});
afterEach(() => scratch[Symbol.dispose]());

/** Deeper than a path can name, with a file and a closed directory on the way. */
function growChain(tree: Directory, name: Bytes): void {
  let above = tree;
  for (let depth = 0; depth < CHAIN; depth++) {
    const next = depth === 0 ? name : ('d'.repeat(50) as Bytes);
    above.createDirectory(next, 0o700);
    const below = above.openDirectory(next);
    if (depth % 70 === 0) {
      below.createDirectory('closed' as Bytes, 0o700);
      below.createFile('f' as Bytes, 0o600)[Symbol.dispose]();
      below.setMode('closed' as Bytes, 0);
    }
    if (above !== tree) above[Symbol.dispose]();
    above = below;
  }
  above[Symbol.dispose]();
}

/** The same directory, whose paths are noted down. */
function spyOn(directory: Directory, calls: string[]): Directory {
  return new Proxy(directory, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== 'function') return value;
      return (...words: readonly unknown[]): unknown => {
        if (property === 'openDirectory') calls.push(String(words[0]));
        return Reflect.apply(value, target, words);
      };
    },
  });
}

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

  test('takes no longer for each directory of a chain that is longer than any path', () => {
    using parent = files.openDirectory(bytesFromText(top));
    const calls: string[] = [];
    parent.createDirectory('tree' as Bytes, 0o700);
    // Names that it would move to.
    for (const name of ['.moved-0', '.moved-2/full']) mkdirSync(join(top, 'tree', name), { recursive: true });
    using tree = parent.openDirectory('tree' as Bytes);
    for (let branch = 0; branch < 2; branch++) growChain(tree, `branch-${branch}` as Bytes);

    removeTree(spyOn(parent, calls), 'tree' as Bytes);

    expect(readdirSync(top)).toEqual([]);
    expect(Math.max(...calls.map((path) => path.split('/').length))).toBeLessThanOrEqual(66);
  });
});
