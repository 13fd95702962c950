import { describe, expect, test } from 'vitest';
import { describeFailure, SystemError } from '../../../src/errors.ts';
import { describeStartFailure, startError } from '../../../src/session/start-wire.ts';

describe('describeStartFailure()', () => {
  test.for(['ENOMEM', 'EMFILE', 'ENOSPC'])('says of a machine that answers %s what the starter would say itself', (errno) => {
    const error = new SystemError('pipe2', errno);
    expect(describeFailure(startError(describeStartFailure(error)))).toEqual(describeFailure(error));
  });

  test('shows the stack of a bug', () => {
    const failure = describeStartFailure(new TypeError('x is no function'));
    expect(failure).toMatchObject({ code: 'E_SUPERVISOR', exitCode: 125 });
    expect(failure.message).toMatch(/^Internal error: TypeError: x is no function\n/);
  });
});
