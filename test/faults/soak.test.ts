import { expect, test } from 'vitest';
import { memoryDirectory } from '../support/memory.ts';
import { makeRandom, Soak } from '../support/soak.ts';

/** With all tests beside others, and half an hour by `npm run soak`. */
const MINUTES = Number(process.env['NONO_SOAK_MINUTES'] ?? 1);
const SEED = Number(process.env['NONO_SOAK_SEED'] ?? Date.now() % 1_000_000);
const SESSIONS_MAXIMUM = MINUTES > 2 ? 50 : 12;
/** What the screen's model, its history and the log of output may come to hold. */
const GROWTH_BYTES = 96 * 1024 * 1024;

test(
  'sessions that are used and killed at random leave nothing behind, and all that they changed can be put back',
  async () => {
    process.stdout.write(`soak: ${MINUTES} minutes with NONO_SOAK_SEED=${SEED}\n`);
    const random = makeRandom(SEED);
    using soak = new Soak(memoryDirectory(), random);
    const witness = await soak.start();
    await soak.leave(soak.attach(witness));
    const first = soak.held(witness);
    for (const endMs = performance.now() + MINUTES * 60_000; performance.now() < endMs; ) await soak.step(SESSIONS_MAXIMUM);
    if (!witness.isOver) {
      await soak.leave(soak.attach(witness, true));
      const last = soak.held(witness);
      expect(last.descriptors).toBe(first.descriptors);
      expect(last.residentBytes).toBeLessThan(first.residentBytes + GROWTH_BYTES);
    }
    expect(await soak.end()).toEqual([]);
    const counts = [...soak.counts].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([what, count]) => `${what} ${count}`);
    process.stdout.write(`soak: ${counts.join(', ')}\n`);
  },
  (MINUTES + 10) * 60_000,
);
