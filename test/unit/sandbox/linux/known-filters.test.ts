import { describe, expect, test } from 'vitest';
import {
  assembleFilter,
  encodeFilter,
  encodeKnownFilters,
  knownTargets,
} from '../../../../src/sandbox/linux/assemble-filters.ts';
import { findFilter } from '../../../../src/sandbox/linux/known-filters.ts';
import { NEWEST_ABI } from '../../../../src/sandbox/linux/landlock.ts';
import type { SeccompTarget } from '../../../../src/sandbox/linux/seccomp.ts';

test('encodeFilter() writes instructions as struct sock_filter has them', () => {
  const filter = encodeFilter([
    [0x20, 0, 0, 4],
    [0x15, 1, 254, 0xc000003e],
  ]);

  const bytes = [0x20, 0, 0, 0, 4, 0, 0, 0, 0x15, 0, 1, 254, 0x3e, 0, 0, 0xc0];
  expect(Array.from(filter, (unit) => unit.charCodeAt(0))).toEqual(bytes);
});

describe.each(['x64', 'arm64'] as const)('filters that the build assembles for %s', (architecture) => {
  const filters = encodeKnownFilters(architecture);
  const usual: SeccompTarget = { network: { mode: 'allowed' }, architecture, abi: NEWEST_ABI, mediator: 'own' };

  test('are those that are assembled at a start', () => {
    const targets = knownTargets(architecture);

    expect(targets).toContainEqual(usual);
    for (const target of targets) expect(findFilter(filters, target)).toBe(assembleFilter(target));
  });

  test('serve a kernel that is newer than nono', () => {
    const newer = { ...usual, abi: NEWEST_ABI + 3 };

    expect(findFilter(filters, newer)).toBe(assembleFilter(newer));
  });

  test.for<Partial<SeccompTarget>>([
    { network: { mode: 'loopback' } },
    { network: { mode: 'ports', connect: [443], bind: [] } },
    { abi: 3 },
    { mediator: 'outer' },
    { datagrams: true },
    { asks: true },
    { architecture: architecture === 'x64' ? 'arm64' : 'x64' },
  ])('are not taken for %j', (change) => {
    expect(findFilter(filters, { ...usual, ...change })).toBeUndefined();
  });
});
