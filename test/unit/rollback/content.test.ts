import { appendFileSync, utimesSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { bytesFromText } from '../../../src/bytes.ts';
import type { Directory, OpenFile } from '../../../src/ports/files.ts';
import { captureContent } from '../../../src/rollback/content.ts';
import { CHUNK_BYTES } from '../../../src/rollback/objects.ts';
import { createTestClock, loadAdapters } from '../../support/adapters.ts';
import { createScratchDirectory } from '../../support/scratch.ts';

const { files, hash } = await loadAdapters();

/** The directory, where something happens each time that a file in it was read. */
function afterEachRead(directory: Directory, happen: (turn: number) => void): Directory {
  let turn = 0;
  const wrap = (file: OpenFile): OpenFile =>
    new Proxy(file, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        const method = value.bind(target) as (...words: unknown[]) => unknown;
        if (name !== 'read') return method;
        return (...words: unknown[]) => {
          const got = method(...words);
          happen(++turn);
          return got;
        };
      },
    });
  return new Proxy(directory, {
    get(target, name) {
      if (name === 'openFile') return (path: never) => wrap(target.openFile(path));
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

const deps = {
  hash,
  clock: createTestClock(),
  store: undefined,
  earlier: undefined,
  chunk: new Uint8Array(new ArrayBuffer(CHUNK_BYTES)),
  maxFileBytes: 1e9,
};

describe('captureContent()', () => {
  test.for([
    { what: 'grows', change: (path: string) => appendFileSync(path, 'more') },
    { what: 'is written over with as many bytes', change: (path: string) => writeFileSync(path, 'TEXT') },
    { what: 'gets back the time that it had', change: (path: string) => utimesSync(path, 1_600_000_000, 1_600_000_000) },
  ])('reads a file again that $what while it is read, and gives up where it does so every time', ({ change }) => {
    using scratch = createScratchDirectory();
    using directory = files.openDirectory(scratch.bytes);
    const path = scratch.at('f');
    writeFileSync(path, 'text');
    const always = afterEachRead(directory, () => change(path));
    expect(captureContent(always, bytesFromText('f'), deps)).toEqual({ kind: 'skipped', reason: 'changing' });

    writeFileSync(path, 'text');
    const twice = afterEachRead(directory, (turn) => {
      if (turn <= 2) change(path);
    });
    const result = captureContent(twice, bytesFromText('f'), deps);
    expect(result.kind).toBe('read');
    const now = directory.stat(bytesFromText('f'));
    if (result.kind === 'read') expect(result.stat).toMatchObject({ sizeBytes: now?.sizeBytes, inode: now?.inode });
  });

  test('takes nothing for the content of a file that has more than its size says', () => {
    using directory = files.openDirectory(bytesFromText('/proc/self'));
    const name = bytesFromText('status');
    expect(directory.stat(name)).toMatchObject({ kind: 'file', sizeBytes: 0 });
    expect(captureContent(directory, name, deps)).toEqual({ kind: 'skipped', reason: 'changing' });
  });
});
