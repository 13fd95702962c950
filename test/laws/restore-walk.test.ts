import fc from 'fast-check';
import { test } from 'vitest';
import { runs } from '../support/effort.ts';
import { RestoreWalk, restoreStep } from './support/restore-walk.ts';

const RUNS = { numRuns: runs(import.meta.filename, 60) };

test('restores that are killed, completed, taken back and begun again in any order lose nobody’s work', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(restoreStep, { maxLength: 12 }), async (steps) => {
      using walk = new RestoreWalk();
      await walk.start();
      for (const one of steps) await walk.take(one);
      await walk.finish();
    }),
    RUNS,
  );
});
