import { describe, expect, test } from 'vitest';
import { bufferFromBytes, bytesFromText } from '../../../../src/bytes.ts';
import { decodeRefusals, REFUSALS_BYTES, usedRefusals } from '../../../../src/sandbox/linux/refusals.ts';

/** As `struct refusals` of refused.c lays it out. */
function memoryWith(entries: readonly { readonly kind: number; readonly name: string; readonly times: number }[], more = 0) {
  const memory = new Uint8Array(REFUSALS_BYTES);
  const view = new DataView(memory.buffer);
  let at = 8;
  for (const { kind, name, times } of entries) {
    const bytes = bufferFromBytes(bytesFromText(name));
    view.setUint32(at, kind, true);
    view.setUint32(at + 4, times, true);
    view.setUint32(at + 8, bytes.length, true);
    memory.set(bytes, at + 16);
    at += 16 + Math.ceil(bytes.length / 8) * 8;
  }
  view.setUint32(0, at - 8, true);
  view.setUint32(4, more, true);
  return memory;
}

const ENTRIES = [
  { kind: 1, name: '/home/u/file', times: 3 },
  { kind: 4, name: '443', times: 1 },
] as const;

describe('decodeRefusals()', () => {
  test('reads each entry with its name and how often it was', () => {
    expect(decodeRefusals(usedRefusals(memoryWith(ENTRIES, 2)))).toEqual({
      all: [
        { kind: 'change', name: '/home/u/file', count: 3 },
        { kind: 'port', name: '443', count: 1 },
      ],
      more: 2,
    });
  });

  test('reads nothing of memory that nothing was noted in', () => {
    expect(usedRefusals(memoryWith([]))).toHaveLength(0);
    expect(decodeRefusals(new Uint8Array())).toEqual({ all: [], more: 0 });
  });

  test('leaves out what is not whole, wherever it is cut off', () => {
    const whole = usedRefusals(memoryWith(ENTRIES));
    for (let length = 0; length < whole.length; length++) {
      const { all } = decodeRefusals(whole.slice(0, length));
      expect(all).toEqual(decodeRefusals(whole).all.slice(0, all.length));
    }
  });

  test('stops at a kind that it does not know, and at a length that leads outside', () => {
    const unknown = memoryWith([{ kind: 99, name: 'x', times: 1 }]);
    expect(decodeRefusals(unknown).all).toEqual([]);

    const long = memoryWith(ENTRIES);
    new DataView(long.buffer).setUint32(16, 0xffff_ffff, true);
    expect(decodeRefusals(long).all).toEqual([]);
  });
});
