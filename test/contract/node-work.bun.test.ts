import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../src/bytes.ts';
import { loadBulkNodes } from '../../src/platform/linux/bulk-nodes.ts';
import { packListing } from '../../src/ports/listing.ts';
import { TOTALS } from '../../src/ports/node-work.ts';
import { nodeOf } from '../../src/rollback/drafts.ts';
import { type Entry, type EntryKind, NO_HASH } from '../../src/rollback/entry.ts';
import { PLACE_BYTES, plainNodeWork } from '../../src/rollback/node-work.ts';

const runs = 300;
const nodeWork = loadBulkNodes() ?? plainNodeWork;

const name = fc.string({ unit: fc.constantFrom('a', 'b', '-', '\xff'), minLength: 1, maxLength: 12 }) as fc.Arbitrary<Bytes>;
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('latin1') as Bytes);
const numbers = fc.record({
  mode: fc.nat(0o7777),
  sizeBytes: fc.oneof(fc.nat(3), fc.maxSafeNat()),
  mtimeSeconds: fc.integer(),
  mtimeNanoseconds: fc.nat(1),
  ctimeSeconds: fc.nat(2),
  ctimeNanoseconds: fc.nat(999_999_999),
  inode: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  device: fc.nat(2 ** 31 - 1),
  links: fc.nat(3),
});
const entry = fc.tuple(name, fc.constantFrom<EntryKind>('file', 'directory', 'symlink', 'skipped'), numbers, hash, fc.nat(3)).map(
  ([entryName, kind, stat, entryHash, child]): Entry => ({
    ...stat,
    name: entryName,
    kind,
    reason: kind === 'skipped' ? 'fifo' : undefined,
    hash: kind === 'skipped' ? NO_HASH : entryHash,
    target: (kind === 'symlink' ? `to ${entryName}` : '') as Bytes,
    child: kind === 'directory' ? { snapshot: 0, offset: child } : undefined,
  }),
);
const entries = fc.uniqueArray(entry, { selector: (one) => one.name, maxLength: 30 }).map((list) => list.toSorted(byName));

function byName(a: Entry, b: Entry): number {
  return a.name < b.name ? -1 : 1;
}

/** A listing in which some are as they were, some are different, some are gone and some are new. */
function listingOf(before: readonly Entry[], now: readonly Entry[], isKept: (index: number) => boolean) {
  const kept = before.filter((_, index) => isKept(index));
  const all = new Map([...now, ...kept].map((one) => [one.name, one]));
  const statOf = (one: Entry | undefined) =>
    one === undefined
      ? undefined
      : { ...one, kind: one.kind === 'skipped' ? ('fifo' as const) : one.kind, blocks: 0, uid: 0, isMountPoint: false };
  return packListing([...all.keys()], (key) => statOf(all.get(key)));
}

describe('what is done by C for each entry of a node', () => {
  test('finds the same entries as JavaScript does', () => {
    fc.assert(
      fc.property(entries, entries, fc.infiniteStream(fc.boolean()), (before, now, kept) => {
        const node = nodeOf(before);
        const listing = listingOf(before, now, () => kept.next().value === true);
        const [found, expected] = [new Int32Array(100), new Int32Array(100)];
        expect(nodeWork.matchEntries(listing, node, found)).toBe(plainNodeWork.matchEntries(listing, node, expected));
        expect(found).toEqual(expected);
      }),
      { numRuns: runs },
    );
  });

  test('sees the same damage in a node that is cut off', () => {
    fc.assert(
      fc.property(entries, fc.double({ min: 0, max: 1, noNaN: true }), (before, part) => {
        const whole = nodeOf(before);
        const node = Buffer.from(whole.subarray(0, 8 + Math.floor((whole.length - 8) * part)));
        const listing = listingOf(before, [], () => true);
        const damagedAt = nodeWork.matchEntries(listing, node, new Int32Array(100));
        expect(damagedAt).toBe(plainNodeWork.matchEntries(listing, node, new Int32Array(100)));
      }),
      { numRuns: runs },
    );
  });

  test('puts the same places in, counts the same, and has the same hashed', () => {
    fc.assert(
      fc.property(entries, fc.nat(4), (list, placeCount) => {
        const places = Buffer.from(Uint8Array.from({ length: 4 * PLACE_BYTES }, (_, index) => index));
        const [by, plainly] = [nodeWork, plainNodeWork].map((work) => {
          const node = nodeOf(list);
          const into = Buffer.alloc(node.length + 12);
          const totals = new Float64Array(TOTALS.length).fill(1);
          const length = work.settleEntries(node, places, placeCount, into, totals);
          return length < 0 ? length : { node, totals, input: into.subarray(0, length) };
        });
        expect(by).toEqual(plainly);
      }),
      { numRuns: runs },
    );
  });
});
