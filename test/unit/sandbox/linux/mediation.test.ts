import { describe, expect, test } from 'vitest';
import { type Bytes, bytesFromBuffer } from '../../../../src/bytes.ts';
import { encodeMediation, MEDIATED_CALLS, mediationOf } from '../../../../src/sandbox/linux/mediation.ts';
import { callNumber } from '../../../../src/sandbox/linux/seccomp-uapi.ts';
import { DEVICE, type PathRule, READ, READ_WRITE, WRITE } from '../../../../src/sandbox/plan.ts';

const ALLOWED = { mode: 'allowed' } as const;
const rule = (path: string, access: PathRule['access'], origin: PathRule['origin'], isDirectory = true): PathRule => ({
  path: path as Bytes,
  isDirectory,
  access,
  origin,
});

/** The words, as signed numbers, up to the first text. */
function wordsOf(bytes: Uint8Array<ArrayBuffer>, count: number): readonly number[] {
  const view = new DataView(bytes.buffer);
  return Array.from({ length: count }, (_, at) => Number(view.getBigInt64(at * 8, true)));
}

describe('mediationOf()', () => {
  test('takes what was granted for writing, and neither devices nor streams', () => {
    const rules = [
      rule('/a', READ_WRITE, 'grant'),
      rule('/b', READ, 'grant'),
      rule('/c', WRITE, 'profile', false),
      rule('/dev/null', DEVICE, 'device', false),
      rule('/log', WRITE, 'stream', false),
      rule('/tmp/t', READ_WRITE, 'temporary'),
      rule('/usr', READ, 'system'),
    ];

    expect(mediationOf({ rules, sockets: ['/s' as Bytes], network: ALLOWED })).toEqual({
      writable: [
        { path: '/a', isDirectory: true },
        { path: '/c', isDirectory: false },
        { path: '/tmp/t', isDirectory: true },
      ],
      sockets: ['/s'],
      network: ALLOWED,
    });
  });
});

describe('encodeMediation()', () => {
  test('puts each path where its word says, byte for byte', () => {
    const writable = [
      { path: '/a\xff' as Bytes, isDirectory: true },
      { path: '/file' as Bytes, isDirectory: false },
    ];
    const bytes = encodeMediation({
      writable,
      sockets: ['/s' as Bytes],
      network: { mode: 'ports', connect: [443], bind: [80, 443] },
    });

    const [size, network, grants, ports, datagrams, asking, ...rest] = wordsOf(bytes, 6 + 3 * 5 + 3);
    expect([size, network, grants, ports, datagrams, asking]).toEqual([bytes.length, 2, 3, 3, 1, 0]);
    const found = [0, 5, 10].map((at) => {
      const [kind, offset = 0, length = 0, ...own] = rest.slice(at, at + 5);
      return [kind, bytesFromBuffer(bytes.subarray(offset, offset + length)), bytes[offset + length], own];
    });
    expect(found).toEqual([
      [0, '/a\xff', 0, [-1, 0]],
      [1, '/file', 0, [-1, 0]],
      [2, '/s', 0, [-1, 0]],
    ]);
    expect(rest.slice(15)).toEqual([443 + 65536, 80 + 131072, 443 + 131072]);
  });

  test('says what is given and what no yes opens where somebody is asked', () => {
    const bytes = encodeMediation({
      writable: [],
      sockets: [],
      network: ALLOWED,
      asking: {
        rules: [rule('/a', READ_WRITE, 'grant'), rule('/f', READ, 'grant', false)],
        forbidden: [
          { path: '/key' as Bytes, isWriteOnly: false },
          { path: '/sys' as Bytes, isWriteOnly: true },
        ],
      },
    });

    const [, , , , , at = 0] = wordsOf(bytes, 6);
    const [count = 0, ...words] = wordsOf(bytes.slice(at), 1 + 4 * 3);
    const places = Array.from({ length: count }, (_, index) => {
      const [access, offset = 0, length = 0] = words.slice(index * 3, index * 3 + 3);
      return [access, bytesFromBuffer(bytes.subarray(offset, offset + length))];
    });
    expect(places).toEqual([
      [7, '/a'],
      [1, '/f'],
      [15, '/key'],
      [14, '/sys'],
    ]);
  });

  test.for([
    ['allowed', 0],
    ['blocked', 1],
    ['loopback', 3],
  ] as const)('numbers the network that is %s', ([mode, number]) => {
    expect(wordsOf(encodeMediation({ writable: [], sockets: [], network: { mode } }), 6)).toEqual([48, number, 0, 0, 0, 0]);
  });
});

describe('MEDIATED_CALLS', () => {
  test.for(['x64', 'arm64'] as const)('have numbers of their own on %s', (architecture) => {
    const numbers = MEDIATED_CALLS.flatMap((call) => callNumber(call, architecture) ?? []);

    expect(new Set(numbers).size).toBe(numbers.length);
    expect(numbers.length).toBe(architecture === 'x64' ? MEDIATED_CALLS.length : MEDIATED_CALLS.length - 6);
  });
});
