import { describe, expect, test } from 'vitest';
import type { NonoError } from '../../src/errors.ts';
import { encodeLine, LineReader } from '../../src/json-lines.ts';

describe('encodeLine()', () => {
  test.for(['plain', 'Writing the baseline …', '\u00ff\u0100 🙂 \ud800', 'a\nb', String.fromCharCode(0, 127, 128, 255)])(
    'gives LineReader %j again, however it arrives',
    (text) => {
      const line = encodeLine({ text });
      const reader = new LineReader<{ readonly text: string }>('somebody');
      const read = Array.from(line, (byte) => [...reader.push(Uint8Array.of(byte))]).flat();

      expect(read).toEqual([{ text }]);
      expect(line.filter((byte) => byte === 10)).toHaveLength(1);
    },
  );
});

describe('LineReader', () => {
  test.for(['{"kind":', '', 'null', '7', '"ready"', '\0\x1b[2J', `{"long":"${'x'.repeat(10_000)}`])(
    'says whose the line %j is',
    (line) => {
      const reader = new LineReader('the guardian');
      let failure: unknown;
      try {
        for (const value of reader.push(Buffer.from(`${line}\n`, 'latin1'))) expect(value).toBeUndefined();
      } catch (error) {
        failure = error;
      }
      expect(failure).toMatchObject({ code: 'E_SUPERVISOR', exitCode: 125 });
      const { message } = failure as NonoError;
      expect(message).toMatch(/^Cannot understand the guardian: it said "[ -~]*"$/);
      expect(message.length).toBeLessThan(200);
    },
  );
});
