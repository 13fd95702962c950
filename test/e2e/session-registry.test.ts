import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runNono, runProgram } from '../support/nono.ts';
import { isAlive, readRecord, recordPath, startDetached, startScript, untilGone, untilStatus } from '../support/sessions.ts';
import { openTerminal } from '../support/tmux.ts';
import { needCommands, needOtherUser } from '../support/tools.ts';
import { waitFor } from '../support/wait.ts';
import { createWorld, type World } from '../support/world.ts';

const stopNow = (world: World, ...ids: readonly string[]) => runNono(world, ['stop', '--force', ...ids]);

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
    expect(fs.existsSync(join(world.project, 'proof'))).toBe(false);
    expect(fs.readdirSync(sessions)).toEqual(before);
    expect(fs.readdirSync(join(world.state, 'names'))).toEqual([]);
  });

  test('that cannot be read or written refuses what is asked of a session, and costs nobody the session', async (context) => {
    needOtherUser(context);
    using world = createWorld({ ordinaryUser: true });
    const id = await startScript(world, 'echo first; exec sleep 1000');
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

  test('knows a session that was lost in a container of this machine for lost', async (context) => {
    needCommands(context, 'unshare', 'hostname');
    needOtherUser(context);
    using world = createWorld();
    const within = ['unshare', '--uts', 'sh', '-c', 'hostname container-4711 && exec "$@"', 'sh', world.executable] as const;
    const words = ['run', '--detached', '--rollback', '--allow-cwd', '--', 'sleep', '1000'];
    const { stdout } = await runProgram(world, [...within, ...words]);
    const [id = ''] = /[0-9a-f]{6}/.exec(stdout) ?? [];
    const { supervisor_pid: supervisor, child_pid: child, host } = readRecord(world, id);
    expect(host).toBe('container-4711');
    expect(JSON.parse((await runNono(world, ['ps', '--json'])).stdout)).toMatchObject([{ session_id: id, status: 'running' }]);
    process.kill(supervisor, 'SIGKILL');
    await untilGone(child);

    expect(JSON.parse((await runNono(world, ['ps', '--all', '--json'])).stdout)).toMatchObject([
      { session_id: id, status: 'lost' },
    ]);
    // Its paths were those of the container.
    expect(JSON.parse((await runNono(world, ['rollback', 'list', '--json'])).stdout)).toMatchObject([{ status: 'unknown' }]);
    expect((await runNono(world, ['prune'])).stdout).toBe(`${id}\n`);
  });

  test('leaves alone what belongs to another host', async (context) => {
    needCommands(context, 'tmux');
    using world = createWorld();
    const id = await startDetached(world, '--', 'true');
    await untilStatus(world, id, 'exited');
    // It holds the lock on its record until it has ended itself.
    await untilGone(readRecord(world, id).supervisor_pid);
    const text = fs.readFileSync(recordPath(world, id), 'utf8').replace('"exited"', '"running"');
    const foreign = text.replace(/"host": "[^"]*"/, '"host": "elsewhere"').replace(/"boot_id": "[^"]*"/, '"boot_id": "another"');
    fs.writeFileSync(recordPath(world, id), foreign);

    expect(JSON.parse((await runNono(world, ['ps', '--all', '--json'])).stdout)).toMatchObject([{ status: 'unknown' }]);
    for (const words of [['stop'], ['wait'], ['detach'], ['send', '--enter'], ['rename']]) {
      const outcome = await runNono(world, [...words, id, ...(words[0] === 'rename' ? ['other'] : [])]);
      const stderr = expect.stringMatching(/it runs on another host \[E_OTHER_HOST\]\nHint: Do that on elsewhere\n/);
      expect({ words, ...outcome }).toMatchObject({ words, status: 1, stderr });
    }
    await using terminal = await openTerminal(world);
    for (const option of ['', '--view']) {
      await terminal.type(`clear; ${world.executable} attach ${option} ${id}; echo status $?`);
      await terminal.press('Enter');
      expect(await terminal.waitFor(/status 255/)).toContain('it runs on another host');
    }
    expect((await runNono(world, ['prune'])).stdout).toBe('');
  });

  test('leaves alone the process that has, outside of a container, the pid of a supervisor in it', async () => {
    using world = createWorld();
    const id = await startDetached(world, '--', 'sleep', '1000');
    const { supervisor_pid: supervisor } = readRecord(world, id);
    const other = await startDetached(world, '--', 'sleep', '1000');
    const innocent = readRecord(world, other).child_pid;
    process.kill(supervisor, 'SIGSTOP');
    try {
      // In its place, so that the lock stays: as a container's record is seen from around it.
      const text = fs.readFileSync(recordPath(world, id), 'utf8').replace(/"pid_namespace": \d+/, '"pid_namespace": 1');
      fs.writeFileSync(recordPath(world, id), text.replace(`"supervisor_pid": ${supervisor}`, `"supervisor_pid": ${innocent}`));

      expect(JSON.parse((await runNono(world, ['inspect', id, '--json'])).stdout)).toMatchObject({ status: 'running' });
      expect(await runNono(world, ['stop', '--force', id])).toMatchObject({
        status: 1,
        stdout: '',
        stderr: expect.stringContaining('runs in another pid namespace'),
      });
      fs.rmSync(join(world.state, 'sessions', `${id}.sock`));
      expect(await runNono(world, ['stop', id])).toMatchObject({ status: 1, stdout: '' });
      expect(isAlive(innocent)).toBe(true);
    } finally {
      process.kill(supervisor, 'SIGKILL');
      await stopNow(world, other);
    }
  });
});
