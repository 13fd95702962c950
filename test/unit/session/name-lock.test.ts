import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Bytes, bytesFromText } from '../../../src/bytes.ts';
import type { LiveSession } from '../../../src/session/live-session.ts';
import { lockName, sweepNames } from '../../../src/session/name-lock.ts';
import { renameSession } from '../../../src/session/rename-session.ts';
import { loadAdapters } from '../../support/adapters.ts';
import { createScratchDirectory, type Scratch } from '../../support/scratch.ts';

const { files } = await loadAdapters();
let scratch: Scratch;
let top = '';

beforeEach(() => {
  scratch = createScratchDirectory();
  top = scratch.path;
});
afterEach(() => scratch[Symbol.dispose]());

describe('lockName()', () => {
  test('gives a name to one at a time, and leaves nothing behind', async () => {
    using names = files.openDirectory(bytesFromText(top));
    const first = await lockName(names, 'calm-node');

    expect(await lockName(names, 'calm-node')).toBeUndefined();
    {
      using other = await lockName(names, 'calm');
      expect(other).toBeDefined();
    }
    first?.[Symbol.dispose]();
    using second = await lockName(names, 'calm-node');
    expect(second).toBeDefined();
    await sweepNames(names);
    expect(readdirSync(top)).toEqual(['calm-node']);
  });

  test('waits for one who looks after names that nobody has, while the loop goes on', async () => {
    writeFileSync(join(top, 'calm-node'), '');
    using names = files.openDirectory(bytesFromText(top));
    const sweeping = names.openFile('calm-node' as Bytes);
    expect(sweeping.tryLockShared()).toBe(true);

    const locking = lockName(names, 'calm-node');
    setTimeout(() => sweeping[Symbol.dispose](), 1);
    using name = await locking;
    expect(name).toBeDefined();
  });

  test('gives up on one who has stopped while he looks after them', async () => {
    writeFileSync(join(top, 'calm-node'), '');
    using names = files.openDirectory(bytesFromText(top));
    using sweeping = names.openFile('calm-node' as Bytes);
    expect(sweeping.tryLockShared()).toBe(true);

    expect(await lockName(names, 'calm-node')).toBeUndefined();
  });

  test('removes nothing any more once it was given up', async () => {
    using names = files.openDirectory(bytesFromText(top));
    const first = await lockName(names, 'calm-node');
    first?.[Symbol.dispose]();
    using second = await lockName(names, 'calm-node');
    first?.[Symbol.dispose]();
    expect(second).toBeDefined();
    expect(readdirSync(top)).toEqual(['calm-node']);
  });
});

describe('renameSession()', () => {
  test('gives the name that two clients ask for at once, and tells both that it is there', async () => {
    using names = files.openDirectory(bytesFromText(top));
    const locks: Disposable[] = [];
    const live = {
      name: 'calm-node',
      rename(this: { name: string }, name: string, lock: Disposable) {
        this.name = name;
        locks.push(lock);
        return Promise.resolve();
      },
    } as unknown as LiveSession;

    expect(await Promise.all([1, 2].map(() => renameSession(live, names, 'brisk-oak')))).toEqual([
      { isDone: true, changed: true },
      { isDone: true, changed: false },
    ]);
    using _other = await lockName(names, 'red-leaf');
    expect(await renameSession(live, names, 'red-leaf')).toMatchObject({ isDone: false, code: 'name_taken' });
    for (const lock of locks) lock[Symbol.dispose]();
  });
});

describe('sweepNames()', () => {
  test('removes the names that nobody has, those of a sweep that was killed too, and passes over what is none', async () => {
    using names = files.openDirectory(bytesFromText(top));
    for (const name of ['calm-node', 'brisk-oak', '.sweeping']) writeFileSync(join(top, name), '');
    mkdirSync(join(top, 'directory'));
    symlinkSync('brisk-oak', join(top, 'link'));
    await sweepNames(names);
    expect(readdirSync(top).toSorted()).toEqual(['directory', 'link']);
  });

  test('leaves it to another one that is at it', async () => {
    using names = files.openDirectory(bytesFromText(top));
    writeFileSync(join(top, 'calm-node'), '');
    {
      using sweeping = await lockName(names, '.sweeping');
      expect(sweeping).toBeDefined();
      await sweepNames(names);
    }
    expect(readdirSync(top)).toEqual(['calm-node']);
  });
});
