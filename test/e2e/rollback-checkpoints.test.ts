import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { holdAt } from '../support/hold.ts';
import { runNono, startNono } from '../support/nono.ts';
import { listSessions, readProject, rollback, sessionDirectory, writeProject } from '../support/rollback.ts';
import { isAlive, readRecord, startDetached, untilGone, untilStatus } from '../support/sessions.ts';
import { needCommands, needOtherUser } from '../support/tools.ts';
import { dumpTree } from '../support/tree.ts';
import { waitFor } from '../support/wait.ts';
import { createWorld, type World } from '../support/world.ts';

/** Not tracked: where the test and the command meet. */
const SIGNALS = '.signals';

/** Goes one step further for each file that appears: 1, 2, …, and ends with `end`. */
const STEPS = `step=1; while [ ! -e .signals/end ]; do
  if [ -e ".signals/$step" ]; then echo "$step" > file; echo "$step" > "made-$step"; : > ".signals/did-$step"; step=$((step + 1)); fi
  sleep 0.01
done; echo last > file`;

/** Tells the command to go on, and waits until it has. */
async function step(world: World, number: number): Promise<void> {
  writeFileSync(join(world.project, SIGNALS, `${number}`), '');
  await waitFor(`step ${number}`, () => existsSync(join(world.project, SIGNALS, `did-${number}`)));
}

function end(world: World): void {
  writeFileSync(join(world.project, SIGNALS, 'end'), '');
}

const SCRIPT = ['--rollback', '--allow-cwd', '--rollback-exclude', `/${SIGNALS}`, '--', 'sh', '-c', STEPS];

interface Taken {
  readonly session_id: string;
  readonly snapshot: number;
  readonly label: string;
  readonly changes: readonly { readonly path: string }[];
}

async function take(world: World, ...words: readonly string[]): Promise<Taken> {
  const outcome = await rollback(world, ['checkpoint', ...words, '--json']);
  expect(outcome).toMatchObject({ status: 0, stderr: '' });
  return JSON.parse(outcome.stdout) as Taken;
}

/** A session whose command waits for its steps. */
async function start(world: World, ...words: readonly string[]): Promise<string> {
  writeProject(world, { file: '0\n', [`${SIGNALS}/ready`]: '' });
  const outcome = await runNono(world, ['run', '--detached', ...words, ...SCRIPT]);
  expect(outcome).toMatchObject({ status: 0 });
  return /session (\w{6})/.exec(outcome.stdout)?.[1] ?? '';
}

describe.for([false, true])('nono rollback checkpoint (as an ordinary user: %s)', (ordinaryUser) => {
  test('takes snapshots of a session that runs, and each of them can be gone back to', async (context) => {
    if (ordinaryUser) needOtherUser(context);
    using world = createWorld({ ordinaryUser });
    const id = await start(world, '--name', 'worker');
    const states = [dumpTree(world.project, { leaveOut: [SIGNALS] })];
    for (const number of [1, 2]) {
      await step(world, number);
      const taken = await take(world, number === 1 ? 'worker' : id, '--label', `after step ${number}`);
      expect(taken).toMatchObject({ snapshot: number, label: `after step ${number}` });
      expect(taken.changes.map(({ path }) => path)).toContain(join(world.project, `made-${number}`));
      states.push(dumpTree(world.project, { leaveOut: [SIGNALS] }));
    }
    const text = await rollback(world, ['checkpoint', 'latest']);
    expect(text.stdout).toMatch(
      /^Took snapshot 3 of \S+: nothing changed since snapshot 2\nGo back to it with: .* --snapshot 3\n$/,
    );
    end(world);
    await untilStatus(world, id, 'exited');

    const { stdout } = await rollback(world, ['show', 'latest']);
    expect(stdout).toMatch(/Snapshot 1 {2}just now {2}after step 1\nSnapshot 2 .*after step 2\nSnapshot 3 .*checkpoint\n\n/);
    for (const number of [2, 0, 1]) {
      expect(await rollback(world, ['restore', id, '--snapshot', `${number}`])).toMatchObject({ status: 0 });
      expect(dumpTree(world.project, { leaveOut: [SIGNALS] })).toEqual(states[number]);
    }
    expect(await rollback(world, ['verify', '--all'])).toMatchObject({ status: 0 });
    const audit = await runNono(world, ['inspect', id, '--events', '--json']);
    expect(audit.stdout).toContain('after step 1');
  });
});

describe('nono rollback checkpoint', () => {
  test('works for a session that shares the streams of its caller, which no terminal can join', async () => {
    using world = createWorld();
    writeProject(world, { file: '0\n', [`${SIGNALS}/ready`]: '' });
    const running = startNono(world, ['run', ...SCRIPT]);
    await step(world, 1);
    expect(await take(world, 'latest')).toMatchObject({ snapshot: 1, label: 'checkpoint' });
    const id = (await listSessions(world))[0]?.run_id ?? '';
    expect(await runNono(world, ['send', id, 'x'])).toMatchObject({ status: 1 });
    end(world);
    expect(await running.ended).toMatchObject({ status: 0 });
    expect(readdirSync(join(world.state, 'sessions')).filter((name) => name.endsWith('.sock'))).toEqual([]);
    expect(await listSessions(world)).toMatchObject([{ status: 'exited', snapshot_count: 3 }]);
  });

  test('costs what has changed: equal directories and contents are stored once', async () => {
    using world = createWorld();
    writeProject(world, Object.fromEntries(Array.from({ length: 400 }, (_, index) => [`sub/f${index}`, `${index}`])));
    const id = await start(world);
    await take(world, 'latest');
    await step(world, 1);
    const { session_id: session } = await take(world, 'latest');
    const manifest = JSON.parse(readProject(world, join('../home/.nono/rollbacks', session, 'manifest.json'))) as {
      readonly snapshots: readonly { readonly stored_bytes: number }[];
    };
    const [baseline, ...checkpoints] = manifest.snapshots.map(({ stored_bytes: bytes }) => bytes);
    for (const bytes of checkpoints) expect(bytes).toBeLessThan((baseline ?? 0) / 20);
    end(world);
    await untilStatus(world, id, 'exited');
  });

  test('asked for by many at once takes one after the other', async () => {
    using world = createWorld();
    const id = await start(world);
    const taken = await Promise.all(Array.from({ length: 6 }, () => take(world, id)));
    expect(taken.map(({ snapshot }) => snapshot).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6]);
    end(world);
    await untilStatus(world, id, 'exited');
    expect(await rollback(world, ['verify', '--all'])).toMatchObject({ status: 0 });
  });

  test('is refused for what does not run, takes no snapshots, or is called what cannot be shown', async () => {
    using world = createWorld();
    const plain = await startDetached(world, '--', 'sleep', '600');
    expect(await rollback(world, ['checkpoint', plain])).toMatchObject({ status: 4 });
    expect(await rollback(world, ['checkpoint', 'nobody'])).toMatchObject({ status: 4 });
    expect(await rollback(world, ['checkpoint', plain, '--label', 'a\u001bb'])).toMatchObject({ status: 2 });
    expect(await rollback(world, ['checkpoint', plain, '--label', ''])).toMatchObject({ status: 2 });
    await runNono(world, ['stop', '--force', plain]);
    await runNono(world, ['run', '--rollback', '--allow-cwd', '--', 'true']);
    const ended = await rollback(world, ['checkpoint', 'latest']);
    expect(ended).toMatchObject({ status: 1 });
    expect(ended.stderr).toContain('[E_ENDED]');
    await runNono(world, ['prune']);
    expect((await rollback(world, ['checkpoint', 'latest'])).stderr).toContain('its command has ended [E_ENDED]');
  });
});

describe('a checkpoint that takes long', () => {
  test('keeps nobody waiting but the one who asked for it, and the end of the session', async (context) => {
    needCommands(context, 'strace');
    using world = createWorld();
    const id = await start(world);
    const { supervisor_pid: supervisor } = readRecord(world, id);
    await using hold = await holdAt(supervisor, 'syncfs');
    const asking = take(world, id, '--label', 'slow');
    await hold.held();

    expect(await runNono(world, ['rename', id, 'renamed'])).toMatchObject({ status: 0 });
    await step(world, 1);
    expect(await listSessions(world)).toMatchObject([{ status: 'running', snapshot_count: 1 }]);
    end(world);
    await waitFor('the end of the command', () => !isAlive(readRecord(world, id).child_pid));
    expect(readRecord(world, id).status).toBe('running');

    await hold.release();
    expect(await asking).toMatchObject({ snapshot: 1, label: 'slow' });
    await untilStatus(world, id, 'exited');
    expect(await listSessions(world)).toMatchObject([{ status: 'exited', snapshot_count: 3 }]);
    expect(await rollback(world, ['verify', '--all'])).toMatchObject({ status: 0 });
  });

  test('and is killed is as if it had never been begun; the session goes on', async (context) => {
    needCommands(context, 'strace');
    using world = createWorld();
    const id = await start(world);
    await step(world, 1);
    await using hold = await holdAt(readRecord(world, id).supervisor_pid, 'syncfs');
    const asking = rollback(world, ['checkpoint', id]);
    process.kill(await hold.held(), 'SIGKILL');
    await hold.release();
    const refused = await asking;
    expect(refused).toMatchObject({ status: 1 });
    expect(refused.stderr).toContain('was killed');

    expect(await take(world, id)).toMatchObject({ snapshot: 1 });
    end(world);
    await untilStatus(world, id, 'exited');
    expect(await rollback(world, ['verify', '--all'])).toMatchObject({ status: 0 });
    expect(await listSessions(world)).toMatchObject([{ snapshot_count: 3 }]);
  });

  test('outlives its supervisor: nobody recovers the session before it is whole', async (context) => {
    needCommands(context, 'strace');
    using world = createWorld();
    const id = await start(world);
    await step(world, 1);
    const { supervisor_pid: supervisor } = readRecord(world, id);
    const [session] = await listSessions(world);
    await using hold = await holdAt(supervisor, 'syncfs');
    const asking = rollback(world, ['checkpoint', id]);
    const taker = await hold.held();
    process.kill(supervisor, 'SIGKILL');
    expect(await asking).toMatchObject({ status: 1 });
    await untilGone(supervisor);
    // Its lock is free, and still it is not anybody's to complete or to remove.
    expect(await listSessions(world)).toMatchObject([{ is_alive: true }]);
    await rollback(world, ['cleanup', '--keep', '0']);
    expect(existsSync(sessionDirectory(world, session?.session_id ?? ''))).toBe(true);

    await hold.release();
    await untilGone(taker);
    expect(await rollback(world, ['show', 'latest'])).toMatchObject({ status: 0 });
    expect(await listSessions(world)).toMatchObject([{ status: 'recovered', snapshot_count: 3 }]);
    expect(await rollback(world, ['restore', 'latest'])).toMatchObject({ status: 0 });
    expect(readProject(world, 'file')).toBe('0\n');
    expect(await rollback(world, ['verify', '--all'])).toMatchObject({ status: 0 });
  });
});

describe('nono run --checkpoint-every', () => {
  test('takes a checkpoint of each change, and none where nothing has changed', async () => {
    using world = createWorld();
    const id = await start(world, '--checkpoint-every', '1s');
    const count = async () => (await listSessions(world))[0]?.['snapshot_count'] as number;
    for (const number of [1, 2]) {
      const before = await count();
      await step(world, number);
      await waitFor('a checkpoint', async () => (await count()) > before, 30_000);
    }
    const taken = await count();
    end(world);
    await untilStatus(world, id, 'exited');
    const { stdout } = await rollback(world, ['show', 'latest', '--json']);
    const { snapshots } = JSON.parse(stdout) as { readonly snapshots: readonly { label: string; changes: unknown[] }[] };
    expect(snapshots.length).toBeGreaterThanOrEqual(taken + 1);
    for (const { label, changes } of snapshots.slice(1, -1)) {
      expect(label).toBe('checkpoint');
      expect(changes.length).toBeGreaterThan(0);
    }
  });

  test.for(['0s', '10', 'm', '1.5h', '-1s', '169h', ''])('refuses the time "%s"', async (time) => {
    using world = createWorld();
    const outcome = await runNono(world, ['run', '--rollback', '--allow-cwd', '--checkpoint-every', time, '--', 'true']);
    expect(outcome).toMatchObject({ status: 2 });
  });
});
