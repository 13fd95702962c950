import { describe, expect, test } from 'vitest';
import { encodeLine, LineReader } from '../../src/json-lines.ts';

describe('encodeLine()', () => {
  test.for(['plain', 'Writing the baseline …', '\u00ff\u0100 🙂 \ud800', 'a\nb', String.fromCharCode(0, 127, 128, 255)])(
    'gives LineReader %j again, however it arrives',
    (text) => {
      const line = encodeLine({ text });
      const reader = new LineReader<{ readonly text: string }>();
      const read = Array.from(line, (byte) => [...reader.push(Uint8Array.of(byte))]).flat();

      expect(read).toEqual([{ text }]);
      expect(line.filter((byte) => byte === 10)).toHaveLength(1);
    },
  );
});
