import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bufferFromBytes } from '../../src/bytes.ts';
import type { Hash } from '../../src/ports/hash.ts';

/** FIPS 180-4 examples, and sizes around the block of 64 bytes. */
const VECTORS = [
  { what: 'nothing', data: '', hex: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' },
  { what: '"abc"', data: 'abc', hex: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad' },
  {
    what: '56 bytes',
    data: 'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
    hex: '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
  },
  {
    what: 'a million times "a"',
    data: 'a'.repeat(1_000_000),
    hex: 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0',
  },
] as const;

/** What every Hash adapter owes its callers. */
export function describeHashContract(name: string, hash: Hash): void {
  describe(`${name} Hash`, () => {
    test.for(VECTORS)('sha256() of $what is the published one', ({ data, hex }) => {
      const digest = hash.sha256(Buffer.from(data));
      expect(digest).toHaveLength(32);
      expect(bufferFromBytes(digest).toString('hex')).toBe(hex);
    });

    test('createSha1() gives the name that git has for a content', () => {
      const stream = hash.createSha1();
      stream.update(Buffer.from('blob 6\0'));
      stream.update(Buffer.from('hello\n'));
      expect(bufferFromBytes(stream.digest()).toString('hex')).toBe('ce013625030ba8dba906f756967f9e9ca394464a');
    });

    test('a stream gives the same as one call, however the data is cut', () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 300 }), fc.array(fc.nat(300), { maxLength: 6 }), (data, cuts) => {
          const stream = hash.createSha256();
          let from = 0;
          for (const cut of [...cuts.sort((a, b) => a - b), data.length]) {
            const to = Math.min(cut, data.length);
            stream.update(data.subarray(from, to));
            from = to;
          }
          expect(stream.digest()).toBe(hash.sha256(data));
        }),
      );
    });

    test('hashes a view of a larger buffer and no more', () => {
      const large = Buffer.from('xxabcxx');
      expect(hash.sha256(large.subarray(2, 5))).toBe(hash.sha256(Buffer.from('abc')));
    });

    test('two streams and a call at once do not disturb each other', () => {
      const [one, other] = [hash.createSha256(), hash.createSha256()];
      one.update(Buffer.from('ab'));
      other.update(Buffer.from('x'));
      const whole = hash.sha256(Buffer.from('abc'));
      one.update(Buffer.from('c'));
      const first = one.digest();
      expect(other.digest()).toBe(hash.sha256(Buffer.from('x')));
      expect(first).toBe(whole);
    });
  });
}
