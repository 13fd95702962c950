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

  test('names what to share as a shell takes it', () => {
    const error = launchError({ step: 'execute', errno: 'EACCES', path: "/srv/$'; id/NAME DIR" as Bytes }, 'x' as Bytes);
    expect(error.hint).toBe(
      "Share its directory with --read '/srv/$'\\''; id' if the sandbox refused it, or make 'NAME DIR' executable",
    );
    const led = launchError(
      { step: 'execute', errno: 'EACCES', path: '/t' as Bytes, target: '/srv/a;id' as Bytes },
      'x' as Bytes,
    );
    expect(led.hint).toContain("--read-file '/srv/a;id',");
  });
});
