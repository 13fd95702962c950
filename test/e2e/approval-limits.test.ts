import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type ListedQuestion, LONG_MS, openAsking } from '../support/approvals.ts';
import { runNono, startNono } from '../support/nono.ts';
import { PYTHON } from '../support/tools.ts';
import { waitFor } from '../support/wait.ts';
import { canBecomeOrdinaryUser, createWorld } from '../support/world.ts';

/** A thread with a directory of its own, in a process that could not get another root or other mounts. */
const CALLERS = `
import ctypes, os, threading
libc = ctypes.CDLL(None, use_errno=True)
FS, MOUNTS, USERS, PIDS = 0x200, 0x20000, 0x10000000, 0x20000000
def tell(name, result): print(name, "done" if result >= 0 else os.strerror(ctypes.get_errno()))
tell("chroot", libc.chroot(b"."))
tell("pivot_root", libc.syscall(155 if os.uname().machine == "x86_64" else 41, b".", b"."))
for flag in (MOUNTS, USERS, USERS | MOUNTS, PIDS): tell("unshare", libc.unshare(flag))
def elsewhere():
    tell("own directory", libc.unshare(FS))
    os.chdir(os.environ["ELSEWHERE"])
    print(open("f").read())
thread = threading.Thread(target=elsewhere); thread.start(); thread.join()
print(open("f").read())
`;

test('a thread is asked about what it means itself; another root or other mounts no caller has', async () => {
  using world = createWorld();
  const out = join(world.home, 'out');
  mkdirSync(out);
  writeFileSync(join(out, 'f'), 'outside');
  writeFileSync(join(world.project, 'f'), 'inside');
  writeFileSync(join(world.project, 'callers.py'), CALLERS);
  const words = ['run', '--ask', '--allow-cwd', '--env', `ELSEWHERE=${out}`, '--', PYTHON, 'callers.py'];
  const run = startNono(world, words);
  const question = await waitFor('the question', async () => {
    const [first] = (
      JSON.parse((await runNono(world, ['approvals', '--json'])).stdout) as { readonly approvals: readonly ListedQuestion[] }
    ).approvals;
    return first;
  });
  expect(question.path).toBe(join(out, 'f'));
  await runNono(world, ['allow', question.id]);

  const { stdout } = await run.ended;
  expect(stdout.split('\n')).toEqual([
    expect.stringMatching(/^chroot (?!done)/),
    expect.stringMatching(/^pivot_root (?!done)/),
    ...Array.from({ length: 4 }, () => expect.stringMatching(/^unshare (?!done)/) as unknown),
    'own directory done',
    'outside',
    'inside',
    '',
  ]);
});

test('one inside another nono cannot ask', async () => {
  using world = createWorld();
  mkdirSync(join(world.project, 'sub'));
  const state = `NONO_HOME=${join(world.project, 'state')}`;
  const inner = [world.executable, 'run', '--ask', '--allow', 'sub', '--', 'true'];
  const nested = await runNono(world, ['run', '--allow-cwd', '--env', state, '--', ...inner]);

  expect(nested).toMatchObject({ status: 125 });
  expect(nested.stderr).toContain('E_ASK');
});

test.for([
  { whose: 'the same user', as: '' },
  // The kernel lists them before what tells of filters.
  { whose: 'a user of hundreds of groups', as: 'setpriv --groups=$(seq -s, 1000000001 1000000400) ' },
])(
  'what one inside, of $whose, does not give its command is neither asked about nor given by an answer',
  {
    timeout: LONG_MS,
  },
  async ({ as }, { skip }) => {
    if (as !== '' && !canBecomeOrdinaryUser()) skip('only root may take on groups');
    using world = createWorld();
    await using asking = await openAsking(world);
    mkdirSync(join(world.project, 'state'), { mode: 0o700 });
    mkdirSync(join(world.project, 'inner'));
    copyFileSync(world.executable, join(world.project, 'nono'));
    chmodSync(join(world.project, 'nono'), 0o755);
    const inner = `NONO_HOME=../state ${as}../nono wrap --allow-cwd -- sh -c 'cat ${asking.out}/f ${asking.out}/g || echo closed'`;
    const run = asking.start(`cat ${asking.out}/f; echo; (cd inner; ${inner}); cat ${asking.out}/g`);
    let isOver = false;
    void run.ended.then(() => (isOver = true));

    await asking.answer('allow', (await asking.asked(`${asking.out}/f`)).id, '--folder');
    const asked = new Set<string>();
    await waitFor('the end', async () => {
      for (const { id, access, path } of await asking.list()) {
        // Where it can have its temporary directory, and what is sensitive in the home directory, the inner one looks itself.
        if (access !== 'list') asked.add(path);
        await asking.answer('deny', id);
      }
      return isOver;
    });

    const { stdout, stderr } = await run.ended;
    expect({ stdout, asked: [...asked] }).toEqual({ stdout: 'allowed\nclosed\nsecret', asked: [] });
    expect(stderr).toContain('f: Permission denied');
  },
);

test('a wrapped command is asked nothing, whatever its profile says', async () => {
  using world = createWorld();
  writeFileSync(join(world.directory, 'asking.toml'), 'ask = true\n');
  writeFileSync(join(world.home, 'f'), '');
  const words = ['wrap', '--profile', join(world.directory, 'asking.toml'), '--allow-cwd', '--', 'cat', join(world.home, 'f')];

  expect(await runNono(world, words)).toMatchObject({ status: 1, stderr: expect.stringContaining('Permission denied') });
  expect(await runNono(world, ['wrap', '--ask', '--allow-cwd', '--', 'true'])).toMatchObject({ status: 2 });
});

test.runIf(canBecomeOrdinaryUser())(
  'a user is asked whose id has ten digits, as directories of companies give them',
  async () => {
    using world = createWorld({ ordinaryUser: true, uid: 2_000_000_001 });
    await using asking = await openAsking(world);
    const run = asking.start(`cat ${asking.out}/f`);

    await asking.answer('allow', (await asking.asked(`${asking.out}/f`)).id);

    expect(await run.ended).toMatchObject({ status: 0, stdout: 'allowed' });
  },
);
