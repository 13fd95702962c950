import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Running, runNono, startNono } from '../support/nono.ts';
import { needCommands, PYTHON } from '../support/tools.ts';
import { waitFor } from '../support/wait.ts';
import { createWorld, type World } from '../support/world.ts';

/** Shorter than the kernel lets a lease stand whose holder does not let go (fs.lease-break-time). */
const TIMEOUT_MS = 20_000;

/** Holds a lease on each file until its input ends, whoever opens them. */
const HOLD = `
import fcntl, os, signal, sys
signal.signal(signal.SIGIO, signal.SIG_IGN)
held = [os.open(path, os.O_RDONLY) for path in sys.argv[1:]]
for file in held: fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
print("held", flush=True)
sys.stdin.read()`;

/** Lets go as soon as it is asked. */
const YIELD = `
import fcntl, os, signal, sys
file = os.open(sys.argv[1], os.O_RDONLY)
signal.signal(signal.SIGIO, lambda *_: fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK))
fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
print("held", flush=True)
sys.stdin.read()`;

async function holding(world: World, script: string, paths: readonly string[]): Promise<Running> {
  const holder = startNono({ ...world, executable: PYTHON }, ['-c', script, ...paths], { keepsInput: true });
  await waitFor('the leases to be held', () => holder.stdout() === 'held\n');
  return holder;
}

async function letGo(holder: Running): Promise<void> {
  holder.child.stdin?.end();
  expect(await holder.ended).toMatchObject({ status: 0, stderr: '' });
}

const TRACKED = ['run', '--rollback', '--no-rollback-prompt', '--allow-cwd', '--', 'sh', '-c'] as const;

describe('a file on which another program holds a lease', () => {
  test('holds nobody up: snapshots leave it out, and a restore goes on', async (context) => {
    needCommands(context, PYTHON);
    using world = createWorld();
    const [held, free, ignore] = ['held', 'free', '.gitignore'].map((name) => join(world.project, name)) as [
      string,
      string,
      string,
    ];
    for (const path of [held, free, ignore]) writeFileSync(path, 'before\n');
    const holder = await holding(world, HOLD, [held, ignore]);

    const run = await runNono(world, [...TRACKED, 'echo after > free'], { timeoutMs: TIMEOUT_MS });
    expect(run).toMatchObject({ status: 0, stderr: expect.stringMatching(/2 changed while it was read/) as string });
    const restore = await runNono(world, ['rollback', 'restore', 'latest'], { timeoutMs: TIMEOUT_MS });
    expect(restore).toMatchObject({ status: 0, stdout: expect.stringMatching(/^Restored 1 path /) as string });
    expect(readFileSync(free, 'utf8')).toBe('before\n');
    await letGo(holder);
  });

  test('is waited for while it is let go of', async (context) => {
    needCommands(context, PYTHON);
    using world = createWorld();
    const held = join(world.project, 'held');
    writeFileSync(held, 'before\n');
    const holder = await holding(world, YIELD, [held]);

    const run = await runNono(world, [...TRACKED, 'echo after > held'], { timeoutMs: TIMEOUT_MS });
    expect(run).toMatchObject({ status: 0, stderr: expect.not.stringMatching(/while it was read/) as string });
    expect(await runNono(world, ['rollback', 'restore', 'latest'])).toMatchObject({ status: 0 });
    expect(readFileSync(held, 'utf8')).toBe('before\n');
    await letGo(holder);
  });

  test('is passed over where it is the record of a session', async (context) => {
    needCommands(context, PYTHON);
    using world = createWorld();
    const sessions = join(world.state, 'sessions');
    const run = (name: string) => runNono(world, ['run', '--allow-cwd', '--name', name, '--', 'true']);
    expect(await run('one')).toMatchObject({ status: 0 });
    const record = readdirSync(sessions).find((name) => /^[0-9a-f]{6}\.json$/.test(name)) ?? '';
    expect(await run('two')).toMatchObject({ status: 0 });
    const holder = await holding(world, HOLD, [join(sessions, record)]);

    const { status, stdout, stderr } = await runNono(world, ['ps', '--all'], { timeoutMs: TIMEOUT_MS });
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: `[nono] Passed over a record: Cannot read the record of session ${record.slice(0, -5)}\n`,
    });
    expect(stdout).toMatch(/ two /);
    expect(stdout).not.toMatch(/ one /);
    await letGo(holder);
  });
});
