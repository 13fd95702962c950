import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Bytes,
  bufferFromBytes,
  bytesAt,
  bytesFromBuffer,
  bytesFromStored,
  bytesFromText,
  cString,
  displayBytes,
  isUtf8,
  jsonPath,
  putBytes,
  storeBytes,
  textFromBytes,
} from '../../src/bytes.ts';

const anyBytes = fc.uint8Array({ maxLength: 40 }).map(bytesFromBuffer);

describe('Bytes', () => {
  test('survive every round trip', () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        expect(bytesFromBuffer(bufferFromBytes(bytes))).toBe(bytes);
        expect(bytesFromStored(JSON.parse(JSON.stringify(storeBytes(bytes))))).toBe(bytes);
        const { path, path_bytes: exact } = jsonPath(bytes);
        expect(exact === undefined ? bytesFromText(path) : bytesFromBuffer(Buffer.from(exact, 'base64'))).toBe(bytes);
      }),
    );
  });

  test('are ordered as memcmp orders them', () => {
    fc.assert(
      fc.property(anyBytes, anyBytes, (a, b) => {
        const expected = Buffer.compare(bufferFromBytes(a), bufferFromBytes(b));
        expect(a < b ? -1 : a > b ? 1 : 0).toBe(expected);
      }),
    );
  });

  test('take only the part of a buffer that a view shows', () => {
    const whole = Uint8Array.of(1, 2, 3, 4);

    expect(bytesFromBuffer(whole.subarray(1, 3))).toBe('\u0002\u0003');
  });

  test('end with NUL as C strings', () => {
    expect([...cString(bytesFromText('é'))]).toEqual([0xc3, 0xa9, 0]);
  });
});

describe('bytesFromText()', () => {
  test('is undone by textFromBytes() for every text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(textFromBytes(bytesFromText(text))).toBe(text);
      }),
    );
  });

  test('writes UTF-8', () => {
    expect(bufferFromBytes(bytesFromText('ü€😀')).toString('hex')).toBe('c3bce282acf09f9880');
  });
});

describe('isUtf8()', () => {
  test.for([
    ['plain', true],
    ['\u00c3\u00a9', true],
    ['\u00ff', false],
    ['\u00c3', false],
    // An overlong slash, a surrogate, and a number beyond Unicode.
    ['\u00c0\u00af', false],
    ['\u00ed\u00a0\u0080', false],
    ['\u00f4\u0090\u0080\u0080', false],
    // U+FFFD itself is text.
    ['\u00ef\u00bf\u00bd', true],
  ] as const)('of %j is %j', ([bytes, expected]) => {
    expect(isUtf8(bytes as Bytes)).toBe(expected);
  });
});

describe('displayBytes()', () => {
  test.for([
    ['plain name.txt', 'plain name.txt'],
    [bytesFromText('naïve 日本 😀'), 'naïve 日本 😀'],
    ['a\nb\tc\rd', 'a\\nb\\tc\\rd'],
    ['\u001b[31mred', '\\x1b[31mred'],
    ['del\u007f', 'del\\x7f'],
    [`${'a'.repeat(200)}\u0001`, `${'a'.repeat(200)}\\x01`],
    [bytesFromText('c1\u009b0m'), 'c1\\x9b0m'],
    [bytesFromText('evil\u202etxt.exe'), 'evil\\u202etxt.exe'],
    [bytesFromText('\ufeffmark'), '\\ufeffmark'],
    [bytesFromText('.ssh\u200b\u2060/\u3164'), '.ssh\\u200b\\u2060/\\u3164'],
    [bytesFromText('tag\u{e0041}'), 'tag\\u{e0041}'],
    [bytesFromText('👩‍👩‍👧‍👦❤️e\u0301'), '👩‍👩‍👧‍👦❤️e\u0301'],
    ['latin\u00e9', 'latin\\xe9'],
    ['cut\u00e2\u0082', 'cut\\xe2\\x82'],
    [`${bytesFromText('é')}\u00ff\n`, 'é\\xff\\n'],
  ] as const)('shows %j as %j', ([bytes, shown]) => {
    expect(displayBytes(bytes as Bytes)).toBe(shown);
  });

  test('never gives a terminal anything but text', () => {
    const control = fc.stringMatching(/^[\p{Cc}\p{Bidi_Control}\u2028\u2029\ufffd]{1,4}$/u).map(bytesFromText);
    fc.assert(
      fc.property(fc.oneof(anyBytes, control, fc.string({ unit: 'binary' }).map(bytesFromText)), (bytes) => {
        expect(displayBytes(bytes)).not.toMatch(/[\p{Cc}\p{Bidi_Control}\u2028\u2029\ufffd]/u);
      }),
    );
  });
});

describe('putBytes() and bytesAt()', () => {
  test('copy any bytes, and touch none beside them', () => {
    const all = String.fromCharCode(...Array.from({ length: 256 }, (_, unit) => unit)) as Bytes;
    for (const text of [all, all.slice(0, 1), ''] as Bytes[]) {
      const memory = new Uint8Array(300).fill(7);
      const end = putBytes(memory, text, 3);
      expect(end).toBe(3 + text.length);
      const expected = Buffer.alloc(300, 7);
      expected.set(bufferFromBytes(text), 3);
      expect(Buffer.compare(memory, expected)).toBe(0);
      expect(bytesAt(memory, 3, end)).toBe(text);
      expect(bytesFromBuffer(memory.subarray(3, end))).toBe(text);
    }
  });

  test('refuse bytes that memory has no room for', () => {
    expect(() => putBytes(new Uint8Array(4), 'abc' as Bytes, 2)).toThrow(new RangeError('There is no room for the bytes'));
  });
});

describe('bytesFromStored()', () => {
  test.for([[1], [null], [undefined], [{}], [{ base64: 1 }], [['a']]])('refuses %j', ([value]) => {
    expect(bytesFromStored(value)).toBeUndefined();
  });
});
