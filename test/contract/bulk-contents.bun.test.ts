import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Bytes, bytesFromText } from '../../src/bytes.ts';
import { BulkContents } from '../../src/platform/bun/bulk-contents.ts';
import { createBunHash } from '../../src/platform/bun/hash.ts';
import { type BulkFiles, loadBulkFiles } from '../../src/platform/linux/bulk-files.ts';
import { createLinuxFiles, descriptorOf } from '../../src/platform/linux/files.ts';
import { nameIn } from '../../src/ports/listing.ts';
import { captureContent } from '../../src/rollback/content.ts';
import { RESULT_BYTES, readResult, type TaskBatch, writeResult } from '../../src/rollback/content-wire.ts';
import { knownFiles, NOT_TAKEN_OVER } from '../../src/rollback/known-contents.ts';
import { ENTRY_BYTES, FIELD, KIND_CODES } from '../../src/rollback/node-codec.ts';
import { CHUNK_BYTES, ObjectStore } from '../../src/rollback/objects.ts';
import { createTestClock } from '../support/adapters.ts';
import { createScratchDirectory, type Scratch } from '../support/scratch.ts';

const files = createLinuxFiles();
const hash = createBunHash();
/** Late enough that every file here counts as settled. */
const clock = { ...createTestClock(), nowMs: () => Date.now() + 60_000 };
const compiled = loadBulkFiles();
const bulk = compiled as BulkFiles;

interface Place extends Disposable {
  readonly scratch: Scratch;
  open(name: string): ReturnType<typeof files.openDirectory>;
}

function createPlace(...names: readonly string[]): Place {
  const scratch = createScratchDirectory();
  const opened: Disposable[] = [];
  for (const name of names) fs.mkdirSync(scratch.at(name));
  return {
    scratch,
    open(name) {
      const directory = files.openDirectory(bytesFromText(scratch.at(name)));
      opened.push(directory);
      return directory;
    },
    [Symbol.dispose]() {
      for (const one of opened) one[Symbol.dispose]();
      scratch[Symbol.dispose]();
    },
  };
}

function batchOf(paths: readonly string[]): TaskBatch {
  const bytes = paths.map(bytesFromText);
  return { roots: new Uint32Array(paths.length), paths: bytes.join('\0') };
}

interface Ways {
  readonly isListed: boolean;
  readonly earlier?: string;
  readonly maxFileBytes?: number;
  readonly room?: BulkFiles;
}

/** What the bulk way gives, the plain way where it leaves a task; and what the plain way alone gives. */
function runBoth(place: Place, batch: TaskBatch, { isListed, earlier, maxFileBytes = 1e9 }: Ways) {
  const root = place.open('root');
  const results = ['bulk', 'plain'].map((way) => {
    const objects = place.open(`${way}-objects`);
    const from = earlier === undefined ? undefined : place.open(earlier);
    const store = new ObjectStore(objects, { writer: 'test', isListed });
    const deps = { hash, clock, store, earlier: from, chunk: new Uint8Array(new ArrayBuffer(CHUNK_BYTES)), maxFileBytes };
    const records = Buffer.alloc(batch.roots.length * RESULT_BYTES);
    const contents = new BulkContents(bulk, {
      clock,
      roots: [descriptorOf(root)],
      objects: descriptorOf(objects),
      earlier: from && descriptorOf(from),
      writer: isListed ? 'test' : undefined,
      maxFileBytes,
    });
    const left = way === 'bulk' ? contents.run(batch, records) : [...batch.roots.keys()];
    const names = batch.paths.split('\0') as Bytes[];
    for (const index of left) {
      writeResult(records, index, captureContent(root, names[index] as Bytes, deps));
    }
    const told = names.map((_, index) => readResult(records, index));
    return { told: told.map(withoutRest), left, storedBytes: store.storedBytes + contents.storedBytes };
  });
  return { bulk: results[0] as (typeof results)[number], plain: results[1] as (typeof results)[number] };
}

/** The bulk way tells no more than goes between threads. */
function withoutRest(result: ReturnType<typeof readResult>) {
  if (result.kind !== 'read') return result;
  const { blocks: _blocks, uid: _uid, ...stat } = result.stat;
  return { ...result, stat };
}

function stored(place: Place, name: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const path of fs.readdirSync(place.scratch.at(name), { recursive: true }) as string[]) {
    const full = place.scratch.at(`${name}/${path}`);
    const { mode } = fs.statSync(full);
    if (fs.statSync(full).isFile()) found.set(path, `${(mode & 0o7777).toString(8)} ${fs.readFileSync(full, 'hex')}`);
  }
  return found;
}

function storeEarlier(place: Place, texts: readonly string[]): void {
  const earlier = new ObjectStore(place.open('earlier'), { writer: 'x', isListed: true });
  for (const text of texts) earlier.store(hash.sha256(Buffer.from(text)), Buffer.from(text));
}

/** From `earlier` into `objects`. */
function openTakingOver(place: Place): BulkContents {
  return new BulkContents(bulk, {
    clock,
    roots: [],
    objects: descriptorOf(place.open('objects')),
    earlier: descriptorOf(place.open('earlier')),
    writer: undefined,
    maxFileBytes: 1e9,
  });
}

function expectShared({ scratch }: Place): void {
  for (const path of fs.readdirSync(scratch.at('earlier'), { recursive: true }) as string[]) {
    const inodeOf = (name: string) => fs.statSync(scratch.at(`${name}/${path}`)).ino;
    if (path.includes('/')) expect(inodeOf('bulk-objects')).toBe(inodeOf('earlier'));
  }
}

/** An encoded entry whose name is its content. */
function entryOf(text: string, { kind, isHashed }: { readonly kind: 'file' | 'symlink'; readonly isHashed: boolean }): Buffer {
  const entry = Buffer.alloc(ENTRY_BYTES + text.length);
  entry[FIELD.kind] = KIND_CODES[kind];
  entry.writeUInt16LE(text.length, FIELD.nameLength);
  if (isHashed) entry.write(hash.sha256(Buffer.from(text)), FIELD.hash, 'latin1');
  entry.write(text, ENTRY_BYTES, 'latin1');
  return entry;
}

const OBJECT_PLACES = ['root', 'bulk-objects', 'plain-objects'];

describe('BulkContents', () => {
  test('compiles on this machine', () => {
    expect(compiled).toBeDefined();
  });

  test.for([false, true])('stores the same objects and tells the same as the plain way (listed: %s)', (isListed) => {
    using place = createPlace(...OBJECT_PLACES);
    const { scratch } = place;
    const paths: string[] = [];
    const add = (name: string, data: Buffer | string) => {
      paths.push(name);
      fs.writeFileSync(scratch.at(`root/${name}`), data);
    };
    fs.mkdirSync(scratch.at('root/below'));
    for (let index = 0; index < 700; index++)
      add(index % 3 === 0 ? `below/f${index}` : `f${index}`, `${index % 50}\n`.repeat(index));
    add('empty', '');
    add('largest', Buffer.alloc(256 * 1024 - 1, 'a'));
    add('as large as the room', Buffer.alloc(256 * 1024, 'b'));
    add('larger', Buffer.alloc(3 * 1024 * 1024 + 5, 'c'));
    fs.symlinkSync('f1', scratch.at('root/link'));
    fs.symlinkSync('below', scratch.at('root/way'));
    execFileSync('mkfifo', [scratch.at('root/fifo')]);
    paths.push('link', 'way/f0', 'fifo', 'below', 'missing', '../bulk-objects', '/etc/passwd');

    const { bulk: ours, plain } = runBoth(place, batchOf(paths), { isListed });
    expect(ours.told).toEqual(plain.told);
    expect(ours.storedBytes).toBe(plain.storedBytes);
    expect(stored(place, 'bulk-objects')).toEqual(stored(place, 'plain-objects'));
    expect(ours.left.length).toBeLessThan(12);
  });

  test('leaves what may still change without a trace, what is over the limit, and nothing else', () => {
    using place = createPlace(...OBJECT_PLACES);
    fs.writeFileSync(place.scratch.at('root/fits'), 'x'.repeat(100));
    fs.writeFileSync(place.scratch.at('root/too large'), 'x'.repeat(101));
    const { bulk: ours, plain } = runBoth(place, batchOf(['fits', 'too large']), { isListed: false, maxFileBytes: 100 });
    expect(ours.left).toEqual([1]);
    expect(ours.told).toEqual(plain.told);
    expect(ours.told[1]).toEqual({ kind: 'skipped', reason: 'file-limit' });
  });

  test('links what an earlier session holds of what is read', () => {
    using place = createPlace(...OBJECT_PLACES, 'earlier');
    const paths = Array.from({ length: 40 }, (_, index) => `f${index}`);
    for (const path of paths) fs.writeFileSync(place.scratch.at(`root/${path}`), path);
    storeEarlier(place, paths.slice(0, 20));
    const { bulk: ours, plain } = runBoth(place, batchOf(paths), { isListed: true, earlier: 'earlier' });
    expect(ours.told).toEqual(plain.told);
    expect(ours.storedBytes).toBe(plain.storedBytes);
    expect(stored(place, 'bulk-objects')).toEqual(stored(place, 'plain-objects'));
    expectShared(place);
  });

  test('takes over what an earlier session holds, and marks what it does not', () => {
    using place = createPlace('objects', 'earlier');
    const texts = Array.from({ length: 40 }, (_, index) => `f${index}`);
    storeEarlier(place, texts.slice(0, 20));
    // Neither a file that has no hash yet nor a link, whose hash is that of its target, is a content to take over.
    const entries = Buffer.concat([
      ...texts.map((text, index) => entryOf(text, { kind: 'file', isHashed: index % 4 < 2 })),
      entryOf('a link', { kind: 'symlink', isHashed: true }),
    ]);
    const contents = openTakingOver(place);
    expect([...knownFiles(entries, 0, entries.length)]).toHaveLength(20);
    expect(contents.takeOver(entries)).toBe(10);
    const marked = [...knownFiles(entries, 0, entries.length)].filter((at) => entries[at + FIELD.reason] === NOT_TAKEN_OVER);
    expect(marked.map((at) => nameIn(entries, at))).toEqual(texts.slice(20).filter((_, index) => index % 4 < 2));
    expect(stored(place, 'objects').size).toBe(10);
    for (const path of stored(place, 'objects').keys()) {
      const inodeOf = (name: string) => fs.statSync(place.scratch.at(`${name}/${path}`)).ino;
      expect(inodeOf('objects')).toBe(inodeOf('earlier'));
    }
  });

  test('entries that are cut short are not read past their end', () => {
    using place = createPlace('objects', 'earlier');
    const whole = entryOf('some text', { kind: 'file', isHashed: true });
    const contents = openTakingOver(place);
    expect(contents.takeOver(Buffer.from(whole.subarray(0, ENTRY_BYTES - 1)))).toBe(0);
    expect(contents.takeOver(Buffer.alloc(0))).toBe(0);
  });

  test('an object that cannot be written leaves no part of it under its name', () => {
    using place = createPlace(...OBJECT_PLACES);
    fs.writeFileSync(place.scratch.at('root/f'), 'some text');
    const root = place.open('root');
    const objects = place.open('bulk-objects');
    const contents = new BulkContents(bulk, {
      clock,
      roots: [descriptorOf(root)],
      objects: descriptorOf(objects),
      earlier: undefined,
      writer: undefined,
      maxFileBytes: 1e9,
    });
    const records = Buffer.alloc(RESULT_BYTES);
    // A file where the fan-out directory would be: nothing can be created below it.
    const hex = Buffer.from(hash.sha256(Buffer.from('some text')), 'latin1').toString('hex');
    fs.writeFileSync(place.scratch.at(`bulk-objects/${hex.slice(0, 2)}`), '');
    expect(contents.run(batchOf(['f']), records)).toEqual([0]);
    expect(contents.storedBytes).toBe(0);
  });

  test('a file that was changed just now is left to be read with two looks at it', () => {
    using place = createPlace(...OBJECT_PLACES);
    fs.writeFileSync(place.scratch.at('root/f'), 'some text');
    const contents = new BulkContents(bulk, {
      clock: createTestClock(),
      roots: [descriptorOf(place.open('root'))],
      objects: descriptorOf(place.open('bulk-objects')),
      earlier: undefined,
      writer: undefined,
      maxFileBytes: 1e9,
    });
    expect(contents.run(batchOf(['f']), Buffer.alloc(RESULT_BYTES))).toEqual([0]);
  });
});
