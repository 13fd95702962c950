import { describe, expect, test } from 'vitest';
import { castLines, lastSize, parseTimes } from '../../../src/session/read-log.ts';

const cast = (text: string, times: string) =>
  [...castLines({ data: Buffer.from(text), times: parseTimes(times) }, 'a title')].map((line) => JSON.parse(line) as unknown);

describe('castLines()', () => {
  test('gives each piece with its time, and changes of size', () => {
    const lines = cast('one\r\ntwo€', '[0,80,24]\n[100,5]\n[1100,9]\n[1200,100,30]\n[2100,11]\n');

    expect(lines).toEqual([
      { version: 2, width: 80, height: 24, title: 'a title', env: { TERM: 'xterm-256color' } },
      [0, 'o', 'one\r\n'],
      [1, 'o', 'two'],
      [1.1, 'r', '100x30'],
      [2, 'o', '€'],
    ]);
  });

  test('starts with what is kept when the beginning was cut off', () => {
    expect(cast('kept', '[0,80,24]\n[10,50]\n[20,120,40]\n[30,102]\n[40,104]\n')).toEqual([
      expect.objectContaining({ width: 120, height: 40 }),
      [0, 'o', 'ke'],
      [0.01, 'o', 'pt'],
    ]);
  });

  test('gives everything at once without times', () => {
    expect(cast('all', '')).toEqual([expect.objectContaining({ width: 80, height: 24 }), [0, 'o', 'all']]);
  });
});

describe('parseTimes()', () => {
  test('passes over lines that are torn or hostile', () => {
    const times = parseTimes('[1,2]\n[1,0,5]\n[3,99999,5]\n{"a":1}\n[-1,4]\n[1e3,4]\n[5,70,20]\n[6,');

    expect(times).toEqual([
      { kind: 'output', ms: 1, end: 2 },
      { kind: 'resize', ms: 5, size: { columns: 70, rows: 20 } },
    ]);
    expect(lastSize(times)).toEqual({ columns: 70, rows: 20 });
  });
});
