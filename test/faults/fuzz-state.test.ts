import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runs } from '../support/effort.ts';
import { changers, lookers, whatIsWrong } from '../support/fuzz-verbs.ts';
import { createFuzzedState, type FuzzedState } from '../support/fuzzed-state.ts';
import { memoryDirectory } from '../support/memory.ts';
import { jsonMutations, mutate, mutations } from '../support/mutate.ts';
import { runNono } from '../support/nono.ts';

/** Ten runs of nono take a second, on two cores that others use too. Under Node a tenth is tried. */
const RUNS = runs(import.meta.filename, 500);
/** What is bounded ends long before. */
const HANG_MS = 30_000;
let state: FuzzedState;

beforeAll(async () => {
  state = await createFuzzedState(memoryDirectory());
});
afterAll(() => state[Symbol.dispose]());

test('nono explains whatever file of its own is damaged in whatever way, and changes nothing else', async () => {
  const isJson = (path: string) => /\.jsonl?$|journal$|objects/.test(path);
  const damage = fc.constantFrom(...state.files).chain((path) =>
    fc.record({
      path: fc.constant(path),
      changes: isJson(path) ? jsonMutations : mutations,
      isSealed: fc.boolean(),
      looking: fc.tuple(fc.constantFrom(...lookers(state)), fc.constantFrom(...lookers(state))),
      changing: fc.constantFrom(...changers(state)),
    }),
  );
  await fc.assert(
    fc.asyncProperty(damage, async ({ path, changes, isSealed, looking, changing }) => {
      state.reset();
      state.write(path, (data) => mutate(data, changes), isSealed);
      const before = state.outside();
      for (const words of looking) {
        await expectExplained(path, words);
        expect({ words, outside: state.outside() }).toEqual({ words, outside: before });
      }
      if (state.tracksOnlyProject()) await expectExplained(path, changing);
    }),
    { numRuns: RUNS },
  );
});

async function expectExplained(path: string, words: readonly string[]): Promise<void> {
  const outcome = await runNono(state.world, words, { timeoutMs: HANG_MS });
  expect({ path, words, ...outcome, wrong: whatIsWrong(outcome, words) }).toMatchObject({ wrong: undefined });
}
