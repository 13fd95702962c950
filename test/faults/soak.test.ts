import { expect, test } from 'vitest';
import { memoryDirectory } from '../support/memory.ts';
import { type Held, makeRandom, Soak } from '../support/soak.ts';

/** With all tests beside others, and half an hour by `npm run soak`. */
const MINUTES = Number(process.env['NONO_SOAK_MINUTES'] ?? 1);
const SEED = Number(process.env['NONO_SOAK_SEED'] ?? Date.now() % 1_000_000);
const SESSIONS_MAXIMUM = MINUTES > 2 ? 50 : 12;
/** What the screen's model, its history and the log of output may come to hold. */
const GROWTH_BYTES = 96 * 1024 * 1024;
/** The runtime's own, which come with work and go when there is none. */
const THREADS_MORE = 8;

test(
  'sessions that are used and killed at random leave nothing behind, and all that they changed can be put back',
  async () => {
    process.stdout.write(`soak: ${MINUTES} minutes with NONO_SOAK_SEED=${SEED}\n`);
    const random = makeRandom(SEED);
    using soak = new Soak(memoryDirectory(), random);
    // Which was visited once holds all that a session comes to hold that is left alone.
    const witness = await soak.start({ stays: true });
    await soak.visit(witness);
    const first = await soak.held(witness);
    for (const endMs = performance.now() + MINUTES * 60_000; performance.now() < endMs; ) await soak.step(SESSIONS_MAXIMUM);
    const last = await soak.heldAlone();
    for (const { id, descriptors, threads, residentBytes } of last) {
      const more = descriptors.length > first.descriptors.length ? descriptors : first.descriptors;
      expect({ id, descriptors: more }).toEqual({ id, descriptors: first.descriptors });
      expect(threads).toBeLessThanOrEqual(first.threads + THREADS_MORE);
      expect(residentBytes).toBeLessThan(first.residentBytes + GROWTH_BYTES);
    }
    process.stdout.write(`soak: ${soak.counts.get('started')} sessions were started, and all end now\n`);
    expect(await soak.end()).toEqual([]);
    const counts = [...soak.counts].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([what, count]) => `${what} ${count}`);
    process.stdout.write(`soak: ${counts.join(', ')}\n`);
    const most = (number: (held: Held) => number) => `${Math.max(...last.map(number))} (${number(first)} at first)`;
    const held = `descriptors ${most(({ descriptors }) => descriptors.length)}, threads ${most(({ threads }) => threads)}`;
    const resident = most(({ residentBytes }) => Math.round(residentBytes / 1024 / 1024));
    process.stdout.write(`soak: ${last.length} supervisors were left, and held at most: ${held}, MiB ${resident}\n`);
  },
  // At the end, all that was started is put back: with thousands of sessions that takes nearly as long.
  (2 * MINUTES + 10) * 60_000,
);
