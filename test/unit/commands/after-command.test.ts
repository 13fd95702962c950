import { expect, test } from 'vitest';
import { doAll } from '../../../src/commands/after-command.ts';
import { StateError, SystemError } from '../../../src/errors.ts';

test('doAll() does every step, whatever fails, and tells all that failed', async () => {
  const done: string[] = [];
  const failure = await doAll(
    () => Promise.reject(new SystemError('open', 'EMFILE')),
    async () => {
      done.push('second');
      return 'it says so itself';
    },
    () => {
      throw new StateError('Cannot do it');
    },
    async () => {
      done.push('last');
      return undefined;
    },
  );
  expect(done).toEqual(['second', 'last']);
  for (const text of ['EMFILE', 'it says so itself', 'Cannot do it']) expect(failure).toContain(text);
  expect(await doAll(async () => null)).toBeNull();
});
