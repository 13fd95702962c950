import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runNono, startNono } from '../support/nono.ts';
import { isAlive, readRecord, recordPath, startDetached, startScript, untilGone, untilStatus } from '../support/sessions.ts';
import { waitFor } from '../support/wait.ts';
import { createWorld, type World } from '../support/world.ts';

const json = async (world: World, ...words: readonly string[]): Promise<unknown> =>
  JSON.parse((await runNono(world, [...words, '--json'])).stdout);

/** The id of the only session, once its command runs. */
const onlySession = (world: World): Promise<string> =>
  waitFor('a session that runs', () => {
    const directory = join(world.state, 'sessions');
    const file = existsSync(directory) ? readdirSync(directory).find((name) => /^[0-9a-f]{6}\.json$/.test(name)) : undefined;
    const id = file?.slice(0, 6);
    return id !== undefined && readRecord(world, id).status === 'running' && id;
  });

const stopAll = (world: World, ...ids: readonly string[]) => runNono(world, ['stop', '--force', ...ids]);

describe('nono stop', () => {
  test('ends the whole tree of several sessions, and has nothing to do the second time', async () => {
    using world = createWorld();
    const ids = await Promise.all([1, 2].map(() => startScript(world, 'sleep 1000 & setsid sleep 1000 & wait')));
    const pids = ids.map((id) => readRecord(world, id).child_pid);

    const { status, stdout } = await runNono(world, ['stop', ...ids]);

    expect({ status, lines: stdout.trimEnd().split('\n').toSorted() }).toEqual({ status: 0, lines: ids.toSorted() });
    for (const pid of pids) expect(isAlive(pid)).toBe(false);
    for (const id of ids) expect(readRecord(world, id)).toMatchObject({ status: 'exited', signal: 'SIGTERM', exit_code: 143 });
    expect(readdirSync(join(world.state, 'sessions')).filter((name) => name.endsWith('.sock'))).toEqual([]);
    const again = await runNono(world, ['stop', ids[0] ?? '']);
    expect({ status: again.status, isSaid: again.stderr.includes('Nothing to do') }).toEqual({ status: 0, isSaid: true });
  });

  test.for([
    { what: 'that takes no more clients', version: 1, code: 'refused' },
    { what: 'that speaks another version of the protocol', version: 2, code: 'protocol' },
  ])('ends the session of a supervisor $what', async ({ version, code }) => {
    using world = createWorld();
    const id = await startDetached(world, '--', 'sleep', '1000');
    const socket = join(world.state, 'sessions', `${id}.sock`);
    rmSync(socket);
    const payload = Buffer.from(JSON.stringify({ code, message: 'no' }));
    const frame = Buffer.concat([Buffer.from([version, 20, 0, 0, payload.length, 0, 0, 0]), payload]);
    await using server = createServer((connection) =>
      connection
        .on('error', () => undefined)
        .resume()
        .end(frame),
    );
    await new Promise<void>((resolve) => server.listen(socket, resolve));

    // Nobody is told that it has ended.
    const { status, stderr } = await runNono(world, ['send', id, 'x']);
    expect({ status, isRefused: /E_REFUSED|E_NO_ANSWER/.test(stderr) }).toEqual({ status: 1, isRefused: true });
    expect(await runNono(world, ['stop', id])).toMatchObject({ status: 0, stdout: `${id}\n` });
    expect(readRecord(world, id)).toMatchObject({ status: 'exited', signal: 'SIGTERM' });
  });

  test('reaches a session that writes what takes minutes to be drawn, and leaves it its end', async () => {
    using world = createWorld();
    // Each of a few bytes moves all rows of the screen.
    writeFileSync(join(world.project, 'rows'), 'x\x1b[9999L'.repeat(100_000));
    const id = await startScript(world, 'while :; do cat rows; done');
    const log = join(world.state, 'sessions', `${id}.log`);
    await waitFor('the flood', () => existsSync(log) && statSync(log).size > 1024 * 1024);

    expect(await runNono(world, ['send', id, 'x'])).toMatchObject({ status: 0, stderr: '' });
    expect(await runNono(world, ['stop', id])).toMatchObject({ status: 0, stdout: `${id}\n` });
    expect(readRecord(world, id)).toMatchObject({ status: 'exited', signal: 'SIGTERM' });
  });

  test('kills what ignores SIGTERM once its time is up, and at once with --force', async () => {
    using world = createWorld();
    const script = "trap '' TERM; : > ready; while :; do sleep 1000; done";
    for (const words of [['--timeout', '1'], ['--force']]) {
      const id = await startScript(world, script);
      await waitFor('the trap', () => existsSync(join(world.project, 'ready')));
      await runNono(world, ['stop', ...words, id]);
      expect(readRecord(world, id)).toMatchObject({ status: 'exited', signal: 'SIGKILL', exit_code: 137 });
    }
  });

  test('works on a session that was stopped by a signal, which prune leaves alone', async () => {
    using world = createWorld();
    const id = await startDetached(world, '--', 'sleep', '1000');
    process.kill(readRecord(world, id).child_pid, 'SIGSTOP');
    await untilStatus(world, id, 'paused');

    expect((await runNono(world, ['prune'])).stdout).toBe('');
    expect(await json(world, 'ps')).toMatchObject([{ session_id: id, status: 'paused' }]);
    await runNono(world, ['stop', id]);
    expect(readRecord(world, id)).toMatchObject({ status: 'exited', signal: 'SIGTERM' });
  });

  test('kills a supervisor that does not answer', async () => {
    using world = createWorld();
    const id = await startDetached(world, '--', 'sleep', '1000');
    const { supervisor_pid: supervisor, child_pid: child } = readRecord(world, id);
    process.kill(supervisor, 'SIGSTOP');

    expect((await runNono(world, ['stop', '--force', id])).status).toBe(0);
    await untilGone(child);
    expect(await json(world, 'ps', '--all')).toMatchObject([{ session_id: id, status: 'lost' }]);
  });

  test('ends a session that has no terminal too, with all that ignores SIGTERM or got away from its parent', async () => {
    using world = createWorld();
    const script = `trap '' TERM; setsid sh -c 'trap "" TERM; echo $$ > left; while :; do sleep 1000; done' & while :; do sleep 1000; done`;
    const running = startNono(world, ['run', '--allow-cwd', '--name', 'plain', '--', 'sh', '-c', script]);
    const id = await onlySession(world);
    await waitFor('its socket', () => existsSync(join(world.state, 'sessions', `${id}.sock`)));
    await waitFor('the descendant', () => existsSync(join(world.project, 'left')));

    expect((await runNono(world, ['send', 'plain', 'x'])).status).toBe(1);
    const attached = await runNono(world, ['attach', 'plain']);
    expect(attached).toMatchObject({ status: 255, stderr: expect.stringContaining('on the streams of its caller') });
    expect((await runNono(world, ['rename', 'plain', 'other'])).status).toBe(0);
    expect(await json(world, 'stop', '--timeout', '1', 'other')).toEqual({ sessions: [{ session_id: id, result: 'stopped' }] });
    expect((await running.ended).status).toBe(137);
    expect(readRecord(world, id)).toMatchObject({ status: 'exited', signal: 'SIGKILL', exit_code: 137 });
    expect(isAlive(Number(readFileSync(join(world.project, 'left'), 'latin1')))).toBe(false);
    expect(existsSync(join(world.state, 'sessions', `${id}.sock`))).toBe(false);
  });

  test.for([{ ending: 'is killed' }, { ending: 'ends by itself' }])(
    'leaves nothing of a session without a terminal that $ending',
    async ({ ending }) => {
      using world = createWorld();
      const script = `(setsid sh -c 'echo $$ > left; exec sleep 1000' </dev/null >/dev/null 2>&1 &); until [ -s left ]; do sleep 0.02; done; `;
      const rest = ending === 'is killed' ? 'exec sleep 1000' : 'exit 4';
      const running = startNono(world, ['run', '--allow-cwd', '--', 'sh', '-c', script + rest]);
      const left = await waitFor('the descendant', () => {
        const path = join(world.project, 'left');
        return existsSync(path) && Number(readFileSync(path, 'latin1')) > 1 && Number(readFileSync(path, 'latin1'));
      });
      if (ending === 'is killed') running.child.kill('SIGKILL');

      expect((await running.ended).status).toBe(ending === 'is killed' ? null : 4);
      await untilGone(left);
    },
  );

  test('stops nothing when one of the sessions does not exist or the words are wrong', async () => {
    using world = createWorld();
    const id = await startDetached(world, '--', 'cat');

    expect((await runNono(world, ['stop', id, 'nobody'])).status).toBe(4);
    for (const words of [
      ['--timeout', '-1'],
      ['--timeout', '1.5'],
      ['--timeout', '5', '--force'],
    ])
      expect((await runNono(world, ['stop', ...words, id])).status).toBe(2);
    expect(readRecord(world, id).status).toBe('running');
    await stopAll(world, id);
  });
});

describe('several IDs', () => {
  /** The record of a session that this host can say nothing about. */
  function plantForeign(world: World, like: string): string {
    const id = like === 'f0f0f0' ? 'f0f0f1' : 'f0f0f0';
    const record = {
      ...JSON.parse(readFileSync(recordPath(world, like), 'utf8')),
      session_id: id,
      name: 'far',
      host: 'elsewhere',
      boot_id: 'another',
    };
    writeFileSync(recordPath(world, id), JSON.stringify(record), { mode: 0o600 });
    return id;
  }

  test('are all stopped and waited for, but one that cannot be, which is named', async () => {
    using world = createWorld();
    const [one = '', other = ''] = await Promise.all([1, 2].map(() => startDetached(world, '--', 'sleep', '1000')));
    const far = plantForeign(world, one);

    const unknown = await runNono(world, ['stop', '--force', one, 'nobody']);
    expect(unknown).toMatchObject({ status: 4, stdout: '' });
    expect(isAlive(readRecord(world, one).child_pid ?? 0)).toBe(true);
    const stopped = await runNono(world, ['stop', '--force', one, far, other, one]);
    expect(stopped).toMatchObject({ status: 3, stdout: `${one}\n${other}\n` });
    expect(stopped.stderr).toContain(`Cannot stop session ${far}: it runs on another host`);
    const waited = await runNono(world, ['wait', one, far, one, '--json']);
    expect(waited.status).toBe(3);
    expect(JSON.parse(waited.stdout)).toMatchObject({
      sessions: [
        { session_id: one, exit_code: 137 },
        { session_id: far, exit_code: null, error: `Cannot wait for session ${far}: it runs on another host` },
        { session_id: one, exit_code: 137 },
      ],
    });
    expect(await runNono(world, ['wait', far])).toMatchObject({ status: 1, stdout: '' });
  });

  test('are inspected and detached from together', async () => {
    using world = createWorld();
    const ids = await Promise.all([1, 2].map(() => startDetached(world, '--', 'cat')));

    const { status, stdout } = await runNono(world, ['inspect', ...ids]);
    expect(status).toBe(0);
    expect(stdout.split('\n\n').map((table) => /^Session: +(\w+)/.exec(table)?.[1])).toEqual(ids);
    expect(await json(world, 'inspect', ...ids)).toMatchObject({ sessions: ids.map((id) => ({ session_id: id })) });
    expect((await runNono(world, ['inspect', '--events', ...ids])).status).toBe(2);
    const detached = await runNono(world, ['detach', ...ids]);
    expect(detached.status).toBe(0);
    for (const id of ids) expect(detached.stderr).toContain(`no terminal is attached to session ${id}`);
    await stopAll(world, ...ids);
  });
});
