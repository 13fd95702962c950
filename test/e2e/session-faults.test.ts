import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fill } from '../support/full-disk.ts';
import { mountTmpfs } from '../support/mount.ts';
import { runNono, runProgram, startNono } from '../support/nono.ts';
import { startOnTerminal } from '../support/raw-terminal.ts';
import { isAlive, readRecord, startDetached, startScript, untilGone, untilStatus } from '../support/sessions.ts';
import { openTerminal } from '../support/tmux.ts';
import { needCommands } from '../support/tools.ts';
import { waitFor } from '../support/wait.ts';
import { canBecomeOrdinaryUser, createWorld, type World } from '../support/world.ts';

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
    using _ = mountTmpfs(context, world.state, 'size=400000');
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
    using _ = mountTmpfs(context, world.state, 'size=600000');
    const id = await startScript(world, 'while read -r line; do echo "$line" >> heard; done; exit 5');
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
    using _ = mountTmpfs(context, world.state, 'size=600000');
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
    using terminal = startOnTerminal(world, ['attach', id]);
    const asked = [
      ['send', id, 'x'],
      ['screen', id],
      ['logs', id],
      ['rename', id, 'other'],
    ].map((words) => runNono(world, words));
    for (const outcome of await Promise.all(asked))
      expect(outcome).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining('E_NO_ANSWER') });
    expect(await terminal.ended).toBe(255);
    await waitFor('what it says', () => terminal.output().includes(`kill -CONT ${supervisor}`));
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
    const id = await startScript(world, 'while :; do echo x; sleep 0.1; done');
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

describe('a user who may have no more processes', () => {
  test('is told the limit by a start', async (context) => {
    needCommands(context, 'strace');
    using world = createWorld();
    const fault = ['strace', '-f', '-o', '/dev/null', '-e', 'trace=vfork', '-e', 'inject=vfork:error=EAGAIN'] as const;
    const { stderr, status } = await runProgram(world, [
      ...fault,
      world.executable,
      'run',
      '--detached',
      '--allow-cwd',
      '--',
      'true',
    ]);
    expect(stderr).toMatch(/^Error: Cannot start a process \[E_SYSTEM\]\nCaused by: posix_spawn: EAGAIN\nHint: .*ulimit -u\n$/);
    expect(status).toBe(125);
  });
});

describe.runIf(canBecomeOrdinaryUser())('a wrap by a user who may have few processes', () => {
  test('begins no command without a mediator', async (context) => {
    needCommands(context, 'prlimit');
    // Of nobody else: the limit counts all processes and threads of a user.
    const uid = 1_987_654_321;
    using world = createWorld({ ordinaryUser: true, uid });
    fs.writeFileSync(join(world.project, 'f'), '');
    fs.chownSync(join(world.project, 'f'), uid, uid);
    const said: string[] = [];
    // How many threads the runtime has by then differs from one start to the next, and with it what the limit is in the way of: of those as well.
    for (const limit of [...Array.from({ length: 40 }, (_, at) => 3 + (at % 5)), 50]) {
      const words = ['prlimit', `--nproc=${limit}`, world.executable, 'wrap', '--allow-cwd', '--', 'chmod', '600', 'f'] as const;
      const { status, stderr } = await runProgram(world, words);
      said.push(status === 0 ? 'done' : stderr);
    }

    expect(said.filter((text) => text.includes('Function not implemented'))).toEqual([]);
    expect(said.filter((text) => text.includes('Caused by: clone: EAGAIN'))).not.toEqual([]);
    expect(said.at(-1)).toBe('done');
  });
});

describe('more clients than descriptors', () => {
  test('are turned away, the session goes on, and there is room again when they have gone', async () => {
    using world = createWorld();
    const limited = 'ulimit -n 64; exec "$0" run --detached --allow-cwd -- sh -c "echo begun; cat"';
    const { stdout } = await runProgram(world, ['sh', '-c', limited, world.executable]);
    const id = /[0-9a-f]{6}/.exec(stdout)?.[0] ?? '';
    const pid = readRecord(world, id).supervisor_pid;
    const follower = startNono(world, ['logs', '-f', id]);
    await waitFor('the follower to be there', () => follower.stdout().includes('begun'));
    const clients = Array.from({ length: 100 }, () => connect(join(world.state, 'sessions', `${id}.sock`)));
    // Turned away is one that hears of it; the first ones wait until they say who they are.
    await Promise.race(clients.map((client) => new Promise((resolve) => client.once('data', resolve))));

    const refused = expect.stringMatching(/^Error: .* no descriptors left for one more client.* \[E_REFUSED\]/) as unknown;
    await waitFor('no room', async () => (await runNono(world, ['send', id, 'one'])).status !== 0);
    expect(await runNono(world, ['send', id, 'one'])).toMatchObject({ status: 1, stderr: refused });
    // With none left the kernel says of each that waits that it is there, and the runtime cannot take it: a core is lost.
    expect(fs.readdirSync(`/proc/${pid}/fd`).length).toBeLessThan(60);
    for (const client of clients) client.destroy();
    await waitFor('room', async () => (await runNono(world, ['send', id, '--enter', 'two'])).status === 0);
    await waitFor('the follower to see it', () => /two\n/.test(follower.stdout()));
    expect(await stopNow(world, id)).toMatchObject({ status: 0, stdout: `${id}\n` });
    expect((await follower.ended).status).toBe(0);
  });

  test('are none where so few are allowed that nobody could attach', async () => {
    using world = createWorld();
    const limited = 'ulimit -n 30; exec "$0" run --detached --allow-cwd -- true';
    const { stderr, status } = await runProgram(world, ['sh', '-c', limited, world.executable]);
    expect({ stderr, status }).toMatchObject({ status: 125, stderr: expect.stringMatching(/EMFILE\nHint: .*ulimit/) as unknown });
  });
});

describe('a client that is stopped by a signal', () => {
  test('delays nothing, and sees the end when it goes on', async (context) => {
    needCommands(context, 'tmux');
    using world = createWorld();
    const script = 'stty -echo; read -r line; seq 300000; echo all > written; echo the end; read -r line; exit 6';
    const id = await startScript(world, script);
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

describe('a client that is stopped when the session ends', () => {
  test('says when it goes on how that ended, though it has missed the end', async () => {
    using world = createWorld();
    const id = await startScript(world, 'stty -echo; read -r line; seq 2000000; exit 6');
    const { supervisor_pid: supervisor } = readRecord(world, id);
    using terminal = startOnTerminal(world, ['attach', id]);
    await waitFor('the client', () => readRecord(world, id).attachment === 'attached');
    process.kill(terminal.pid, 'SIGSTOP');
    await runNono(world, ['send', id, '--enter']);
    await untilStatus(world, id, 'exited');
    await untilGone(supervisor);

    process.kill(terminal.pid, 'SIGCONT');

    expect(await terminal.ended).toBe(6);
    await waitFor('what it says', () => terminal.output().includes(`nono logs ${id}`));
  });
});

describe('a command', () => {
  test('that closes its terminal and goes on is running until it ends, and costs nothing meanwhile', async () => {
    using world = createWorld();
    const script = 'exec </dev/null >/dev/null 2>&1; : > closed; until [ -e go ]; do sleep 0.05; done; exit 8';
    const id = await startScript(world, script);
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
    const id = await startScript(world, script);
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
