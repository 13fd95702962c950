import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fill, mountState } from '../support/full-disk.ts';
import { runNono, runProgram, startNono } from '../support/nono.ts';
import { isAlive, readRecord, recordPath, startDetached, untilGone, untilStatus } from '../support/sessions.ts';
import { openTerminal } from '../support/tmux.ts';
import { needCommands, needOtherUser } from '../support/tools.ts';
import { waitFor } from '../support/wait.ts';
import { createWorld, type World } from '../support/world.ts';

const exists = (world: World, name: string) => fs.existsSync(join(world.project, name));
const stopNow = (world: World, ...ids: readonly string[]) => runNono(world, ['stop', '--force', ...ids]);

/** Everything that was started in a session has its id in the environment, whatever became of its parents. */
function processesOf(id: string): readonly number[] {
  const pids = fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => readProcess(pid, 'environ').includes(`NONO_SESSION_ID=${id}`) && isAlive(pid));
}

function readProcess(pid: number, file: string): string {
  try {
    return fs.readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch (error) {
    if (error instanceof Error) return ''; // It has just ended, or is somebody else's.
    throw error;
  }
}

function pssKilobytes(pid: number): number {
  return Number(/^Pss: +(\d+)/m.exec(readProcess(pid, 'smaps_rollup'))?.[1] ?? 0);
}

/** Clock ticks that the process has used. */
function cpuTicks(pid: number): number {
  const fields = readProcess(pid, 'stat')
    .replace(/^.*\) /, '')
    .split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

describe('a start', () => {
  test('of fifty sessions with one name at once gives it to exactly one, and leaves nothing of the others', async () => {
    using world = createWorld();
    const words = ['run', '--detached', '--allow-cwd', '--name', 'same', '--', 'sleep', '1000'];
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => runNono(world, words, { timeoutMs: 110_000 })));

    expect(outcomes.filter(({ status }) => status === 0)).toHaveLength(1);
    const refused = outcomes.filter(({ status, stderr }) => status === 125 && stderr.includes('E_NAME_TAKEN'));
    expect(refused).toHaveLength(49);
    const { stdout } = await runNono(world, ['ps', '--all', '--json']);
    expect(JSON.parse(stdout)).toMatchObject([{ name: 'same', status: 'running' }]);
    await stopNow(world, 'same');
    const records = fs
      .readdirSync(join(world.state, 'sessions'))
      .filter((name) => /^[0-9a-f]{6}\.(?:json|sock|events\.jsonl)$/.test(name));
    expect(records).toHaveLength(2);
    expect(fs.readdirSync(join(world.state, 'names'))).toEqual([]);
  }, 120_000);

  test('on a full disk fails with the reason, and leaves nothing behind', async (context) => {
    using world = createWorld();
    using _ = mountState(context, world, 400_000);
    fs.mkdirSync(join(world.state, 'sessions'), { mode: 0o700 });
    fs.mkdirSync(join(world.state, 'names'), { mode: 0o700 });
    fill(world);

    for (const words of [['--detached'], []]) {
      const { status, stderr } = await runNono(world, ['run', ...words, '--allow-cwd', '--', 'touch', 'proof']);
      expect({ status, stderr }).toMatchObject({ status: 125, stderr: expect.stringContaining('E_STATE') });
    }
    expect(exists(world, 'proof')).toBe(false);
    expect(fs.readdirSync(join(world.state, 'sessions'))).toEqual([]);
  });
});

describe('a registry', () => {
  test('that cannot be read or written is named by every verb, and nothing is left of a start', async (context) => {
    needOtherUser(context);
    using world = createWorld({ ordinaryUser: true });
    await runNono(world, ['run', '--allow-cwd', '--', 'true']);
    const sessions = join(world.state, 'sessions');
    const before = fs.readdirSync(sessions);
    const starts = [
      ['run', '--allow-cwd', '--', 'touch', 'proof'],
      ['run', '--detached', '--allow-cwd', '--', 'touch', 'proof'],
    ];
    const refusals = async (mode: number, verbs: readonly (readonly string[])[]) => {
      fs.chmodSync(sessions, mode);
      const outcomes = await Promise.all(verbs.map((words) => runNono(world, words)));
      fs.chmodSync(sessions, 0o700);
      for (const { stdout, stderr } of outcomes)
        expect({ stdout, stderr }).toEqual({ stdout: '', stderr: expect.stringContaining(sessions) });
      return outcomes.map(({ status }) => status);
    };

    const looks = [['ps'], ['inspect', 'a3f7c2'], ['stop', 'a3f7c2'], ['prune']];
    expect(await refusals(0, [...starts, ...looks])).toEqual([125, 125, 1, 1, 1, 1]);
    expect(await refusals(0o500, starts)).toEqual([125, 125]);
    expect(await refusals(0o750, [...starts, ['ps']])).toEqual([125, 125, 1]);
    expect(exists(world, 'proof')).toBe(false);
    expect(fs.readdirSync(sessions)).toEqual(before);
    expect(fs.readdirSync(join(world.state, 'names'))).toEqual([]);
  });

  test('that cannot be read or written refuses what is asked of a session, and costs nobody the session', async (context) => {
    needOtherUser(context);
    using world = createWorld({ ordinaryUser: true });
    const id = await startDetached(world, '--', 'sh', '-c', 'echo first; exec sleep 1000');
    const [names, log] = [join(world.state, 'names'), join(world.state, 'sessions', `${id}.log`)];
    await waitFor('the log', () => fs.existsSync(log));
    fs.chmodSync(names, 0o500);
    fs.chmodSync(log, 0);
    for (const words of [
      ['rename', id, 'other'],
      ['logs', id],
    ]) {
      const { status, stderr } = await runNono(world, words);
      expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining('EACCES [E_REFUSED]') });
      expect(stderr).not.toContain('Internal error');
    }
    fs.chmodSync(names, 0o700);
    fs.chmodSync(log, 0o600);
    expect(await runNono(world, ['rename', id, 'other'])).toMatchObject({ status: 0 });
    expect(await runNono(world, ['logs', 'other'])).toMatchObject({ status: 0, stdout: 'first\n' });
    expect(await stopNow(world, id)).toMatchObject({ status: 0 });
  });

  test('gives a name that an ended session had to a new one while others prune', async () => {
    using world = createWorld();
    const names = Array.from({ length: 8 }, (_, number) => `name-${number}`);
    await runNono(world, ['run', '--allow-cwd', '--', 'true']);
    for (const name of [...names, '.sweeping']) fs.writeFileSync(join(world.state, 'names', name), '');
    const prunes = Array.from({ length: 8 }, () => runNono(world, ['prune']));
    const starts = names.map((name) =>
      runNono(world, ['run', '--detached', '--name', name, '--allow-cwd', '--', 'sleep', '1000']),
    );
    for (const outcome of await Promise.all([...prunes, ...starts])) expect(outcome).toMatchObject({ status: 0 });

    await runNono(world, ['prune']);
    expect(fs.readdirSync(join(world.state, 'names')).toSorted()).toEqual(names);
    expect(await stopNow(world, ...names)).toMatchObject({ status: 0 });
    expect(fs.readdirSync(join(world.state, 'names'))).toEqual([]);
  });
});

describe('a slow disk', () => {
  test('holds a start in the background up, which says so, and is no failure', async (context) => {
    needCommands(context, 'tmux', 'strace');
    using world = createWorld();
    fs.writeFileSync(join(world.project, 'file'), 'content');
    await using terminal = await openTerminal(world, { columns: 120 });
    const slow = 'strace -f -o /dev/null -e trace=syncfs -e inject=syncfs:delay_enter=2500000';
    await terminal.type(`clear; ${slow} ${world.executable} run --rollback --detached --allow-cwd -- true; echo status $?`);
    await terminal.press('Enter');

    await terminal.waitFor(/^\[nono\] .*disk/m);
    await terminal.waitFor(/^Started detached session [0-9a-f]{6}\.\n.*\n(?:.*\n)*status 0$/m);
  });
});

describe('a disk that becomes full', () => {
  test('keeps no session from going on, and its end is recorded', async (context) => {
    using world = createWorld();
    using _ = mountState(context, world, 600_000);
    const id = await startDetached(world, '--', 'sh', '-c', 'while read -r line; do echo "$line" >> heard; done; exit 5');
    fill(world);

    for (const text of ['one', 'two']) expect((await runNono(world, ['send', id, '--enter', text])).status).toBe(0);
    await waitFor(
      'the command to hear it',
      () => exists(world, 'heard') && fs.readFileSync(join(world.project, 'heard'), 'utf8') === 'one\ntwo\n',
    );
    expect((await runNono(world, ['ps'])).stdout).toContain('running');
    await runNono(world, ['send', id, '--key', 'ctrl-d']);
    await untilStatus(world, id, 'exited');

    expect(readRecord(world, id)).toMatchObject({ exit_code: 5, signal: null });
    expect((await runNono(world, ['wait', id])).stdout).toBe('5\n');
    expect((await runNono(world, ['audit', 'verify', id])).status).toBe(0);
  });

  test('is noted in the audit log once there is room again', async (context) => {
    using world = createWorld();
    using _ = mountState(context, world, 600_000);
    const id = await startDetached(world, '--', 'cat');
    fill(world);
    // What is left of the log's last block is used up first.
    for (let count = 0; count < 40; count++) await runNono(world, ['send', id, 'x']);
    fs.rmSync(join(world.state, 'filler'));
    await stopNow(world, id);

    const { status, stdout } = await runNono(world, ['audit', 'export', id]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/"event":"gap","lost":\d+,"since":"[^"]+","reason":"ENOSPC"/);
  });
});

describe('a supervisor that is stopped by a signal', () => {
  test('keeps nobody from seeing its session, and verbs say that it does not answer', async () => {
    using world = createWorld();
    const id = await startDetached(world, '--', 'cat');
    const { supervisor_pid: supervisor, child_pid: child } = readRecord(world, id);
    process.kill(supervisor, 'SIGSTOP');

    expect((await runNono(world, ['ps'])).stdout).toContain(id);
    expect((await runNono(world, ['inspect', id])).status).toBe(0);
    expect((await runNono(world, ['prune'])).stdout).toBe('');
    const asked = [
      ['send', id, 'x'],
      ['screen', id],
      ['logs', id],
      ['rename', id, 'other'],
    ].map((words) => runNono(world, words));
    for (const outcome of await Promise.all(asked))
      expect(outcome).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining('E_NO_ANSWER') });
    expect(isAlive(child)).toBe(true);
    process.kill(supervisor, 'SIGCONT');
    expect((await runNono(world, ['send', id, 'x'])).status).toBe(0);
    await stopNow(world, id);
  });
});

describe('a client that the machine gives no memory to read with', () => {
  test('says so, and not that the session has ended', async (context) => {
    needCommands(context, 'strace', 'script');
    using world = createWorld();
    const id = await startDetached(world, '--', 'sh', '-c', 'while :; do echo x; sleep 0.1; done');
    const nothing = '/dev/null';
    const traced = ['strace', '-f', '-o', nothing, '-e', 'trace=recvfrom', '-e', 'inject=recvfrom:error=ENOMEM:when=1'] as const;
    const renamed = await runProgram(world, [...traced, world.executable, 'rename', id, 'other']);
    expect(renamed).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^Error: .* \[E_SYSTEM\]\nCaused by: recvfrom: ENOMEM\n/),
    });
    const words = [...traced, world.executable, 'attach', '--view', id].join(' ');
    const { stdout } = await runProgram(world, ['script', '-qec', words, nothing]);
    expect(stdout).toMatch(/Cannot attach to session .*: the connection failed here, recvfrom: ENOMEM \[E_CANNOT_ATTACH\]/);
    expect(stdout).toContain('The session goes on');
    expect(await stopNow(world, id)).toMatchObject({ status: 0, stdout: `${id}\n` });
  });
});

describe('a client that is stopped by a signal', () => {
  test('delays nothing, and sees the end when it goes on', async (context) => {
    needCommands(context, 'tmux');
    using world = createWorld();
    const script = 'stty -echo; read -r line; seq 300000; echo all > written; echo the end; read -r line; exit 6';
    const id = await startDetached(world, '--', 'sh', '-c', script);
    // No shell with job control: it would take the terminal from a client that is stopped.
    const command = `${world.executable} attach ${id}; echo status $?; exec sleep 1000`;
    await using terminal = await openTerminal(world, { command: ['sh', '-c', command] });
    await waitFor('the client', () => readRecord(world, id).attachment === 'attached');
    const client = Number(
      execFileSync('pgrep', ['-f', `nono attach ${id}$`], { encoding: 'utf8' })
        .trim()
        .split('\n')
        .at(-1),
    );
    process.kill(client, 'SIGSTOP');

    await runNono(world, ['send', id, '--enter']);
    await waitFor('all of the output', () => exists(world, 'written'), 40_000);
    expect((await runNono(world, ['ps'])).stdout).toContain('attached');
    process.kill(client, 'SIGCONT');

    await terminal.waitFor('the end', 40_000);
    await terminal.press('Enter');
    await terminal.waitFor(/status 6/);
  });
});

describe('a command', () => {
  test('that closes its terminal and goes on is running until it ends, and costs nothing meanwhile', async () => {
    using world = createWorld();
    const script = 'exec </dev/null >/dev/null 2>&1; : > closed; until [ -e go ]; do sleep 0.05; done; exit 8';
    const id = await startDetached(world, '--', 'sh', '-c', script);
    await waitFor('it to close its terminal', () => exists(world, 'closed'));
    const { supervisor_pid: supervisor } = readRecord(world, id);
    const before = cpuTicks(supervisor);
    await runProgram(world, ['sleep', '1']);

    // Half of a second's ticks would be a loop that spins.
    expect(cpuTicks(supervisor) - before).toBeLessThan(50);
    expect(readRecord(world, id).status).toBe('running');
    fs.writeFileSync(join(world.project, 'go'), '');
    await untilStatus(world, id, 'exited');
    expect(readRecord(world, id).exit_code).toBe(8);
  });

  test('that floods 300 MB neither waits for anybody nor fills the memory', async () => {
    using world = createWorld();
    const script = 'head -c 300000000 /dev/zero | tr "\\0" "x"; echo done > flooded; exec cat';
    const id = await startDetached(world, '--', 'sh', '-c', script);
    const { supervisor_pid: supervisor } = readRecord(world, id);
    let peak = 0;
    await waitFor(
      'the flood to pass',
      () => {
        peak = Math.max(peak, pssKilobytes(supervisor));
        return exists(world, 'flooded');
      },
      100_000,
    );

    // That it is bounded, however much comes; how much it may be is a row of the bench.
    expect(peak).toBeLessThan(250_000);
    expect((await runNono(world, ['ps'])).stdout).toContain('running');
    await stopNow(world, id);
  }, 120_000);

  test.for([
    { how: 'on a terminal', words: ['--detached'] },
    { how: 'without one', words: [] },
  ])('that forks for ever is ended with all that it started, $how', async ({ words }) => {
    using world = createWorld();
    const script =
      'f() { trap "" TERM HUP INT; while :; do (setsid sh -c "trap \\"\\" TERM; sleep 0.2" &); done; }; f & f & : > forking; wait';
    const running = startNono(world, ['run', ...words, '--allow-cwd', '--name', 'bomb', '--', 'sh', '-c', script]);
    await waitFor('it to fork', () => exists(world, 'forking'));
    const record = fs.readdirSync(join(world.state, 'sessions')).find((name) => name.endsWith('.json')) ?? '';
    const id = record.slice(0, 6);
    await untilStatus(world, id, 'running');

    expect((await runNono(world, ['stop', '--timeout', '1', 'bomb'])).status).toBe(0);
    await running.ended;
    expect(processesOf(id)).toEqual([]);
  });
});

describe('a registry', () => {
  test('with records that are not what they should be shows the others, and names each of those', async () => {
    using world = createWorld();
    const good = await startDetached(world, '--', 'cat');
    const text = fs.readFileSync(recordPath(world, good), 'utf8');
    const as = (id: string) => text.replaceAll(good, id);
    const damaged: Readonly<Record<string, () => void>> = {
      aaaaa1: () => fs.writeFileSync(recordPath(world, 'aaaaa1'), ''),
      aaaaa2: () => fs.writeFileSync(recordPath(world, 'aaaaa2'), text.slice(0, -9)),
      aaaaa3: () => fs.writeFileSync(recordPath(world, 'aaaaa3'), as('aaaaa3').replace('"format": 1', '"format": 2')),
      aaaaa4: () => fs.writeFileSync(recordPath(world, 'aaaaa4'), text),
      aaaaa5: () => fs.symlinkSync(recordPath(world, good), recordPath(world, 'aaaaa5')),
      aaaaa6: () => fs.mkdirSync(recordPath(world, 'aaaaa6')),
      aaaaa7: () => execFileSync('mkfifo', [recordPath(world, 'aaaaa7')]),
      aaaaa8: () => fs.writeFileSync(recordPath(world, 'aaaaa8'), as('aaaaa8').replace('"running"', '"dancing"')),
      aaaaa9: () => fs.writeFileSync(recordPath(world, 'aaaaa9'), '[]'),
    };
    for (const make of Object.values(damaged)) make();

    const { status, stdout, stderr } = await runNono(world, ['ps', '--json']);
    expect({ status, ids: (JSON.parse(stdout) as { session_id: string }[]).map(({ session_id: id }) => id) }).toEqual({
      status: 0,
      ids: [good],
    });
    for (const id of Object.keys(damaged)) {
      expect(stderr).toContain(id);
      expect({ id, status: (await runNono(world, ['inspect', id])).status }).toEqual({ id, status: 3 });
    }
    expect((await runNono(world, ['prune'])).status).toBe(0);
    expect(Object.keys(damaged).every((id) => fs.lstatSync(recordPath(world, id), { throwIfNoEntry: false }) !== undefined)).toBe(
      true,
    );
    await stopNow(world, good);
  });

  test("with a record that is somebody else's, or cannot be read, shows the others", async (context) => {
    needOtherUser(context);
    using world = createWorld({ ordinaryUser: true });
    const ids = await Promise.all([1, 2, 3].map(() => startDetached(world, '--', 'cat')));
    const [good = '', foreign = '', closed = ''] = ids;
    fs.chownSync(recordPath(world, foreign), 0, 0);
    fs.chmodSync(recordPath(world, foreign), 0o644);
    fs.chmodSync(recordPath(world, closed), 0);

    const { status, stdout, stderr } = await runNono(world, ['ps', '--json']);
    expect({ status, ids: (JSON.parse(stdout) as { session_id: string }[]).map(({ session_id: id }) => id) }).toEqual({
      status: 0,
      ids: [good],
    });
    for (const id of [foreign, closed]) expect(stderr).toContain(id);
    for (const id of [foreign, closed]) fs.chownSync(recordPath(world, id), 65534, 65534);
    fs.chmodSync(recordPath(world, closed), 0o600);
    await stopNow(world, ...ids);
  });

  test('takes a pid that came round again for what it is', async () => {
    using world = createWorld();
    const id = await startDetached(world, '--', 'cat');
    const { supervisor_pid: supervisor, child_pid: child } = readRecord(world, id);
    process.kill(supervisor, 'SIGKILL');
    await untilGone(child);
    const text = fs.readFileSync(recordPath(world, id), 'utf8');
    // This process has the pid now, and started at another time.
    fs.writeFileSync(recordPath(world, id), text.replace(`"supervisor_pid": ${supervisor}`, `"supervisor_pid": ${process.pid}`));

    expect(JSON.parse((await runNono(world, ['ps', '--all', '--json'])).stdout)).toMatchObject([
      { session_id: id, status: 'lost' },
    ]);
    expect((await runNono(world, ['stop', '--force', id])).stderr).toContain('Nothing to do');
    expect((await runNono(world, ['prune'])).stdout).toBe(`${id}\n`);
  });

  test('leaves alone what belongs to another host', async () => {
    using world = createWorld();
    const id = await startDetached(world, '--', 'true');
    await untilStatus(world, id, 'exited');
    // It holds the lock on its record until it has ended itself.
    await untilGone(readRecord(world, id).supervisor_pid);
    const text = fs.readFileSync(recordPath(world, id), 'utf8').replace('"exited"', '"running"');
    fs.writeFileSync(recordPath(world, id), text.replace(/"host": "[^"]*"/, '"host": "elsewhere"'));

    expect(JSON.parse((await runNono(world, ['ps', '--all', '--json'])).stdout)).toMatchObject([{ status: 'unknown' }]);
    for (const verb of ['stop', 'wait'])
      expect(await runNono(world, [verb, id])).toMatchObject({ status: 1, stderr: expect.stringContaining('E_OTHER_HOST') });
    expect((await runNono(world, ['prune'])).stdout).toBe('');
  });
});
