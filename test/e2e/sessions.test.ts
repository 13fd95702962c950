import { existsSync, readdirSync, readFileSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runNono, startNono } from '../support/nono.ts';
import { readRecord, recordPath, startDetached, startScript, untilGone, untilStatus } from '../support/sessions.ts';
import { waitFor } from '../support/wait.ts';
import { createWorld, type World } from '../support/world.ts';

const json = async (world: World, ...words: readonly string[]): Promise<unknown> =>
  JSON.parse((await runNono(world, [...words, '--json'])).stdout);

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

describe('nono wait, send, rename, detach and prune', () => {
  test('wait prints one status a line, in the order given', async () => {
    using world = createWorld();
    const slow = await startScript(world, 'read -r line; exit 5');
    const quick = await startScript(world, 'exit 6');
    const waiting = startNono(world, ['wait', slow, quick]);
    await runNono(world, ['send', slow, '--enter']);

    expect(await waiting.ended).toMatchObject({ status: 0, stdout: '5\n6\n' });
  });

  test('send types its words, keys and standard input', async () => {
    using world = createWorld();
    const id = await startScript(world, 'trap \'echo int >> out\' INT; while :; do read -r line && echo "<$line>" >> out; done');
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

  test('prune removes what has ended while the clock was ahead', async () => {
    using world = createWorld();
    const id = await startDetached(world, '--', 'true');
    await untilStatus(world, id, 'exited');
    const record = JSON.parse(readFileSync(recordPath(world, id), 'utf8'));
    const ended = new Date(Date.now() + 3650 * 86_400_000).toISOString();
    writeFileSync(recordPath(world, id), JSON.stringify({ ...record, started: ended, ended }));

    expect((await runNono(world, ['prune', '--older-than', '0'])).stdout).toBe('');
    expect((await runNono(world, ['prune'])).stdout).toBe(`${id}\n`);
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

describe('the temporary directory of a session', () => {
  test('stays in use for cleaners of old files as long as the session lives', async () => {
    using world = createWorld();
    const script = 'echo $TMPDIR > $0.new; mv $0.new $0; exec sleep 1000';
    const detached = await startDetached(world, '--', 'sh', '-c', script, 'own');
    const plain = startNono(world, ['run', '--name', 'plain', '--allow-cwd', '--', 'sh', '-c', script, 'shared']);
    const directories = ['own', 'shared'].map((name) => join(world.project, name));
    await waitFor('both to run', () => directories.every((path) => existsSync(path)));
    const paths = directories.map((path) => readFileSync(path, 'utf8').trimEnd());
    for (const path of paths) utimesSync(path, 0, 0);

    // A heartbeat comes within ten seconds.
    await waitFor('marks of life', () => paths.every((path) => Date.now() - statSync(path).mtimeMs < 60_000), 30_000);
    await stopAll(world, detached, 'plain');
    await plain.ended;
    expect(paths.filter((path) => existsSync(path))).toEqual([]);
  });
});
