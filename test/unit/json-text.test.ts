import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesFromText, displayBytes } from '../../src/bytes.ts';
import { jsonText } from '../../src/json-text.ts';

describe('jsonText()', () => {
  test('gives any value back, and nothing that a terminal does something about', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(undefined, 2), (value, indent) => {
        const text = jsonText(value, indent);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
    const hostile = '\x1b[2J\x9b2J\x7f\u202e\u2066\r';
    expect(jsonText({ [hostile]: hostile })).toMatch(/^[ -~]+$/);
    expect(displayBytes(bytesFromText(jsonText([hostile])))).toBe(jsonText([hostile]));
  });
});
