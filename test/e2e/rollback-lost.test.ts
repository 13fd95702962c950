import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runNono, startNono } from '../support/nono.ts';
import {
  commitProject,
  listSessions,
  readProject,
  rollback,
  runTracked,
  sessionDirectory,
  writeProject,
} from '../support/rollback.ts';
import { readRecord, untilGone } from '../support/sessions.ts';
import { needCommands, needOtherUser } from '../support/tools.ts';
import { dumpTree } from '../support/tree.ts';
import { waitFor } from '../support/wait.ts';
import { createWorld } from '../support/world.ts';

const KINDS = [
  { user: 'the caller', ordinaryUser: false },
  { user: 'an ordinary user', ordinaryUser: true },
] as const;

/** Works, says so and waits until its input ends or it is killed. */
const SCRIPT = 'echo new > file; rm gone; echo made > made; echo $$; exec tail -f /dev/null';

function isRunning(pid: number): boolean {
  try {
    // A zombie has ended.
    return !/^State:\s+[ZX]/m.test(fs.readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) return false;
    throw error;
  }
}

describe.for(KINDS)('a session of $user whose supervisor is killed', ({ ordinaryUser }) => {
  test('ends its command, is listed as lost, can be shown and restored, and is then recovered', async (context) => {
    if (ordinaryUser) needOtherUser(context);
    using world = createWorld({ ordinaryUser });
    writeProject(world, { file: 'old', gone: 'old' });
    const before = dumpTree(world.project);
    const running = startNono(world, ['run', '--rollback', '--allow-cwd', '--', 'sh', '-c', SCRIPT]);
    await waitFor('the command', () => running.stdout().endsWith('\n'));
    const command = Number(running.stdout());

    running.child.kill('SIGKILL');
    await running.ended;

    await waitFor('the end of the command', () => !isRunning(command));
    expect(await listSessions(world)).toMatchObject([
      { status: 'lost', is_alive: false, ended: null, exit_code: null, counts: null },
    ]);
    expect((await rollback(world, ['list'])).stdout).toMatch(/ sh {2}lost\n$/);
    const show = await rollback(world, ['show', 'latest']);
    expect(show).toMatchObject({ status: 0, stderr: '' });
    expect(show.stdout).toMatch(/recovered[^]* ~ file \| 2 \+-\n {2}- gone \| 1 -\n {2}\+ made \| 1 \+\n/);
    expect(await listSessions(world)).toMatchObject([{ status: 'recovered', is_alive: false, snapshot_count: 2 }]);
    expect((await rollback(world, ['list'])).stdout).toMatch(/~1 modified.*, recovered, not reviewed$/m);

    expect(await rollback(world, ['restore', 'latest'])).toMatchObject({ status: 0, stderr: '' });
    expect(dumpTree(world.project)).toEqual(before);
    expect(await rollback(world, ['verify', '--all'])).toMatchObject({ status: 0 });
  });

  test('is recovered also where a snapshot was killed as it wrote contents', async (context) => {
    if (ordinaryUser) needOtherUser(context);
    using world = createWorld({ ordinaryUser });
    needCommands(context, 'git');
    writeProject(world, { file: 'old' });
    commitProject(world);
    // What .git holds by the end is a content too.
    const script = 'echo new > file; cp .git/refs/heads/* .git/refs/heads/made; echo $$; exec tail -f /dev/null';
    const running = startNono(world, ['run', '--rollback', '--allow-cwd', '--', 'sh', '-c', script]);
    await waitFor('the command', () => running.stdout().endsWith('\n'));
    running.child.kill('SIGKILL');
    await running.ended;
    await waitFor('the end of the command', () => !isRunning(Number(running.stdout())));
    const [session] = await listSessions(world);
    for (const name of ['tmp-git-0', 'tmp-git-1'])
      fs.writeFileSync(join(sessionDirectory(world, session?.session_id ?? ''), 'objects', name), 'half of it');

    const show = await rollback(world, ['show', 'latest']);
    expect(show).toMatchObject({ status: 0, stderr: '' });
    expect(show.stdout).toContain('~ file | 2 +-');
    expect(await rollback(world, ['restore', 'latest'])).toMatchObject({ status: 0 });
    expect(readProject(world, 'file')).toBe('old');
    expect(await rollback(world, ['verify', '--all'])).toMatchObject({ status: 0 });
  });
});

describe.for(['before it is recovered', 'when it is recovered'] as const)('a session that was lost long ago, %s', (when) => {
  test('is in the way of none that ran after it on the same files', async () => {
    using world = createWorld();
    writeProject(world, { file: 'old' });
    const running = startNono(world, [
      'run',
      '--rollback',
      '--allow-cwd',
      '--',
      'sh',
      '-c',
      'echo new > file; echo done; exec tail -f /dev/null',
    ]);
    await waitFor('the command', () => running.stdout() !== '');
    running.child.kill('SIGKILL');
    await running.ended;
    const [lost] = await listSessions(world);
    const lock = join(sessionDirectory(world, lost?.session_id ?? ''), 'lock');
    const minuteAgo = Date.now() / 1000 - 60;
    fs.utimesSync(lock, minuteAgo, minuteAgo);
    await runTracked(world, 'echo newer > file');
    if (when === 'when it is recovered') await rollback(world, ['show', lost?.session_id ?? '']);

    expect(await rollback(world, ['show', 'latest'])).toMatchObject({ status: 0, stderr: '' });
    expect(await rollback(world, ['restore', 'latest'])).toMatchObject({ status: 0, stderr: '' });
    expect(readProject(world, 'file')).toBe('new\n');
    expect((await listSessions(world)).find(({ session_id: id }) => id === lost?.session_id)?.status).toBe(
      when === 'when it is recovered' ? 'recovered' : 'lost',
    );
  });
});

describe('a session that was lost', () => {
  test('leaves what is in a directory that somebody has moved in since', async () => {
    using world = createWorld();
    writeProject(world, { file: 'old' });
    const script = 'echo new > file; mkdir made; echo made > made/it; echo done; exec tail -f /dev/null';
    const running = startNono(world, ['run', '--rollback', '--allow-cwd', '--', 'sh', '-c', script]);
    await waitFor('the command', () => running.stdout() !== '');
    running.child.kill('SIGKILL');
    await running.ended;
    const [lost] = await listSessions(world);
    const elsewhere = join(world.home, 'mine');
    fs.mkdirSync(elsewhere);
    fs.writeFileSync(join(elsewhere, 'text'), 'mine');
    // Ten seconds after its last sign of life it lived no longer.
    const lostMs = Math.ceil(Math.max(...[elsewhere, join(elsewhere, 'text')].map((path) => fs.statSync(path).ctimeMs)));
    fs.utimesSync(join(sessionDirectory(world, lost?.session_id ?? ''), 'lock'), lostMs / 1000 - 10, lostMs / 1000 - 10);
    const moved = join(world.project, 'moved');
    fs.renameSync(elsewhere, moved);
    await waitFor('a later time', () => {
      fs.chmodSync(moved, 0o755);
      return fs.statSync(moved).ctimeMs > lostMs;
    });

    expect(await rollback(world, ['restore', 'latest'])).toMatchObject({
      status: 3,
      stderr: expect.stringMatching(/2 paths are not [^]*moved \(changed after the session was lost\)\n.*moved\/text \(/),
    });
    const { stdout } = await rollback(world, ['restore', 'latest', '--keep-conflicts']);
    expect(stdout).toContain('moved: changed after the session was lost');
    expect(readProject(world, 'moved/text')).toBe('mine');
    expect(readProject(world, 'file')).toBe('old');
    expect(fs.existsSync(join(world.project, 'made'))).toBe(false);
  });
});

describe('a supervisor that is killed while it takes the final snapshot', () => {
  test.for(['mkdirat', 'syncfs', 'renameat2'])(
    '(at %s) leaves a session that is lost, says so, and is recovered',
    async (call, context) => {
      needCommands(context, 'strace');
      using world = createWorld();
      writeProject(world, { file: 'old', gone: 'old' });
      const before = dumpTree(world.project);
      const script = 'read -r line; echo new > file; rm gone; echo made > made';
      const { stdout } = await runNono(world, ['run', '--rollback', '--detached', '--allow-cwd', '--', 'sh', '-c', script]);
      const id = /session ([0-9a-f]{6})/.exec(stdout)?.[1] ?? '';
      const { supervisor_pid: supervisor } = readRecord(world, id);
      // From now on it makes none of these calls before the command has ended.
      const words = [
        '-f',
        '-p',
        String(supervisor),
        '-o',
        '/dev/null',
        '-e',
        `trace=${call}`,
        '-e',
        `inject=${call}:signal=KILL:when=1`,
      ];
      const strace = spawn('strace', words, { stdio: ['ignore', 'ignore', 'pipe'] });
      const ended = once(strace, 'close');
      await once(strace.stderr, 'data');
      await runNono(world, ['send', id, '--enter']);
      await ended;
      await untilGone(supervisor);

      const listed = await runNono(world, ['ps', '--all', '--json']);
      expect({ status: listed.status, sessions: JSON.parse(listed.stdout) }).toMatchObject({
        status: 0,
        sessions: [{ session_id: id, status: 'lost', exit_code: null }],
      });
      expect((await runNono(world, ['wait', id])).stdout).toBe('255\n');
      expect((await runNono(world, ['inspect', id])).stdout).toMatch(/^Status: +lost$/m);
      expect((await rollback(world, ['list'])).stdout).toMatch(/ sh {2}lost\n$/);
      expect((await rollback(world, ['show', id])).stdout).toMatch(
        /recovered[^]* ~ file \| 2 \+-\n {2}- gone \| 1 -\n {2}\+ made \| 1 \+\n/,
      );
      expect(await rollback(world, ['restore', id])).toMatchObject({ status: 0, stderr: '' });
      expect(dumpTree(world.project)).toEqual(before);
      expect(await rollback(world, ['verify', '--all'])).toMatchObject({ status: 0 });
      expect((await runNono(world, ['prune'])).stdout).toBe(`${id}\n`);
    },
  );
});

describe('a session of another host that shares the state directory', () => {
  test('is unknown: neither recovered nor removed, whatever its lock says here', async () => {
    using world = createWorld();
    writeProject(world, { file: 'old', gone: 'old' });
    const running = startNono(world, ['run', '--rollback', '--allow-cwd', '--', 'sh', '-c', SCRIPT]);
    await waitFor('the command', () => running.stdout().endsWith('\n'));
    const command = Number(running.stdout());
    running.child.kill('SIGKILL');
    await running.ended;
    await waitFor('the end of the command', () => !isRunning(command));
    const [session] = await listSessions(world);
    const lock = join(world.state, 'rollbacks', String(session?.['session_id']), 'lock');
    const host = fs.readFileSync(lock, 'utf8');
    expect(host).not.toBe('');
    fs.writeFileSync(lock, 'another-host');

    expect(await listSessions(world)).toMatchObject([{ status: 'unknown', is_alive: false, counts: null }]);
    const show = await rollback(world, ['show', 'latest']);
    expect(show.stdout).toContain('unknown');
    expect(show.stdout).toContain('made');
    expect(await rollback(world, ['cleanup', '--all', '--yes'])).toMatchObject({ status: 0 });
    expect(await listSessions(world)).toMatchObject([{ status: 'unknown', snapshot_count: 1 }]);

    // The machine had another name then.
    fs.writeFileSync(lock, host.replace(/^.*/, 'another-name'));
    expect(await listSessions(world)).toMatchObject([{ status: 'lost' }]);
    fs.writeFileSync(lock, host.replace(/\n.*$/, ''));
    expect(await listSessions(world)).toMatchObject([{ status: 'lost' }]);
    expect((await rollback(world, ['show', 'latest'])).stdout).toContain('recovered');
    expect(fs.readFileSync(lock, 'utf8')).toBe('');
  });
});

describe('a session that runs', () => {
  test('is listed as running, shown as the files are now, and restored under the command', async () => {
    using world = createWorld();
    writeProject(world, { file: 'old', gone: 'old' });
    const before = dumpTree(world.project);
    const running = startNono(world, ['run', '--rollback', '--allow-cwd', '--', 'sh', '-c', SCRIPT]);
    await waitFor('the command', () => running.stdout().endsWith('\n'));
    const command = Number(running.stdout());

    expect(await listSessions(world)).toMatchObject([{ status: 'running', is_alive: true, snapshot_count: 1, counts: null }]);
    const show = await rollback(world, ['show', 'latest']);
    expect(show).toMatchObject({ status: 0, stderr: '' });
    expect(show.stdout).toMatch(/running[^]* ~ file \| 2 \+-\n {2}- gone \| 1 -\n {2}\+ made \| 1 \+\n/);
    expect((await rollback(world, ['show', 'latest', '--diff'])).stdout).toContain('-old\n\\ No newline at end of file\n+new\n');
    expect(await listSessions(world)).toMatchObject([{ status: 'running', snapshot_count: 1 }]);

    expect(await rollback(world, ['restore', 'latest'])).toMatchObject({ status: 0, stderr: '' });
    expect(dumpTree(world.project)).toEqual(before);
    expect(isRunning(command)).toBe(true);

    process.kill(command, 'SIGTERM');
    expect(await running.ended).toMatchObject({ status: 143 });
    expect(await listSessions(world)).toMatchObject([
      { kind: 'restore' },
      { status: 'exited', signal: 'SIGTERM', exit_code: 143 },
    ]);
    expect(readProject(world, 'file')).toBe('old');
    expect(fs.existsSync(join(world.project, 'made'))).toBe(false);
  });

  test('is restored by one at a time', async (context) => {
    needCommands(context, 'flock');
    using world = createWorld();
    writeProject(world, { file: 'old', gone: 'old' });
    const running = startNono(world, ['run', '--rollback', '--allow-cwd', '--', 'sh', '-c', SCRIPT]);
    await waitFor('the command', () => running.stdout().endsWith('\n'));
    const [session] = await listSessions(world);
    const lock = join(sessionDirectory(world, session?.session_id ?? ''), 'restore.lock');
    const other = spawn('flock', [lock, 'sh', '-c', 'echo locked; exec cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
    await once(other.stdout, 'data');

    const refused = await rollback(world, ['restore', 'latest']);
    expect(refused).toMatchObject({ status: 1, stderr: expect.stringContaining('another restore of it is running') });
    expect(readProject(world, 'file')).toBe('new\n');

    other.stdin.end();
    await once(other, 'exit');
    expect(await rollback(world, ['restore', 'latest'])).toMatchObject({ status: 0 });
    expect(readProject(world, 'file')).toBe('old');
    process.kill(Number(running.stdout()), 'SIGTERM');
    await running.ended;
  });
});
