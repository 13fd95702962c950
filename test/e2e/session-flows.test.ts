import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runNono, runProgram } from '../support/nono.ts';
import { isAlive, readRecord, startDetached, untilGone, untilStatus } from '../support/sessions.ts';
import { openTerminal, type Terminal } from '../support/tmux.ts';
import { needCommands } from '../support/tools.ts';
import { waitFor } from '../support/wait.ts';
import { createWorld, type World } from '../support/world.ts';

/** Without a history file, which it would write into a home that is being removed. */
const BASH = { command: ['bash', '--norc', '--noprofile', '-i'], environment: { HISTFILE: '' } };

async function enter(terminal: Terminal, line: string): Promise<void> {
  await terminal.type(line);
  await terminal.press('Enter');
}

const untilAttached = (world: World, id: string, attachment = 'attached') =>
  waitFor(`session ${id} to be ${attachment}`, () => readRecord(world, id).attachment === attachment, 20_000);

async function onlyId(world: World): Promise<string> {
  return await waitFor('a session', async () => {
    const sessions = JSON.parse((await runNono(world, ['ps', '--json'])).stdout) as { session_id: string; status: string }[];
    return sessions[0]?.status === 'running' && sessions[0].session_id;
  });
}

describe('a job that runs for long', () => {
  test('started in the background, listed, looked at, left, and stopped', async (context) => {
    needCommands(context, 'tmux', 'bash', '/usr/bin/vim');
    using world = createWorld();
    writeFileSync(join(world.project, 'notes'), 'first line\n');
    await using terminal = await openTerminal(world, BASH);
    await enter(terminal, `${world.executable} run --detached --name editing --allow-cwd -- /usr/bin/vim -u NONE -i NONE notes`);
    await terminal.waitFor(/Started detached session [0-9a-f]{6}\.\nAttach with: nono attach/);
    const id = await onlyId(world);
    await enter(terminal, `clear; ${world.executable} ps`);
    await terminal.waitFor(new RegExp(`${id} +editing +running +detached`));

    for (const line of ['second', 'third']) {
      await enter(terminal, `clear; ${world.executable} attach editing`);
      await untilAttached(world, id);
      await terminal.waitFor(/^first line/m);
      await terminal.type(`Go${line}`);
      await terminal.press('Escape');
      await terminal.waitFor(line);
      await terminal.press('C-]', 'd');
      await terminal.waitFor(/Detached from session/);
      await untilAttached(world, id, 'detached');
    }
    await runNono(world, ['send', id, ':w', '--enter']);
    await waitFor('the file', () => readFileSync(join(world.project, 'notes'), 'utf8') === 'first line\nsecond\nthird\n');
    await enter(terminal, `clear; ${world.executable} stop editing; echo stopped $?`);
    await terminal.waitFor(/stopped 0/);

    expect(readRecord(world, id)).toMatchObject({ status: 'exited' });
    expect((await runNono(world, ['ps', '--json'])).stdout).toBe('[]\n');
  });

  test('started in the foreground, left, the shell used meanwhile, and joined again', async (context) => {
    needCommands(context, 'tmux', 'bash', 'less');
    using world = createWorld();
    writeFileSync(join(world.project, 'book'), Array.from({ length: 300 }, (_, at) => `line ${at + 1}`).join('\n'));
    await using terminal = await openTerminal(world, BASH);
    await enter(terminal, `${world.executable} run --allow-cwd -- less book; echo ended $?`);
    await terminal.waitFor(/^line 1$/m);
    const id = await onlyId(world);
    await terminal.press('Space');
    await terminal.waitFor(/^line 30$/m);

    await terminal.press('C-]', 'd');
    await terminal.waitFor(/ended 0/);
    await enter(terminal, 'clear; echo between $((20 + 3)); stty -a | grep -c " icanon"');
    await terminal.waitFor(/between 23\n1/);
    await enter(terminal, `clear; ${world.executable} attach ${id}; echo ended $?`);
    await terminal.waitFor(/^line 30$/m);
    await terminal.press('q');

    await terminal.waitFor(/ended 0/);
    await untilStatus(world, id, 'exited');
  });

  test('found again among others, looked into, and joined, when the terminal was lost', async (context) => {
    needCommands(context, 'tmux', 'bash');
    using world = createWorld();
    await startDetached(world, '--name', 'other', '--', 'cat');
    {
      await using lost = await openTerminal(world, BASH);
      await enter(lost, `${world.executable} run --name lost-one --allow-cwd -- bash --norc --noprofile -i`);
      await waitFor('it to run', async () => (await runNono(world, ['ps'])).stdout.includes('lost-one'));
      await enter(lost, 'cd /; echo $$ > ' + join(world.project, 'pid'));
      await waitFor('the shell', () => existsSync(join(world.project, 'pid')));
    }
    await waitFor('the hang-up', async () => !(await runNono(world, ['ps'])).stdout.includes('attached'));

    await using terminal = await openTerminal(world, { ...BASH, columns: 120 });
    await enter(terminal, `${world.executable} ps`);
    await terminal.waitFor(/lost-one +running +detached/);
    await enter(terminal, `clear; ${world.executable} inspect lost-one | head -5`);
    await terminal.waitFor(/^Name: +lost-one\nStatus: +running/m);
    await enter(terminal, `clear; ${world.executable} attach lost-one; echo ended $?`);
    await waitFor('the terminal', async () => (await runNono(world, ['ps'])).stdout.includes('attached'));
    await enter(terminal, 'echo still in $PWD; exit 7');
    await terminal.waitFor(/ended 7/);
    await runNono(world, ['stop', '--force', 'other']);
  });

  test('whose supervisor was killed is shown as lost, and pruned', async (context) => {
    needCommands(context, 'tmux');
    using world = createWorld();
    const id = await startDetached(world, '--name', 'broken', '--', 'sleep', '1000');
    const { supervisor_pid: supervisor, child_pid: child } = readRecord(world, id);
    process.kill(supervisor, 'SIGKILL');
    await untilGone(child);

    expect((await runNono(world, ['ps', '--all'])).stdout).toMatch(/broken +lost/);
    expect((await runNono(world, ['inspect', 'broken'])).stdout).toMatch(/^Status: +lost$/m);
    expect((await runNono(world, ['attach', 'broken'])).status).toBe(255);
    expect((await runNono(world, ['run', '--allow-cwd', '--name', 'broken', '--', 'true'])).status).toBe(0);
    expect((await runNono(world, ['prune'])).stdout).toContain(id);
  });
});

describe('job control in a session', () => {
  test('bash stops, lists and goes on with its jobs, git commits with an editor', async (context) => {
    needCommands(context, 'tmux', 'bash', 'git', '/usr/bin/vim');
    using world = createWorld();
    execFileSync('git', ['init', '-q', '.'], { cwd: world.project });
    writeFileSync(join(world.project, 'file'), 'content\n');
    const id = await startDetached(world, '--', 'env', 'PS1=in> ', 'bash', '--norc', '--noprofile', '-i');
    await using terminal = await openTerminal(world, { ...BASH, columns: 100 });
    await enter(terminal, `${world.executable} attach ${id}; echo ended $?`);
    await untilAttached(world, id);
    await enter(terminal, 'sleep 1000');
    await waitFor('the job', async () => (await terminal.screen()).includes('sleep 1000'));
    await terminal.press('C-z');
    await terminal.waitFor(/Stopped +sleep 1000/);
    await enter(terminal, 'bg; jobs; kill %1; wait; echo no jobs');
    await terminal.waitFor(/Running +sleep 1000[^]*no jobs/);

    const git = "git -c user.name=a -c user.email=a@b -c core.editor='vim -u NONE -i NONE'";
    await enter(terminal, `clear; git add file; ${git} commit`);
    await terminal.waitFor(/Please enter the commit message/);
    await terminal.type('iby hand');
    await terminal.press('Escape');
    await enter(terminal, ':wq');
    await terminal.waitFor(/1 file changed/);
    await enter(terminal, 'exit 3');
    await terminal.waitFor(/ended 3/);
    const log = execFileSync('git', ['log', '--format=%s'], { cwd: world.project, encoding: 'utf8' });
    expect(log).toBe('by hand\n');
  });
});

describe('nono run without a terminal', () => {
  test('gives the command a signal of the terminal once', async (context) => {
    needCommands(context, 'script', 'bash');
    using world = createWorld();
    const counter =
      'n=0; trap "n=\\$((n + 1))" INT; echo up; until [ $n -gt 0 ]; do sleep 0.05; done; sleep 0.3; echo caught $n > caught';
    writeFileSync(join(world.project, 'count.sh'), counter.replaceAll('\\$', '$'));
    // Stdout is a pipe, stdin and the controlling terminal are script's.
    const inner = `${world.executable} run --allow-cwd -- bash count.sh | cat`;
    await using terminal = await openTerminal(world, BASH);
    await enter(terminal, `script -qc '${inner}' /dev/null; echo ended`);
    await terminal.waitFor(/^up$/m);

    await terminal.press('C-c');

    // The pipe's reader has died of it, as without nono: what the counter saw is in a file.
    await waitFor(
      'the count',
      () => existsSync(join(world.project, 'caught')) && readFileSync(join(world.project, 'caught'), 'utf8') === 'caught 1\n',
    );
  });

  test('gives tee every byte, and the status of the command through a pipe', async (context) => {
    needCommands(context, 'bash');
    using world = createWorld();
    writeFileSync(join(world.project, 'noise'), Buffer.from(Array.from({ length: 70_000 }, (_, at) => (at * 7919) & 0xff)));
    const pipe = `"$0" run --allow-cwd -- sh -c "cat noise; echo err >&2; exit 4" 2>errors | tee log >/dev/null; echo \${PIPESTATUS[0]}`;
    const { stdout } = await runProgram(world, ['bash', '-c', pipe, world.executable]);

    expect(stdout).toBe('4\n');
    expect(readFileSync(join(world.project, 'log')).equals(readFileSync(join(world.project, 'noise')))).toBe(true);
    expect(readFileSync(join(world.project, 'errors'), 'utf8')).toBe('err\n');
  });

  test('lets less read a pipe and the keys of the terminal', async (context) => {
    needCommands(context, 'tmux', 'bash', 'less');
    using world = createWorld();
    await using terminal = await openTerminal(world, BASH);
    await enter(terminal, `seq 500 | ${world.executable} run --allow-cwd -- less; echo ended $?`);
    await terminal.waitFor(/^1\n2\n/);
    await terminal.press('G');
    await terminal.waitFor(/^500$/m);
    await terminal.press('q');

    await terminal.waitFor(/ended 0/);
  });

  test('leaves nothing running when its reader goes away', async () => {
    using world = createWorld();
    const { stdout } = await runProgram(world, [
      'sh',
      '-c',
      '"$0" run --allow-cwd -- sh -c "echo $$ > pid; yes" | head -1',
      world.executable,
    ]);

    expect(stdout).toBe('y\n');
    expect((await runNono(world, ['ps', '--json'])).stdout).toBe('[]\n');
    expect(existsSync(join(world.project, 'pid')) && isAlive(Number(readFileSync(join(world.project, 'pid'), 'latin1')))).toBe(
      false,
    );
  });
});
