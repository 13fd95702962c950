import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../../src/bytes.ts';
import { launchError } from '../../../src/sandbox/sandbox-error.ts';

describe('launchError()', () => {
  test.for([
    { step: 'restrict', errno: 'E2BIG', hint: /16 of Landlock inside each other/ },
    { step: 'ruleset', errno: 'EMFILE', hint: /ulimit -n/ },
    { step: 'rule', errno: 'EMFILE', hint: /ulimit -n/ },
    { step: 'plan', errno: 'EAGAIN', hint: /ulimit -u/ },
    { step: 'rule', errno: 'ELOOP', hint: /link/ },
    { step: 'filter', errno: 'EBUSY', hint: /outside of it/ },
    { step: 'filter', errno: 'EPERM', hint: /container or a security module/ },
  ] as const)('names the way out of $errno at the step $step', ({ step, errno, hint }) => {
    const error = launchError({ step, errno }, 'ls' as Bytes);
    expect(error).toMatchObject({ code: 'E_SANDBOX', exitCode: 126, hint: expect.stringMatching(hint) as string });
    expect(error.message).toContain(errno);
  });
});
