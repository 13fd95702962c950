import * as fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import { bytesFromText } from '../../src/bytes.ts';
import { parentPath } from '../../src/paths.ts';
import { BulkRestore } from '../../src/platform/bun/bulk-restore.ts';
import { createBunHash } from '../../src/platform/bun/hash.ts';
import { type BulkFiles, loadBulkFiles } from '../../src/platform/linux/bulk-files.ts';
import { createLinuxFiles } from '../../src/platform/linux/files.ts';
import type { Directory } from '../../src/ports/files.ts';
import { encodeRestoreBatch, RESULT_BYTES, type RestoreTask, readResult } from '../../src/rollback/content-wire.ts';
import { CHUNK_BYTES, ObjectStore, objectPath } from '../../src/rollback/objects.ts';
import { restoreMissing } from '../../src/rollback/restore-file.ts';
import { createScratchDirectory, type Scratch } from '../support/scratch.ts';
import { needOtherUser } from '../support/tools.ts';

const files = createLinuxFiles();
const hash = createBunHash();

const CONTENTS = ['text', '', '\0'.repeat(500), '\0 begins with it', 'x'.repeat(65_535), 'x'.repeat(65_536), 'y'.repeat(300_000)];
const MODES = [0o644, 0o600, 0o755, 0o400, 0o000, 0o4755, 0o2711];
/** Nobody. */
const ORDINARY = 65_534;
const TIMES = [
  [1_700_000_000, 123_456_789],
  [-5, 999_999_999],
  [2 ** 33, 1],
] as const;

/** Sixty files, of which some are plain; then one that is there already, and some whose content or directory is not what it was. */
function makeTasks(scratch: Scratch, objects: Directory): { readonly tasks: readonly RestoreTask[]; readonly taken: number } {
  const store = new ObjectStore(objects, { writer: 'x', isListed: true });
  const tasks: RestoreTask[] = [];
  const add = (path: string, content: string, index: number) => {
    const data = Buffer.from(content);
    const want = {
      hash: hash.sha256(data),
      mode: MODES[index % MODES.length] as number,
      mtimeSeconds: (TIMES[index % TIMES.length] as readonly number[])[0] as number,
      mtimeNanoseconds: (TIMES[index % TIMES.length] as readonly number[])[1] as number,
    };
    store.store(want.hash, data);
    tasks.push({ root: 0, path: bytesFromText(path), temporary: bytesFromText(`.tmp-${tasks.length}`), want });
    return want.hash;
  };
  for (let index = 0; index < 60; index++) add(`${index % 20 < 10 ? 'a' : 'b'}/f${index}`, CONTENTS[index % 7] as string, index);
  const taken = tasks.length;
  fs.writeFileSync(scratch.at('root/a/taken'), 'mine');
  add('a/taken', 'theirs', 0);
  const missing = add('a/missing', 'no object', 0);
  fs.rmSync(scratch.at(`objects/${objectPath(missing)}`));
  const damaged = add('a/damaged', 'an object', 0);
  fs.chmodSync(scratch.at(`objects/${objectPath(damaged)}`), 0o600);
  fs.writeFileSync(scratch.at(`objects/${objectPath(damaged)}`), 'another one');
  add('nowhere/f', 'text', 0);
  add('way/f', 'text', 0);
  return { tasks, taken };
}

describe('BulkRestore', () => {
  test.for([
    ['', {}],
    [' where files have a name from the first', { isNamedLater: false }],
    [' where the directory takes from the mode more than is known', { modeMask: 0 }],
  ] as const)('makes the same files as the plain way%s, and leaves what is not plain', ([, facts]) => {
    const bulk = loadBulkFiles(facts) as BulkFiles;
    const mask = process.umask('modeMask' in facts ? 0o077 : 0o022);
    using _ = { [Symbol.dispose]: () => void process.umask(mask) };
    using scratch = createScratchDirectory();
    for (const name of ['objects', 'undo', 'root', 'root/a', 'root/b']) fs.mkdirSync(scratch.at(name));
    fs.symlinkSync('a', scratch.at('root/way'));
    using objects = files.openDirectory(bytesFromText(scratch.at('objects')));
    using undo = files.openDirectory(bytesFromText(scratch.at('undo')));
    using root = files.openDirectory(bytesFromText(scratch.at('root')));
    const { tasks, taken } = makeTasks(scratch, objects);

    const results = Buffer.alloc(tasks.length * RESULT_BYTES);
    const opened: Disposable[] = [];
    const left = new BulkRestore(bulk, objects, undo).run(encodeRestoreBatch(tasks, false), results, (_, path) => {
      if (path !== 'a' && path !== 'b') return undefined;
      const directory = root.openDirectory(path);
      opened.push(directory);
      return directory;
    });
    for (const one of opened) one[Symbol.dispose]();

    const isPlain = (index: number) => index < taken && ![2, 3, 5, 6].includes(index % 7);
    expect(left).toEqual([...tasks.keys()].filter((index) => !isPlain(index)));
    expect(fs.readFileSync(scratch.at('root/a/taken'), 'utf8')).toBe('mine');
    expect(fs.readdirSync(scratch.at('root/a')).filter((name) => name.startsWith('.tmp'))).toEqual([]);
    for (const [index, { path, want }] of tasks.entries()) {
      if (!isPlain(index)) continue;
      const told = readResult(results, index);
      using parent = root.openDirectory(parentPath(path));
      const stat = parent.stat(bytesFromText(path.slice(2)));
      expect(stat).toMatchObject({ mode: want.mode, mtimeSeconds: want.mtimeSeconds, mtimeNanoseconds: want.mtimeNanoseconds });
      expect(told).toMatchObject({
        kind: 'read',
        hash: want.hash,
        stat: { inode: stat?.inode, ctimeSeconds: stat?.ctimeSeconds },
      });
      // Only root reads what is closed to its owner.
      fs.chmodSync(scratch.at(`root/${path}`), 0o400);
      expect(fs.readFileSync(scratch.at(`root/${path}`), 'utf8')).toBe(CONTENTS[index % 7]);
      const inodes = ['objects', 'undo'].map((place) => fs.statSync(scratch.at(`${place}/${objectPath(want.hash)}`)).ino);
      expect(inodes[0]).toBe(inodes[1]);
    }
    // The plain way still does what was left.
    const deps = {
      hash,
      chunk: new Uint8Array(new ArrayBuffer(CHUNK_BYTES)),
      objects,
      undo: new ObjectStore(undo, { writer: 'x', isListed: true }),
    };
    using a = root.openDirectory(bytesFromText('a'));
    const again = (index: number, name: string) => {
      const { temporary, want } = tasks[index] as RestoreTask;
      return restoreMissing({ parent: a, name: bytesFromText(name), temporary, want }, deps).kind;
    };
    expect([again(2, 'f2'), again(taken, 'taken'), again(taken + 2, 'damaged')]).toEqual(['read', 'skipped', 'skipped']);
  });

  test('makes a file whose mode the system does not give it, and tells the one that it has', (context) => {
    needOtherUser(context);
    const bulk = loadBulkFiles() as BulkFiles;
    using scratch = createScratchDirectory();
    for (const name of ['objects', 'undo', 'root']) fs.mkdirSync(scratch.at(name));
    // What is made in it is of its group, which the user is not in: the kernel then leaves out set-group-id without a word.
    fs.chownSync(scratch.at('root'), ORDINARY, 12_345);
    fs.chmodSync(scratch.at('root'), 0o2777);
    using objects = files.openDirectory(bytesFromText(scratch.at('objects')));
    using undo = files.openDirectory(bytesFromText(scratch.at('undo')));
    using root = files.openDirectory(bytesFromText(scratch.at('root')));
    const data = Buffer.from('text');
    const want = { hash: hash.sha256(data), mode: 0o2755, mtimeSeconds: 1_700_000_000, mtimeNanoseconds: 1 };
    new ObjectStore(objects, { writer: 'x', isListed: true }).store(want.hash, data);
    const object = objectPath(want.hash);
    for (const name of ['', 'objects', `objects/${parentPath(object)}`, `objects/${object}`])
      fs.chmodSync(scratch.at(name), 0o755);
    const results = Buffer.alloc(RESULT_BYTES);
    const task: RestoreTask = { root: 0, path: bytesFromText('f'), temporary: bytesFromText('.t'), want };
    const restore = new BulkRestore(bulk, objects, undo);
    process.seteuid?.(ORDINARY);
    try {
      expect(restore.run(encodeRestoreBatch([task], true), results, () => root)).toEqual([]);
    } finally {
      process.seteuid?.(0);
    }
    expect(readResult(results, 0)).toMatchObject({ stat: { mode: 0o755 } });
    expect(root.stat(bytesFromText('f'))).toMatchObject({ mode: 0o755, sizeBytes: 4 });
  });
});
