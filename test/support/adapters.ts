import type { Clock } from '../../src/ports/clock.ts';
import type { Files } from '../../src/ports/files.ts';
import type { Hash } from '../../src/ports/hash.ts';

/** The adapters of the runtime that runs the tests: the product's under Bun, Node's under Node. */
export interface Adapters {
  readonly name: string;
  readonly files: Files;
  readonly hash: Hash;
}

export async function loadAdapters(): Promise<Adapters> {
  if ('Bun' in globalThis) {
    const { createLinuxFiles } = await import('../../src/platform/linux/files.ts');
    const { createBunHash } = await import('../../src/platform/bun/hash.ts');
    return { name: 'linux', files: createLinuxFiles({ bulkFromEntries: 0 }), hash: createBunHash() };
  }
  const { createNodeFiles } = await import('../../src/platform/node/files.ts');
  const { createNodeHash } = await import('../../src/platform/node/hash.ts');
  return { name: 'node', files: createNodeFiles(), hash: createNodeHash() };
}

/** A clock that tells the real time, so that it agrees with the times of files. */
export function createTestClock(): Clock {
  return { nowMs: () => Date.now(), monotonicMs: () => performance.now(), utcOffsetMinutes: () => 0 };
}
