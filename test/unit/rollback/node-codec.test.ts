import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../../src/bytes.ts';
import { type Entry, NO_HASH, SKIP_REASONS, type SkipReason } from '../../../src/rollback/entry.ts';
import {
  decodeHeader,
  decodeNode,
  ENTRY_BYTES,
  encodeHeader,
  encodeNode,
  FIELD,
  HEADER_BYTES,
  NODE_HEADER_BYTES,
  NodesDamage,
  nodeBytes,
} from '../../../src/rollback/node-codec.ts';

const byte = fc.integer({ min: 0, max: 255 }).map((unit) => String.fromCharCode(unit));
const bytesOf = (minLength: number, maxLength: number) =>
  fc.string({ unit: byte, minLength, maxLength }).map((text) => text as Bytes);
const safeName = bytesOf(1, 1000).filter((name) => !/[/\0]/.test(name) && name !== '.' && name !== '..');
const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const nanoseconds = fc.integer({ min: 0, max: 999_999_999 });

const metadata = {
  name: safeName,
  mode: fc.integer({ min: 0, max: 0o7777 }),
  sizeBytes: fc.maxSafeNat(),
  mtimeSeconds: fc.maxSafeInteger(),
  mtimeNanoseconds: nanoseconds,
  ctimeSeconds: fc.maxSafeInteger(),
  ctimeNanoseconds: nanoseconds,
  inode: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  device: fc.maxSafeNat(),
  links: uint32,
};

const none = fc.constant(undefined);
const noTarget = fc.constant('' as Bytes);
const hash = bytesOf(32, 32);
const OFFSET = 5000;

const entry: fc.Arbitrary<Entry> = fc.oneof(
  fc.record({ ...metadata, kind: fc.constant('file' as const), reason: none, hash, target: noTarget, child: none }),
  fc.record({
    ...metadata,
    kind: fc.constant('symlink' as const),
    reason: none,
    hash,
    target: bytesOf(1, 300).filter((target) => !target.includes('\0')),
    child: none,
  }),
  fc.record({
    ...metadata,
    kind: fc.constant('directory' as const),
    reason: none,
    hash,
    target: noTarget,
    child: fc.oneof(
      fc.record({ snapshot: fc.integer({ min: 0, max: 2 }), offset: fc.maxSafeNat() }),
      fc.record({ snapshot: fc.constant(3), offset: fc.integer({ min: 0, max: OFFSET - 1 }) }),
    ),
  }),
  fc.record({
    ...metadata,
    kind: fc.constant('skipped' as const),
    reason: fc.constantFrom(...(Object.keys(SKIP_REASONS) as SkipReason[])),
    hash: fc.constant(NO_HASH),
    target: noTarget,
    child: none,
  }),
);

const listing = fc
  .uniqueArray(entry, { selector: ({ name }) => name, maxLength: 8 })
  .map((entries) => entries.sort((a, b) => (a.name < b.name ? -1 : 1)));

function encodeAt(offset: number, entries: readonly Entry[]): Buffer {
  const file = Buffer.alloc(offset + nodeBytes(entries));
  encodeHeader({ startedSeconds: 1, startedNanoseconds: 2 }).copy(file);
  expect(encodeNode(file, offset, entries)).toBe(file.length);
  return file;
}

const FILE: Entry = {
  name: 'name' as Bytes,
  kind: 'file',
  reason: undefined,
  mode: 0o644,
  sizeBytes: 1,
  mtimeSeconds: 2,
  mtimeNanoseconds: 3,
  ctimeSeconds: 4,
  ctimeNanoseconds: 5,
  inode: 6n,
  device: 7,
  links: 1,
  hash: 'h'.repeat(32) as Bytes,
  target: '' as Bytes,
  child: undefined,
};

const named = (name: string): Entry => ({ ...FILE, name: name as Bytes });

describe('encodeNode() and decodeNode()', () => {
  test('give back every entry', () => {
    fc.assert(
      fc.property(listing, (entries) => {
        expect(decodeNode(encodeAt(OFFSET, entries), OFFSET, 3, false)).toEqual(entries);
      }),
      { numRuns: 300 },
    );
  });

  test('give back roots by their absolute paths', () => {
    const entries = ['/', '/a', '/a b/c', `/${'d/'.repeat(2000)}e`, '/\xff\n'].sort().map(named);
    expect(decodeNode(encodeAt(HEADER_BYTES, entries), HEADER_BYTES, 0, true)).toEqual(entries);
  });
});

describe('decodeNode()', () => {
  test.for([
    { what: 'an empty name', names: [''] },
    { what: '"."', names: ['.'] },
    { what: '".."', names: ['..'] },
    { what: 'a name of 4096 bytes', names: ['n'.repeat(4096)] },
    { what: 'a slash', names: ['a/b'] },
    { what: 'an absolute path', names: ['/etc'] },
    { what: 'a NUL', names: ['a\0b'] },
    { what: 'names out of order', names: ['b', 'a'] },
    { what: 'one name twice', names: ['a', 'a'] },
  ])('refuses $what', ({ names }) => {
    const file = encodeAt(HEADER_BYTES, names.map(named));
    expect(() => decodeNode(file, HEADER_BYTES, 0, false)).toThrow(NodesDamage);
  });

  test.for(['', 'a', 'a/b', '/a//b', '/a/', '//', '/a/../b', '/..', '/./a', '/a/.', '/a\0', `/${'n'.repeat(4096)}`])(
    'refuses the root %j',
    (path) => {
      const file = encodeAt(HEADER_BYTES, [named(path)]);
      expect(() => decodeNode(file, HEADER_BYTES, 0, true)).toThrow(NodesDamage);
    },
  );

  test.for([
    { what: 'an unknown kind', edit: { kind: 0x78 } },
    { what: 'the kind of something that vanished', edit: { kind: 0 } },
    { what: 'a reason for a file', edit: { reason: 1 } },
    { what: 'a skipped entry without a reason', edit: { kind: 0x73 } },
    { what: 'an unknown reason', edit: { kind: 0x73, reason: 12 } },
    { what: 'a mode beyond 07777', edit: { mode: 0x00, [FIELD.mode + 1]: 0x10 } },
    { what: 'a link without a target', edit: { kind: 0x6c } },
    { what: 'a target for a file', edit: { targetLength: 1 } },
    { what: 'a name past the end', edit: { nameLength: 5 } },
    { what: 'a name before the end', edit: { nameLength: 3 } },
    { what: 'a name far past the end', edit: { [FIELD.nameLength + 1]: 0xff } },
    { what: 'a size of 2^63', edit: { [FIELD.size + 7]: 0x80 } },
    { what: 'a device of 2^53', edit: { [FIELD.device + 6]: 0x20 } },
    { what: '2^30 ns in an mtime', edit: { [FIELD.mtimeNanoseconds + 3]: 0x40 } },
    { what: '2^30 ns in a ctime', edit: { [FIELD.ctimeNanoseconds + 3]: 0x40 } },
    { what: 'a directory that is its own child', edit: { kind: 0x64, childOffset: HEADER_BYTES } },
    { what: 'a child of a later snapshot', edit: { kind: 0x64, childSnapshot: 1 } },
    { what: 'a child at 2^53', edit: { kind: 0x64, [FIELD.childOffset + 6]: 0x20 } },
  ])('refuses $what', ({ edit }) => {
    const file = encodeAt(HEADER_BYTES, [FILE]);
    for (const [field, value] of Object.entries(edit)) {
      const offset = field in FIELD ? FIELD[field as keyof typeof FIELD] : Number(field);
      file[HEADER_BYTES + NODE_HEADER_BYTES + offset] = value;
    }
    expect(() => decodeNode(file, HEADER_BYTES, 0, false)).toThrow(NodesDamage);
  });

  test.for([
    { sizeBytes: 7 * 2 ** 60, mtimeSeconds: 2 ** 53 + 2, ctimeSeconds: 2 ** 62 },
    { sizeBytes: 2 ** 53, mtimeSeconds: -(2 ** 63), ctimeSeconds: -(2 ** 53) },
  ])('gives what tmpfs, btrfs and xfs have of files and times beyond 2^53: %j', (extremes) => {
    const file = encodeAt(HEADER_BYTES, [{ ...FILE, ...extremes }]);
    expect(decodeNode(file, HEADER_BYTES, 0, false)).toEqual([{ ...FILE, ...extremes }]);
    file[HEADER_BYTES + NODE_HEADER_BYTES + FIELD.size] = 1;
    expect(decodeNode(file, HEADER_BYTES, 0, false)).toEqual([{ ...FILE, ...extremes }]);
  });

  test('refuses a NUL in a link target', () => {
    const link: Entry = { ...FILE, kind: 'symlink', target: 'a\0b' as Bytes };
    expect(() => decodeNode(encodeAt(HEADER_BYTES, [link]), HEADER_BYTES, 0, false)).toThrow(NodesDamage);
  });

  test.for([
    { what: 'past the end', size: 8 + ENTRY_BYTES + 5, count: 1 },
    { what: 'less than its own header', size: 7, count: 1 },
    { what: 'of nothing', size: 0, count: 0 },
    { what: 'of four gigabytes', size: 0xffffffff, count: 1 },
    { what: 'with one entry too many', size: 8 + ENTRY_BYTES + 4, count: 2 },
    { what: 'with four billion entries', size: 8 + ENTRY_BYTES + 4, count: 0xffffffff },
    { what: 'with one entry too few', size: 8 + ENTRY_BYTES + 4, count: 0 },
  ])('refuses a node $what', ({ size, count }) => {
    const file = encodeAt(HEADER_BYTES, [FILE]);
    file.writeUInt32LE(size, HEADER_BYTES);
    file.writeUInt32LE(count, HEADER_BYTES + 4);
    expect(() => decodeNode(file, HEADER_BYTES, 0, false)).toThrow(NodesDamage);
  });

  test.for([0, HEADER_BYTES - 1, HEADER_BYTES + 1, 10_000, 2 ** 40])('refuses a node at %i', (offset) => {
    expect(() => decodeNode(encodeAt(HEADER_BYTES, [FILE]), offset, 0, false)).toThrow(NodesDamage);
  });

  test('refuses a file that is cut anywhere', () => {
    const file = encodeAt(HEADER_BYTES, [named('a'), named('b')]);
    for (let length = 0; length < file.length; length++) {
      expect(() => decodeNode(file.subarray(0, length), HEADER_BYTES, 0, false)).toThrow(NodesDamage);
    }
  });

  test('gives safe names or refuses, whatever the bytes are', () => {
    const edits = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(listing, edits, (entries, changes) => {
        const file = encodeAt(HEADER_BYTES, entries);
        for (const [at, value] of changes) file[HEADER_BYTES + (at % (file.length - HEADER_BYTES))] = value;
        try {
          for (const { name } of decodeNode(file, HEADER_BYTES, 3, false)) {
            expect(name.length).toBeLessThan(4096);
            expect(/[/\0]/.test(name) || ['', '.', '..'].includes(name)).toBe(false);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(NodesDamage);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('encodeHeader() and decodeHeader()', () => {
  test('give back the start of the snapshot', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), nanoseconds, (startedSeconds, startedNanoseconds) => {
        const header = { startedSeconds, startedNanoseconds };
        expect(decodeHeader(encodeHeader(header))).toEqual(header);
      }),
    );
  });

  test.for([
    { what: 'another magic', at: 0, value: 0x6e },
    { what: 'a newer format', at: 8, value: 2 },
    { what: 'another header size', at: 12, value: 33 },
    { what: 'a second and more of nanoseconds', at: 27, value: 0x40 },
    { what: 'a start beyond 2^53', at: 22, value: 0x20 },
  ])('refuses $what', ({ at, value }) => {
    const header = encodeHeader({ startedSeconds: 1, startedNanoseconds: 2 });
    header[at] = value;
    expect(() => decodeHeader(header)).toThrow(NodesDamage);
  });

  test('refuses a header that is cut', () => {
    const header = encodeHeader({ startedSeconds: 1, startedNanoseconds: 2 });
    for (let length = 0; length < header.length; length++) {
      expect(() => decodeHeader(header.subarray(0, length))).toThrow(NodesDamage);
    }
  });
});
