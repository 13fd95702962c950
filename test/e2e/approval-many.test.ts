import { copyFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Asking, LONG_MS, openAsking } from '../support/approvals.ts';
import { type Outcome, runProgram } from '../support/nono.ts';
import { PYTHON } from '../support/tools.ts';
import { waitFor } from '../support/wait.ts';
import { canBecomeOrdinaryUser, createWorld, type World } from '../support/world.ts';

const ROUNDS = 10_000;
const fixtures = resolve(import.meta.dirname, '../fixtures');

/** What takes thousands of opens: as an ordinary user alone, whom nothing of the file system is open to by the way. */
describe('a request among many', () => {
  let world: World;
  let asking: Asking;
  let out: string;

  beforeEach(async () => {
    world = createWorld({ ordinaryUser: canBecomeOrdinaryUser() });
    asking = await openAsking(world);
    ({ out } = asking);
  });
  afterEach(async () => {
    await asking[Symbol.asyncDispose]();
    world[Symbol.dispose]();
  });

  const sh = (script: string) => asking.sh(script);
  const start = (script: string) => asking.start(script);
  const list = () => asking.list();
  const asked = (path: string) => asking.asked(path);
  const answer = (...words: readonly string[]) => asking.answer(...words);

  test('shows a program the same as without a sandbox, in every way to open', { timeout: LONG_MS }, async () => {
    const probe = join(world.project, 'open-flags.py');
    copyFileSync(join(fixtures, 'open-flags.py'), probe);
    const prepare = (directory: string) =>
      sh(`mkdir -p ${directory}/d; cd ${directory}; printf 0123456789 > f; chmod 644 f; ln -s f l; ln -s d/.. way
        ${PYTHON} -c 'import os; [os.symlink("%s/made-%d" % ("way" if n % 2 else os.getcwd(), n), "n-%d" % n) for n in range(1, 385)]'`);
    const [inside, outside] = [join(out, 'inside'), join(out, 'outside')];
    await Promise.all([prepare(inside), prepare(outside)]);
    const plain = await runProgram(world, [PYTHON, probe, outside]);

    const run = start(`${PYTHON} -c 'open("${inside}/f", "r+")'; ${PYTHON} ${probe} ${inside}`);
    await answer('allow', '--folder', (await asked(`${inside}/f`)).id);
    const { stdout, stderr } = await run.ended;

    expect(stderr.split('\n').filter((line) => !line.startsWith('[nono]') && line !== '')).toEqual([]);
    expect(plain.stdout.split('\n').length).toBeGreaterThan(5000);
    expect(
      stdout
        .split('\n')
        .filter((line, at) => line !== plain.stdout.split('\n')[at])
        .slice(0, 5),
    ).toEqual([]);
  });

  test.for(['file', 'directory', 'parent'])(
    'opens what was allowed or nothing while its %s changes',
    { timeout: LONG_MS },
    async (kind) => {
      const probe = join(world.project, 'open-race.py');
      copyFileSync(join(fixtures, 'open-race.py'), probe);
      await sh(`mkdir -p ${out}/a/sub ${out}/b/sub; printf allowed > ${out}/a/sub/f; printf secret > ${out}/b/sub/f`);
      const script = `cat ${out}/a/sub/f > /dev/null; cat ${out}/b/sub/f; ${PYTHON} ${probe} ${kind} ${ROUNDS} ${out}/a/sub/f ${out}/b/sub/f`;
      const run = start(script);
      await answer('allow', '--session', (await asked(`${out}/a/sub/f`)).id);
      await answer('deny', '--session', (await asked(`${out}/b/sub/f`)).id);

      const { stdout } = await run.ended;

      expect(stdout).toMatch(/^\d+ tried, [1-9]\d* opened, 0 of the secret\n$/);
      expect(Number.parseInt(stdout, 10)).toBeGreaterThanOrEqual(ROUNDS);
    },
  );

  test('is put together with a thousand others, and answered with them', { timeout: LONG_MS }, async () => {
    await sh(`cd ${out}/sub; for at in $(seq 1000); do echo $at > $at; done`);
    const threads = `
import threading
def read(at):
    try: found.append(open("${out}/sub/%d" % at).read())
    except OSError as error: found.append(error.strerror)
found = []
threads = [threading.Thread(target=read, args=(at,)) for at in range(1, 1001)]
[thread.start() for thread in threads]; [thread.join() for thread in threads]
print(len([text for text in found if text.strip().isdigit()]), set(text for text in found if not text.strip().isdigit()))`;
    await sh(`cat > ${world.project}/many.py <<'END'\n${threads}\nEND`);
    const run = start(`${PYTHON} many.py`);
    const total = async () => (await list()).reduce((sum, { requests }) => sum + requests, 0);
    await waitFor('all of them', async () => (await total()) === 1000, LONG_MS);
    const questions = await list();

    expect(questions.length).toBeLessThanOrEqual(3);
    await answer('allow', ...questions.map(({ id }) => id));

    expect((await run.ended).stdout).toBe('1000 set()\n');
  });

  test('leaves the session as it is when nono has no descriptors left', { timeout: LONG_MS }, async () => {
    await sh(`cd ${out}/sub; for at in $(seq 200); do echo $at > $at; done`);
    const threads = `
import threading
found = []
def read(at):
    try: found.append(open("${out}/sub/%d" % at).read())
    except OSError as error: found.append(error.strerror)
threads = [threading.Thread(target=read, args=(at,)) for at in range(1, 201)]
[thread.start() for thread in threads]; [thread.join() for thread in threads]
print(len(found))`;
    writeFileSync(join(world.project, 'many.py'), threads);
    const words = [
      'prlimit',
      '--nofile=100:100',
      world.executable,
      'run',
      '--ask',
      '--allow-cwd',
      '--',
      PYTHON,
      'many.py',
    ] as const;
    let outcome: Outcome | undefined;
    const run = (async () => {
      outcome = await runProgram(world, [...words], { timeoutMs: LONG_MS });
    })();
    await waitFor('questions', async () => (await list()).length === 3);
    await answer('allow', ...(await list()).map(({ id }) => id));
    // What came too late for that is asked about anew, when there is nothing else to answer too.
    await waitFor(
      'the end',
      async () => {
        for (const { id } of await list()) await answer('allow', id);
        return outcome !== undefined;
      },
      LONG_MS,
    );

    await run;
    expect(outcome?.stdout).toBe('200\n');
  });
});
