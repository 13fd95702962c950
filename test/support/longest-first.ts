import { statSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const TESTS = resolve(import.meta.dirname, '..');

/** What takes longer than ten seconds, the longest first, so that none of them is begun when all the others have ended. */
const LONG: readonly string[] = [
  'faults/rollback-kill.test.ts',
  'laws/restore.test.ts',
  'e2e/approvals.test.ts',
  'faults/session-kill.test.ts',
  'e2e/session-faults.test.ts',
  'e2e/rollback.test.ts',
  'e2e/mediation.test.ts',
  'e2e/escape.test.ts',
  'e2e/programs.test.ts',
  'e2e/mediation-runtimes.test.ts',
  'e2e/rollback-large.test.ts',
  'e2e/release.test.ts',
  'laws/errors.test.ts',
  'laws/damage.test.ts',
  'laws/patch.test.ts',
  'e2e/export.test.ts',
  'e2e/rollback-many.test.ts',
  'e2e/older-kernels.test.ts',
  'e2e/approval-prompt.test.ts',
  'e2e/sandbox.test.ts',
  'e2e/sessions.test.ts',
  'e2e/first-page.test.ts',
  'e2e/rollback-disk.test.ts',
];

/** Starts the files that take longest, and then the largest: the same order in a fresh checkout as in one that has run them. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const index = LONG.indexOf(relative(TESTS, moduleId));
      return index === -1 ? LONG.length : index;
    };
    const size = ({ moduleId }: TestSpecification) => statSync(moduleId).size;
    return files.toSorted((left, right) => rank(left) - rank(right) || size(right) - size(left));
  }
}
