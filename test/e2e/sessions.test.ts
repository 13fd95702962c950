import { existsSync, readdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runNono, startNono } from '../support/nono.ts';
import { isAlive, readRecord, recordPath, startDetached, untilGone, untilStatus } from '../support/sessions.ts';
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

describe('nono ps and inspect', () => {
  test('list what runs, and what has ended with --all', async () => {
    using world = createWorld();
    const running = await startDetached(world, '--name', 'runs', '--', 'sleep', '1000');
    const ended = await startDetached(world, '--name', 'ended', '--', 'sh', '-c', 'exit 3');
    await untilStatus(world, ended, 'exited');

    const { stdout } = await runNono(world, ['ps']);
    const [heading, ...lines] = stdout.trimEnd().split('\n');
    expect(heading?.split(/ {2,}/)).toEqual(['SESSION', 'NAME', 'STATUS', 'ATTACH', 'PID', 'UPTIME', 'PROFILE', 'COMMAND']);
    const pid = String(readRecord(world, running).child_pid);
    expect(lines.map((line) => line.split(/ {2,}/).toSpliced(5, 1))).toEqual([
      [running, 'runs', 'running', 'detached', pid, 'default', 'sleep 1000'],
    ]);
    expect(await json(world, 'ps', '--all')).toMatchObject([
      {
        session_id: running,
        name: 'runs',
        status: 'running',
        attachment: 'detached',
        exit_code: null,
        command: ['sleep', '1000'],
      },
      { session_id: ended, name: 'ended', status: 'exited', exit_code: 3, signal: null, workdir: world.project },
    ]);
    expect(await json(world, 'inspect', 'runs')).toMatchObject({ session_id: running, network: 'allowed', pending_approvals: 0 });
    expect(await json(world, 'inspect', 'runs')).toMatchObject({
      shared: {
        paths: [{ path: world.project, access: 'readwrite' }],
        sockets: [],
        connect_ports: [],
        bind_ports: [],
        asks: false,
      },
    });
    expect((await runNono(world, ['inspect', ended])).stdout).toMatch(/^Shared: +\S+ \(reading and writing\)$/m);
    expect((await runNono(world, ['inspect', ended])).stdout).toMatch(/^Exit status: +3$/m);
    await stopAll(world, running);
  });

  test('show a session whose supervisor was killed as lost, and what cannot be read on stderr only', async () => {
    using world = createWorld();
    const lost = await startDetached(world, '--', 'sleep', '1000');
    const { supervisor_pid: supervisor, child_pid: child } = readRecord(world, lost);
    process.kill(supervisor, 'SIGKILL');
    await untilGone(child);
    const text = readFileSync(recordPath(world, lost), 'latin1');
    writeFileSync(recordPath(world, 'aaaaaa'), text.slice(0, 100));
    writeFileSync(recordPath(world, 'bbbbbb'), text.replace('"format": 1', '"format": 99').replaceAll(lost, 'bbbbbb'));
    writeFileSync(recordPath(world, 'cccccc'), text);
    symlinkSync(recordPath(world, lost), recordPath(world, 'dddddd'));

    const { stdout, stderr, status } = await runNono(world, ['ps', '--all', '--json']);
    expect({ status, ids: (JSON.parse(stdout) as { status: string }[]).map((found) => found.status) }).toEqual({
      status: 0,
      ids: ['lost'],
    });
    for (const id of ['aaaaaa', 'bbbbbb', 'cccccc', 'dddddd']) expect(stderr).toContain(id);
    expect((await runNono(world, ['inspect', 'aaaaaa'])).status).toBe(3);
    expect((await runNono(world, ['ps'])).stdout.split('\n')).toHaveLength(2);
    expect((await runNono(world, ['wait', lost])).stdout).toBe('255\n');
  });

  test('know a session by its id, the beginning of it, and its name', async () => {
    using world = createWorld();
    const ids = await Promise.all(['first', 'second'].map((name) => startDetached(world, '--name', name, '--', 'cat')));
    const [first = '', second = ''] = ids;

    const isDistinct = first.slice(0, 5) !== second.slice(0, 5);
    const prefix = await runNono(world, ['inspect', '--json', first.slice(0, 5)]);
    expect(prefix.status).toBe(isDistinct ? 0 : 2);
    expect(await json(world, 'inspect', 'second')).toMatchObject({ session_id: second });
    for (const id of ['zzzzzz', '../first', '/', 'thir']) expect((await runNono(world, ['inspect', id])).status).toBe(4);
    expect((await runNono(world, ['inspect', ''])).status).toBe(2);
    await stopAll(world, ...ids);
    const text = readFileSync(recordPath(world, first), 'latin1');
    writeFileSync(recordPath(world, 'eeee01'), text.replaceAll(first, 'eeee01'));
    writeFileSync(recordPath(world, 'eeee02'), text.replaceAll(first, 'eeee02'));
    const ambiguous = await runNono(world, ['inspect', 'eeee0']);
    expect(ambiguous.status).toBe(2);
    expect(ambiguous.stderr).toMatch(/eeee01 \(first\), eeee02 \(first\)/);
  });
});

describe('nono stop', () => {
  test('ends the whole tree of several sessions, and has nothing to do the second time', async () => {
    using world = createWorld();
    const ids = await Promise.all(
      [1, 2].map(() => startDetached(world, '--', 'sh', '-c', 'sleep 1000 & setsid sleep 1000 & wait')),
    );
    const pids = ids.map((id) => readRecord(world, id).child_pid);

    const { status, stdout } = await runNono(world, ['stop', ...ids]);

    expect({ status, lines: stdout.trimEnd().split('\n').toSorted() }).toEqual({ status: 0, lines: ids.toSorted() });
    for (const pid of pids) expect(isAlive(pid)).toBe(false);
    for (const id of ids) expect(readRecord(world, id)).toMatchObject({ status: 'exited', signal: 'SIGTERM', exit_code: 143 });
    expect(readdirSync(join(world.state, 'sessions')).filter((name) => name.endsWith('.sock'))).toEqual([]);
    const again = await runNono(world, ['stop', ids[0] ?? '']);
    expect({ status: again.status, isSaid: again.stderr.includes('Nothing to do') }).toEqual({ status: 0, isSaid: true });
  });

  test('kills what ignores SIGTERM once its time is up, and at once with --force', async () => {
    using world = createWorld();
    const script = "trap '' TERM; : > ready; while :; do sleep 1000; done";
    for (const words of [['--timeout', '1'], ['--force']]) {
      const id = await startDetached(world, '--', 'sh', '-c', script);
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

describe('nono wait, send, rename, detach and prune', () => {
  test('wait prints one status a line, in the order given', async () => {
    using world = createWorld();
    const slow = await startDetached(world, '--', 'sh', '-c', 'read -r line; exit 5');
    const quick = await startDetached(world, '--', 'sh', '-c', 'exit 6');
    const waiting = startNono(world, ['wait', slow, quick]);
    await runNono(world, ['send', slow, '--enter']);

    expect(await waiting.ended).toMatchObject({ status: 0, stdout: '5\n6\n' });
  });

  test('send types its words, keys and standard input', async () => {
    using world = createWorld();
    const id = await startDetached(
      world,
      '--',
      'sh',
      '-c',
      'trap \'echo int >> out\' INT; while :; do read -r line && echo "<$line>" >> out; done',
    );
    const out = join(world.project, 'out');
    const until = (text: string) => waitFor(text, () => existsSync(out) && readFileSync(out, 'utf8').endsWith(text));
    await runNono(world, ['send', id, 'two', 'words', '--enter']);
    await until('<two words>\n');
    await runNono(world, ['send', id, '--key', 'ctrl-c']);
    await until('int\n');
    await runNono(world, ['send', id, '-'], { input: 'piped\n' });
    await until('<piped>\n');

    expect((await runNono(world, ['send', id])).status).toBe(2);
    expect((await runNono(world, ['send', id, '--key', 'hyper-x'])).status).toBe(2);
    await stopAll(world, id);
    expect((await runNono(world, ['send', id, 'x'])).status).toBe(1);
  });

  test('rename gives a live session a name that nobody has', async () => {
    using world = createWorld();
    const first = await startDetached(world, '--name', 'first', '--', 'cat');
    const second = await startDetached(world, '--name', 'second', '--', 'cat');

    expect((await runNono(world, ['rename', 'first', 'other'])).status).toBe(0);
    expect(readRecord(world, first).name).toBe('other');
    expect((await runNono(world, ['rename', 'second', 'other'])).status).toBe(1);
    expect((await runNono(world, ['rename', 'second', '../x'])).status).toBe(2);
    expect((await runNono(world, ['rename', 'first', 'x'])).status).toBe(4);
    await stopAll(world, first, second);
  });

  test('detach has nothing to do where nobody is attached', async () => {
    using world = createWorld();
    const id = await startDetached(world, '--', 'cat');

    const { status, stderr } = await runNono(world, ['detach', id]);
    expect({ status, isSaid: stderr.includes('Nothing to do') }).toEqual({ status: 0, isSaid: true });
    await stopAll(world, id);
  });

  test('prune removes what has ended and keeps the newest, never what lives', async () => {
    using world = createWorld();
    const live = await startDetached(world, '--', 'cat');
    const ended: string[] = [];
    for (let count = 0; count < 3; count++) {
      const id = await startDetached(world, '--', 'true');
      await untilStatus(world, id, 'exited');
      ended.unshift(id);
    }

    expect((await runNono(world, ['prune', '--older-than', '1'])).stdout).toBe('');
    expect((await runNono(world, ['prune', '--keep', '1', '--dry-run'])).stdout.trim().split('\n')).toEqual(ended.slice(1));
    expect(await json(world, 'prune', '--keep', '1')).toEqual({ removed: ended.slice(1), dry_run: false });
    // One that ended before anything was on its screen has none.
    const isNoScreen = (name: string) => !name.endsWith('.screen.json');
    const left = readdirSync(join(world.state, 'sessions')).filter(isNoScreen).toSorted();
    expect(left).toEqual(
      [live, ended[0]]
        .flatMap((id) => [`${id}.json`, `${id}.events.jsonl`])
        .concat(`${live}.sock`)
        .toSorted(),
    );
    await stopAll(world, live);
  });

  test('prune takes a lost session for ended at its last heartbeat', async () => {
    using world = createWorld();
    const id = await startDetached(world, '--', 'sleep', '1000');
    const { supervisor_pid: supervisor, child_pid: child } = readRecord(world, id);
    process.kill(supervisor, 'SIGKILL');
    await untilGone(child);
    await untilGone(supervisor);
    const lastSeen = (daysAgo: number) => {
      const record = JSON.parse(readFileSync(recordPath(world, id), 'utf8'));
      const started = new Date(Date.now() - 30 * 86_400_000).toISOString();
      writeFileSync(recordPath(world, id), JSON.stringify({ ...record, started }));
      const seconds = Date.now() / 1000 - daysAgo * 86_400;
      utimesSync(recordPath(world, id), seconds, seconds);
    };

    lastSeen(3);
    expect((await runNono(world, ['prune', '--older-than', '5'])).stdout).toBe('');
    lastSeen(6);
    expect((await runNono(world, ['prune', '--older-than', '5'])).stdout).toBe(`${id}\n`);
    expect(readdirSync(join(world.state, 'sessions')).filter((name) => name.startsWith(id))).toEqual([]);
  });
});
