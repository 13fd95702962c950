import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../../../src/bytes.ts';
import { encodeLandlock, enforcedBy, landlockGaps, terminalRule } from '../../../../src/sandbox/linux/landlock.ts';
import { ACCESS_FS, accessFsOf } from '../../../../src/sandbox/linux/landlock-uapi.ts';
import { type Access, DEVICE, type PathRule, READ, READ_WRITE, WRITE } from '../../../../src/sandbox/plan.ts';

const OPEN = { network: { mode: 'allowed' } } as const;

function rule(access: Access, isDirectory: boolean, origin: PathRule['origin'] = 'grant'): PathRule {
  return { path: '/p' as Bytes, isDirectory, access, origin };
}

function rightsOf(access: Access, isDirectory: boolean, abi: number): number {
  return encodeLandlock({ ...OPEN, rules: [rule(access, isDirectory)] }, abi).rules[0]?.rights ?? 0;
}

describe('encodeLandlock()', () => {
  // Values of include/uapi/linux/landlock.h, written out so that a slip in the table is seen.
  test.for([
    { abi: 1, handledFs: 0x1fff, scoped: 0 },
    { abi: 2, handledFs: 0x3fff, scoped: 0 },
    { abi: 3, handledFs: 0x7fff, scoped: 0 },
    { abi: 4, handledFs: 0x7fff, scoped: 0 },
    { abi: 5, handledFs: 0xffff, scoped: 0 },
    { abi: 6, handledFs: 0xffff, scoped: 3 },
    { abi: 7, handledFs: 0xffff, scoped: 3 },
    { abi: 99, handledFs: 0xffff, scoped: 3 },
  ])('handles every right of ABI $abi', ({ abi, handledFs, scoped }) => {
    expect(encodeLandlock({ ...OPEN, rules: [] }, abi)).toEqual({ handledFs, handledNet: 0, scoped, rules: [], ports: [] });
  });

  test.for([
    { name: 'reading a directory', access: READ, isDirectory: true, rights: 0x000d },
    { name: 'reading a file', access: READ, isDirectory: false, rights: 0x0005 },
    { name: 'writing a directory', access: WRITE, isDirectory: true, rights: 0x77b2 },
    { name: 'writing a file', access: WRITE, isDirectory: false, rights: 0x4002 },
    { name: 'both on a directory', access: READ_WRITE, isDirectory: true, rights: 0x77bf },
    { name: 'a device', access: DEVICE, isDirectory: false, rights: 0xc007 },
  ])('gives the exact rights for $name', ({ access, isDirectory, rights }) => {
    expect(rightsOf(access, isDirectory, 7).toString(16)).toBe(rights.toString(16));
  });

  test.for([1, 2, 3, 4, 5, 6, 7, 8])('never asks ABI %i for a right that it does not handle', (abi) => {
    for (const access of [READ, WRITE, READ_WRITE, DEVICE]) {
      for (const isDirectory of [true, false]) {
        expect(rightsOf(access, isDirectory, abi) & ~accessFsOf(Math.min(abi, 7))).toBe(0);
      }
    }
  });

  test.for([1, 4, 7])('lets nothing make device nodes (ABI %i)', (abi) => {
    expect(rightsOf(READ_WRITE, true, abi) & (ACCESS_FS.makeChar | ACCESS_FS.makeBlock)).toBe(0);
  });

  test('leaves out a rule that would give nothing, which the kernel refuses', () => {
    const nothing = { read: false, write: false, control: false };

    expect(encodeLandlock({ ...OPEN, rules: [rule(nothing, true)] }, 7).rules).toEqual([]);
  });

  test('requires what the user named, and not what a system may lack', () => {
    const { rules } = encodeLandlock({ ...OPEN, rules: [rule(READ, true, 'grant'), rule(READ, true, 'system')] }, 7);

    expect(rules.map(({ isRequired }) => isRequired)).toEqual([true, false]);
  });
});

test.for([1, 5, 7])('a terminal that is made later has the rights of a device of the plan: ABI %i', (abi) => {
  const { handledFs } = encodeLandlock({ ...OPEN, rules: [] }, abi);

  expect(terminalRule('/dev/pts/3' as Bytes, handledFs)).toEqual({
    path: '/dev/pts/3',
    rights: rightsOf(DEVICE, false, abi),
    isRequired: false,
  });
});

describe('encodeLandlock() of a network', () => {
  const ports = { mode: 'ports', connect: [80, 443], bind: [443] } as const;

  test.for([
    { abi: 3, handledNet: 0 },
    { abi: 4, handledNet: 3 },
    { abi: 7, handledNet: 3 },
  ])('limits TCP from ABI 4 on ($abi)', ({ abi, handledNet }) => {
    for (const network of [ports, { mode: 'blocked' } as const]) {
      expect(encodeLandlock({ rules: [], network }, abi).handledNet).toBe(handledNet);
    }
  });

  test('gives each port what its option says', () => {
    expect(encodeLandlock({ rules: [], network: ports }, 7).ports).toEqual([
      { port: 80, rights: 2 },
      { port: 443, rights: 2 },
      { port: 443, rights: 1 },
    ]);
  });
});

describe('landlockGaps()', () => {
  test.for([
    { abi: 1, kernels: ['5.19'] },
    { abi: 2, kernels: [] },
    { abi: 5, kernels: [] },
    { abi: 6, kernels: [] },
    { abi: 9, kernels: [] },
  ])('names the kernels that close what ABI $abi leaves open', ({ abi, kernels }) => {
    expect(landlockGaps(abi).map(({ kernel }) => kernel)).toEqual(kernels);
    expect(enforcedBy(abi, 'own').missing).toHaveLength(kernels.length);
  });
});
