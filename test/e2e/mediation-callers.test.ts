import { lstatSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { compileProbe } from '../support/probe.ts';
import { describeSandboxed, VERBS } from '../support/sandboxed.ts';
import { PYTHON } from '../support/tools.ts';
import { canBecomeOrdinaryUser, USERS } from '../support/world.ts';

const ODD_CALLS = 40_000;

const oddities = compileProbe('odd-arguments');
if (oddities === undefined) console.warn('No odd arguments are given to the mediator: that needs a C compiler');
afterAll(() => oddities?.[Symbol.dispose]());

describe.for(USERS)('a mediated call of $user', ({ ordinaryUser }) => {
  const sandboxed = describeSandboxed({ ordinaryUser });

  test
    .runIf(oddities !== undefined)
    .for(VERBS.flatMap((verb) => [[], ['--block-net=loopback']].map((options) => ({ verb, options }))))(
    'with arguments that nobody gives stops no mediator and reaches nothing, under $verb $options',
    async ({ verb, options }) => {
      const probe = oddities?.copyTo(sandboxed.world) ?? '';
      const { directory: outside, file } = sandboxed.outside;
      const before = lstatSync(file);
      // With sockets that were granted by name, sends are mediated too.
      const granted = options.length === 0 ? ['--allow-socket', outside] : options;
      const seed = String(Date.now());

      const { stdout, stderr } = await sandboxed.inside(
        verb,
        ['--read', outside, ...granted],
        [probe, seed, String(ODD_CALLS), file],
      );

      expect(`${stdout || stderr} with seed ${seed}`).toBe(`alive\n with seed ${seed}`);
      const after = lstatSync(file);
      expect([after.mode, after.mtimeMs, after.ctimeMs]).toEqual([before.mode, before.mtimeMs, before.ctimeMs]);
    },
  );

  test.skipIf(ordinaryUser || !canBecomeOrdinaryUser()).for(VERBS)(
    'is refused to who is somebody else by now, under %s',
    async (verb) => {
      const script = `
import ctypes, errno, os, sys
libc = ctypes.CDLL(None)
# capset(2) of all that is left but CAP_CHOWN.
number = 91 if os.uname().machine == "aarch64" else 126
def give_up(): assert libc.syscall(number, (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)(0x4fa, 0x4fa, 0, 0, 0, 0)) == 0
open("f", "w").close(); os.chmod("f", 0o666)
here = os.getcwd()
for change in [lambda: 0, lambda: libc.setfsuid(65534), lambda: libc.setfsgid(65534), lambda: os.setegid(65534), lambda: os.seteuid(65534), give_up]:
    if os.fork() == 0:
        change()
        for call in [lambda: os.chmod("f", 0o666), lambda: os.utime(here + "/f"), lambda: os.chown("f", 0, 0)]:
            try: call(); print("ok", end=" ")
            except OSError as error: print(errno.errorcode[error.errno], end=" ")
        print(); sys.stdout.flush(); os._exit(0)
    os.wait()
os.unlink("f")`;
      const { stdout, stderr } = await sandboxed.inside(verb, [], [PYTHON, '-c', script]);

      const refused = 'EPERM EPERM EPERM \n';
      expect(stdout || stderr).toBe(`ok ok ok \n${refused.repeat(5)}`);
    },
  );
});
