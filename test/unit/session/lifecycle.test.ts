import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AuditLog } from '../../../src/session/audit-log.ts';
import { LIFECYCLE, type LifecycleEvent } from '../../../src/session/lifecycle.ts';
import { LiveSession } from '../../../src/session/live-session.ts';
import { type SessionState, type SessionStatus, STARTING } from '../../../src/session/record.ts';
import type { OwnedRecord } from '../../../src/session/registry.ts';
import { createTestClock } from '../../support/adapters.ts';
import { runs } from '../../support/effort.ts';

const RUNS = { numRuns: runs(import.meta.filename, 500) };
type Step = LifecycleEvent | 'attached' | 'detached' | 'asked';
const STEPS: readonly Step[] = ['executed', 'stopped', 'continued', 'ended', 'attached', 'detached', 'asked'];

/** A session whose record is what was written last, some time after it was said. */
function createLive(): { readonly live: LiveSession; readonly written: () => SessionState } {
  let last: SessionState = STARTING;
  const update = async (state: SessionState): Promise<void> => {
    await Promise.resolve();
    last = state;
  };
  const record = { update, touch() {}, withdraw() {}, overwrite() {}, [Symbol.dispose]() {} } as unknown as OwnedRecord;
  const head = { events: 0, digest: '' };
  const audit = { record() {}, flush() {}, close() {}, sync: () => Promise.resolve(), missing: 0, head } as unknown as AuditLog;
  const nameLock = { [Symbol.dispose]() {} };
  const live = new LiveSession({ record, audit, name: 'mine', nameLock, state: STARTING }, createTestClock());
  return { live, written: () => last };
}

async function take(live: LiveSession, step: Step): Promise<void> {
  if (step === 'executed') await live.isRunning(7, null);
  else if (step === 'stopped' || step === 'continued') live.isPaused(step === 'stopped');
  else if (step === 'ended') await live.hasEnded({ exitCode: 3, signal: null }, null);
  else if (step === 'asked') live.hasPending(2);
  else live.hasAttachment(step);
}

describe('LiveSession', () => {
  test('writes down what the table says, whatever comes in whatever order, and nothing after the end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.constantFrom(...STEPS), fc.boolean()), { maxLength: 30 }), async (steps) => {
        const { live, written } = createLive();
        let expected: SessionStatus = 'starting';
        const going: Promise<void>[] = [];
        for (const [step, isWaited] of steps) {
          const taken = take(live, step);
          going.push(taken);
          // A session ends once: what comes meanwhile is for the one that is ending.
          if (isWaited || step === 'ended') await taken;
          if (step === 'executed' || step === 'stopped' || step === 'continued' || step === 'ended')
            expected = LIFECYCLE[expected][step] ?? expected;
        }
        await Promise.all(going);
        await new Promise((resolve) => setImmediate(resolve));
        expect(live.status).toBe(expected);
        if (expected !== 'starting') expect(written().status).toBe(expected);
        if (expected === 'exited') expect(written()).toMatchObject({ exitCode: 3 });
        live[Symbol.dispose]();
      }),
      RUNS,
    );
  });

  test.for([0, 1, 2, 3, 4, 5, 6, 7, 8])('stays over when the command goes on %i turns after its end', async (turns) => {
    const { live, written } = createLive();
    await live.isRunning(7, null);
    live.isPaused(true);
    const ending = live.hasEnded({ exitCode: 3, signal: null }, null);
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    live.isPaused(false);
    await ending;
    live.isPaused(true);
    await new Promise((resolve) => setImmediate(resolve));
    expect(written().status).toBe('exited');
    live[Symbol.dispose]();
  });
});
