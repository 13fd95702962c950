import { describe, expect, test } from 'vitest';
import { encodeKnownFilters, findFilter, knownTargets } from '../../../../src/sandbox/linux/known-filters.ts';
import { NEWEST_ABI } from '../../../../src/sandbox/linux/landlock.ts';
import { encodeSeccomp, type SeccompTarget } from '../../../../src/sandbox/linux/seccomp.ts';

describe.each(['x64', 'arm64'] as const)('filters that the build assembles for %s', (architecture) => {
  const filters = encodeKnownFilters(architecture);
  const usual: SeccompTarget = { network: { mode: 'allowed' }, architecture, abi: NEWEST_ABI, mediator: 'own' };

  test('are those that are assembled at a start', () => {
    const targets = knownTargets(architecture);

    expect(targets).toContainEqual(usual);
    for (const target of targets) expect(findFilter(filters, target)).toEqual(encodeSeccomp(target));
  });

  test('serve a kernel that is newer than nono', () => {
    const newer = { ...usual, abi: NEWEST_ABI + 3 };

    expect(findFilter(filters, newer)).toEqual(encodeSeccomp(newer));
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
