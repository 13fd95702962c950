import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isTooDeep, mayBeTooDeep } from '../../src/json-depth.ts';

const nested = (levels: number, isArray: boolean): unknown => {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = isArray ? [0, value] : { a: '', b: value };
  return value;
};

describe('isTooDeep()', () => {
  test.for([true, false])('is true from 65 levels on (arrays: %s)', (isArray) => {
    expect(isTooDeep(nested(64, isArray))).toBe(false);
    expect(isTooDeep(nested(65, isArray))).toBe(true);
    expect(isTooDeep(nested(5000, isArray))).toBe(true);
  });

  test('is false of what has no levels', () => {
    for (const value of [null, undefined, 1, 'text', true]) expect(isTooDeep(value)).toBe(false);
  });
});

describe('mayBeTooDeep()', () => {
  test('is never false of what is too deep', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.boolean(), fc.jsonValue(), (levels, isArray, other) => {
        const value = { value: nested(levels, isArray), other };
        const isShallow = !mayBeTooDeep(JSON.stringify(value));
        expect(isShallow && isTooDeep(value)).toBe(false);
      }),
    );
  });

  test('is false of a document with few brackets', () => {
    expect(mayBeTooDeep(JSON.stringify({ a: [1, { b: [] }] }))).toBe(false);
  });
});
