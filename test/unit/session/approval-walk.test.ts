import fc from 'fast-check';
import { afterEach, beforeEach, describe, test, vi } from 'vitest';
import { ApprovalWalk, approvalStep } from '../../support/approval-walk.ts';
import { runs } from '../../support/effort.ts';

const RUNS = { numRuns: runs(import.meta.filename, 500) };

describe('Approvals, whatever happens in whatever order,', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('answers each request once, with a yes only by somebody, and forgets none', () => {
    fc.assert(
      fc.property(fc.array(approvalStep, { maxLength: 60 }), (steps) => {
        const walk = new ApprovalWalk();
        for (const one of steps) walk.take(one);
        walk.finish();
      }),
      RUNS,
    );
  });
});
