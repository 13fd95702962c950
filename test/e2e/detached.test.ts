import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runNono, runProgram } from '../support/nono.ts';
import { isAlive, readRecord, startDetached, startScript, untilGone, untilStatus } from '../support/sessions.ts';
import { needOtherUser } from '../support/tools.ts';
import { waitFor } from '../support/wait.ts';
import { createWorld } from '../support/world.ts';

describe('nono run --detached', () => {
  test('prints two lines, and the command goes on with a terminal, a record and a socket of its own', async () => {
    using world = createWorld();
    const id = await startScript(world, 'stty size > size; tty -s && echo yes > tty; cat');

    const { status, attachment, child_pid: child, supervisor_pid: supervisor } = readRecord(world, id);
    expect({ status, attachment }).toEqual({ status: 'running', attachment: 'detached' });
    expect(readdirSync(join(world.state, 'sessions')).toSorted()).toEqual([`${id}.events.jsonl`, `${id}.json`, `${id}.sock`]);
    await waitFor('the command to look', () => existsSync(join(world.project, 'tty')));
    expect(readFileSync(join(world.project, 'size'), 'latin1')).toBe('24 80\n');

    process.kill(supervisor, 'SIGTERM');
    await untilGone(supervisor);
    expect(isAlive(child)).toBe(false);
    expect(readRecord(world, id)).toMatchObject({ status: 'exited', exit_code: 143, signal: 'SIGTERM' });
    // One that ended before anything was on its screen has none.
    const left = readdirSync(join(world.state, 'sessions')).filter((name) => !name.endsWith('.screen.json'));
    expect(left.toSorted()).toEqual([`${id}.events.jsonl`, `${id}.json`]);
  });

  test('counts a command that ends at once as started, and records how it ended', async () => {
    using world = createWorld();
    const id = await startScript(world, 'exit 7');

    await untilStatus(world, id, 'exited');
    expect(readRecord(world, id)).toMatchObject({ exit_code: 7, signal: null, attachment: 'detached' });
  });

  test('works for an ordinary user', async (context) => {
    needOtherUser(context);
    using world = createWorld({ ordinaryUser: true });
    const id = await startScript(world, 'id -u > uid');

    await untilStatus(world, id, 'exited');
    expect(readFileSync(join(world.project, 'uid'), 'latin1')).toBe('65534\n');
  });

  test.for([
    { what: 'a command that is nowhere', words: ['--', 'no-such-command'], status: 127, code: 'E_COMMAND_NOT_FOUND' },
    { what: 'a file that cannot be executed', words: ['--', './text'], status: 126, code: 'E_CANNOT_EXECUTE' },
    { what: 'a name that is none', words: ['--name', '../x', '--', 'true'], status: 2, code: 'E_USAGE' },
  ])('says why on stderr and leaves nothing behind for $what', async ({ words, status, code }) => {
    using world = createWorld();
    writeFileSync(join(world.project, 'text'), 'no program', { mode: 0o644 });
    const outcome = await runNono(world, ['run', '--detached', '--allow-cwd', ...words]);

    expect(outcome.stdout).toBe('');
    expect(outcome.stderr).toContain(`[${code}]`);
    expect(outcome.status).toBe(status);
    const sessions = join(world.state, 'sessions');
    await waitFor('nothing to be left', () => !existsSync(sessions) || readdirSync(sessions).length === 0);
  });

  test('names the session that goes on where nobody could be told of it', async () => {
    using world = createWorld();
    const script = '"$1" run --detached --allow-cwd -- cat >/dev/full';
    const { status, stderr } = await runProgram(world, ['sh', '-c', script, 'sh', world.executable]);

    expect(status).toBe(125);
    const [, id = ''] = /\[E_OUTPUT\][^]*nono stop (\S+)`\n$/.exec(stderr) ?? [];
    expect(await runNono(world, ['stop', id])).toMatchObject({ status: 0, stdout: `${id}\n` });
  });

  test('refuses the name of a live session, and gives it away once that has ended', async () => {
    using world = createWorld();
    const first = await startDetached(world, '--name', 'mine', '--', 'cat');
    const second = await runNono(world, ['run', '--detached', '--allow-cwd', '--name', 'mine', '--', 'true']);
    expect({ status: second.status, isNamed: second.stderr.includes('[E_NAME_TAKEN]') }).toEqual({ status: 125, isNamed: true });

    process.kill(readRecord(world, first).supervisor_pid, 'SIGTERM');
    await untilStatus(world, first, 'exited');
    await startDetached(world, '--name', 'mine', '--', 'true');
  });

  test('leaves nothing of the tree when the supervisor is killed, whatever it did to get away', async () => {
    using world = createWorld();
    const away = "trap '' TERM HUP INT; echo $$ > $0; while :; do sleep 1000; done";
    const script = `trap '' TERM HUP; setsid sh -c "${away.replaceAll('$', '\\$')}" away & (sh -c "${away.replaceAll('$', '\\$')}" forked &) ; wait`;
    const id = await startScript(world, script);
    const pids = await Promise.all(
      ['away', 'forked'].map((name) =>
        waitFor(name, () => {
          const path = join(world.project, name);
          const pid = existsSync(path) ? Number(readFileSync(path, 'latin1')) : 0;
          return pid > 0 && pid;
        }),
      ),
    );
    const { child_pid: child, supervisor_pid: supervisor } = readRecord(world, id);

    process.kill(supervisor, 'SIGKILL');

    for (const pid of [child, ...pids]) await untilGone(pid);
    expect(readRecord(world, id).status).toBe('running');
  });

  test('ends what the command left behind together with the command', async () => {
    using world = createWorld();
    const id = await startScript(world, "setsid sh -c 'echo $$ > left; exec sleep 1000' & while ! [ -s left ]; do :; done");

    await untilStatus(world, id, 'exited');
    expect(isAlive(Number(readFileSync(join(world.project, 'left'), 'latin1')))).toBe(false);
    expect(readRecord(world, id)).toMatchObject({ exit_code: 0, signal: null });
  });

  test('takes the snapshots that make it undone', async () => {
    using world = createWorld();
    writeFileSync(join(world.project, 'kept'), 'before\n');
    const { status, stderr } = await runNono(world, [
      'run',
      '--detached',
      '--rollback',
      '--allow-cwd',
      '--',
      'sh',
      '-c',
      'echo after > kept',
    ]);
    expect({ status, isTracked: stderr.includes('Tracking') }).toEqual({ status: 0, isTracked: true });
    await waitFor('the end', async () => (await runNono(world, ['rollback', 'list'])).stdout.includes('~1 modified'));

    await runNono(world, ['rollback', 'restore', 'latest']);

    expect(readFileSync(join(world.project, 'kept'), 'latin1')).toBe('before\n');
  });
});
