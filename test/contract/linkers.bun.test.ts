import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type Bytes, bytesFromText } from '../../src/bytes.ts';
import { createLinuxFiles, descriptorOf } from '../../src/platform/linux/files.ts';
import { Linkers } from '../../src/platform/linux/linkers.ts';
import { encodeKnownHashes, NOT_TAKEN_OVER } from '../../src/rollback/known-contents.ts';
import { ENTRY_BYTES, FIELD } from '../../src/rollback/node-codec.ts';

const top = mkdtempSync(join(tmpdir(), 'nono-linkers-'));
afterAll(() => rmSync(top, { recursive: true }));

function directory(name: string) {
  mkdirSync(join(top, name));
  return createLinuxFiles().openDirectory(bytesFromText(join(top, name)));
}

/** A hash whose object is, or is not, in the earlier session. */
function hashOf(number: number): Bytes {
  return `${String.fromCharCode(number & 255, number >> 8)}${'\x01'.repeat(30)}` as Bytes;
}

function pathOf(hash: Bytes): string {
  const hex = Buffer.from(hash, 'latin1').toString('hex');
  return join(hex.slice(0, 2), hex.slice(2));
}

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

describe('threads that take contents over', () => {
  test('link what the earlier session has, and mark the rest', async () => {
    using earlier = directory('earlier');
    using objects = directory('objects');
    const numbers = Array.from({ length: 2000 }, (_, index) => index);
    const isThere = (number: number) => number % 7 !== 0;
    for (const number of numbers.filter(isThere)) {
      const path = join(top, 'earlier', pathOf(hashOf(number)));
      mkdirSync(join(path, '..'), { recursive: true });
      writeFileSync(path, `content ${number}`);
    }
    const linkers = Linkers.start(3, { earlier: descriptorOf(earlier), objects: descriptorOf(objects) });
    if (linkers === undefined) throw new Error('The compiler in the runtime does not work here');
    const batches = Array.from({ length: 40 }, (_, index) => numbers.slice(50 * index, 50 * (index + 1)));
    const left = await Promise.all(
      batches.map(async (batch) => {
        const entries = encodeKnownHashes(batch.map(hashOf));
        const count = await linkers.takeOver(entries);
        const marked = batch.filter((_, index) => entries[index * ENTRY_BYTES + FIELD.reason] === NOT_TAKEN_OVER);
        expect(marked.length).toBe(count);
        return marked;
      }),
    );
    await linkers[Symbol.asyncDispose]();
    expect(left.flat()).toEqual(numbers.filter((number) => !isThere(number)));
    for (const number of numbers.filter(isThere))
      expect(readFileSync(join(top, 'objects', pathOf(hashOf(number))), 'latin1')).toBe(`content ${number}`);
  });

  test('end when nothing was ordered, leave nothing open, and end only after what was ordered is done', async () => {
    using earlier = directory('from');
    using objects = directory('to');
    const plan = { earlier: descriptorOf(earlier), objects: descriptorOf(objects) };
    const before = openDescriptors();
    for (let index = 0; index < 20; index++) await Linkers.start(2, plan)?.[Symbol.asyncDispose]();
    // The runtime opens some of its own meanwhile: a descriptor of each of them would be more.
    expect(openDescriptors()).toBeLessThan(before + 20);
    const linkers = Linkers.start(2, plan);
    const ordered = linkers?.takeOver(encodeKnownHashes([hashOf(1)]));
    await linkers?.[Symbol.asyncDispose]();
    expect(await ordered).toBe(1);
  });

  // In a process of its own: one whose pipes are full waits for ever, and no time limit of a test ends that.
  test('take more orders than their pipes have room for before any of them is answered', () => {
    const module = JSON.stringify(join(import.meta.dirname, '../../src/platform/linux/linkers.ts'));
    const entry = JSON.stringify([...encodeKnownHashes([hashOf(1)])]);
    const program = `
      const { Linkers } = await import(${module});
      // Nothing can be taken over from there.
      const linkers = Linkers.start(2, { earlier: -1, objects: -1 });
      const ordered = Array.from({ length: 20000 }, () => linkers.takeOver(Uint8Array.from(${entry})));
      const ending = linkers[Symbol.asyncDispose]();
      const left = await Promise.all(ordered);
      await ending;
      console.log(left.length, left.every((count) => count === 1));`;
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8', timeout: 60_000 });
    expect(`${stdout}${stderr}`).toBe('20000 true\n');
  });
});
