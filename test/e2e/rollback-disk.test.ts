import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fill } from '../support/full-disk.ts';
import { mountImage, mountTmpfs, remount } from '../support/mount.ts';
import { runNono, runProgram, startNono } from '../support/nono.ts';
import { listSessions, readProject, rollback, runTracked, writeProject } from '../support/rollback.ts';
import { needCommands, needOtherUser } from '../support/tools.ts';
import { dumpTree } from '../support/tree.ts';
import { waitFor } from '../support/wait.ts';
import { createWorld, type World } from '../support/world.ts';

function freeBytes(path: string): number {
  const { bavail, bsize } = fs.statfsSync(path);
  return bavail * bsize;
}

/** Bytes that share no block. */
function writeNoise(world: World, name: string, sizeBytes: number): void {
  execFileSync('sh', ['-c', `head -c ${sizeBytes} /dev/urandom > "$1"`, 'sh', join(world.project, name)]);
}

describe('a full disk', () => {
  test.for([
    { what: 'one large file', make: (world: World) => writeNoise(world, 'large', 6_000_000), options: 'size=3m' },
    {
      what: 'many small files',
      make: (world: World) => {
        for (let count = 0; count < 1500; count++) fs.writeFileSync(join(world.project, `f${count}`), `${count}`);
      },
      options: 'size=2m',
    },
    {
      what: 'too many files for the inodes',
      make: (world: World) => {
        for (let count = 0; count < 300; count++) fs.writeFileSync(join(world.project, `f${count}`), `${count}`);
      },
      options: 'size=50m,nr_inodes=200',
    },
  ])(
    'during the baseline ($what): 125, the command is not started, the space is given back',
    async ({ make, options }, context) => {
      using world = createWorld();
      using _ = mountTmpfs(context, world.state, options);
      make(world);
      await runNono(world, ['run', '--allow-cwd', '--', 'true']);
      const before = dumpTree(world.project);
      const free = freeBytes(world.state);

      const { status, stderr } = await runNono(world, ['run', '--rollback', '--allow-cwd', '--', 'touch', 'proof']);

      expect(status).toBe(125);
      expect(stderr).toMatch(/Cannot store the baseline \[E_BASELINE\]\nCaused by: .*ENOSPC\nHint: .*cleanup/);
      expect(dumpTree(world.project)).toEqual(before);
      expect(fs.readdirSync(join(world.state, 'rollbacks'))).toEqual([]);
      expect(await listSessions(world)).toEqual([]);
      expect(freeBytes(world.state)).toBeGreaterThanOrEqual(free - 64 * 1024);
    },
  );

  test.for([
    { exit: 0, status: 125 },
    { exit: 7, status: 7 },
  ])(
    'during the final snapshot is said loudly, and gives $status where the command gave $exit',
    async ({ exit, status }, context) => {
      using world = createWorld();
      using _ = mountTmpfs(context, world.state, 'size=3m');
      writeProject(world, { file: 'old' });
      const before = dumpTree(world.project);
      const script = `head -c 6000000 /dev/urandom > large; echo new > file; exit ${exit}`;

      const outcome = await runNono(world, ['run', '--rollback', '--allow-cwd', '--', 'sh', '-c', script]);

      expect(outcome.status).toBe(status);
      expect(outcome.stderr).toMatch(/final snapshot of .* FAILED, its baseline is still there[^]*ENOSPC/);
      expect(outcome.stderr).not.toContain('Internal error');
      expect(await listSessions(world)).toHaveLength(1);

      // While the disk is full there is no room for the final snapshot: that is said and nothing is changed.
      const left = dumpTree(world.project);
      const show = await rollback(world, ['show', 'latest']);
      expect(show.stderr).not.toContain('Internal error');
      const refused = await rollback(world, ['restore', 'latest']);
      expect(refused.stderr).not.toContain('Internal error');
      expect(refused.status).toBe(1);
      expect(dumpTree(world.project)).toEqual(left);

      remount(world.state, 'size=50m');
      expect(await rollback(world, ['restore', 'latest'])).toMatchObject({ status: 0 });
      expect(dumpTree(world.project)).toEqual(before);
      expect(await rollback(world, ['verify', '--all'])).toMatchObject({ status: 0 });
    },
  );

  test('during a checkpoint: it is said, the session goes on, and its other snapshots are kept', async (context) => {
    using world = createWorld();
    using _ = mountTmpfs(context, world.state, 'size=6m');
    writeProject(world, { file: 'old' });
    const script = 'echo new > file; : > ready; while [ ! -e end ]; do sleep 0.01; done';
    const running = startNono(world, ['run', '--rollback', '--allow-cwd', '--', 'sh', '-c', script]);
    await waitFor('the command', () => fs.existsSync(join(world.project, 'ready')));
    writeNoise(world, 'large', 8_000_000);
    const refused = await rollback(world, ['checkpoint', 'latest']);
    expect(refused).toMatchObject({ status: 1, stdout: '' });
    expect(refused.stderr).toMatch(/Cannot store a checkpoint of .*ENOSPC/);

    fs.rmSync(join(world.project, 'large'));
    expect(await rollback(world, ['checkpoint', 'latest'])).toMatchObject({ status: 0 });
    fs.writeFileSync(join(world.project, 'end'), '');
    expect(await running.ended).toMatchObject({ status: 0 });
    expect(await listSessions(world)).toMatchObject([{ status: 'exited', snapshot_count: 3 }]);
    expect(await rollback(world, ['verify', '--all'])).toMatchObject({ status: 0 });
    expect(await rollback(world, ['restore', 'latest'])).toMatchObject({ status: 0 });
    expect(readProject(world, 'file')).toBe('old');
  });

  test('during the safety snapshot: the restore refuses and changes nothing; --force goes on without a way back', async (context) => {
    using world = createWorld();
    using _ = mountTmpfs(context, world.state, 'size=20m');
    writeProject(world, { file: 'old', gone: 'old' });
    const before = dumpTree(world.project);
    await runTracked(world, 'echo new > file; rm gone; head -c 200000 /dev/urandom > large');
    fs.writeFileSync(join(world.state, 'filler'), Buffer.alloc(freeBytes(world.state)));
    const left = dumpTree(world.project);

    const refused = await rollback(world, ['restore', 'latest']);
    expect(refused).toMatchObject({ status: 1, stdout: '' });
    expect(refused.stderr).toMatch(/Cannot store what the restore would replace, so nothing was changed[^]*Hint: .*--force/);
    expect(dumpTree(world.project)).toEqual(left);
    expect(await listSessions(world)).toHaveLength(1);

    const forced = await rollback(world, ['restore', 'latest', '--force']);
    expect(forced).toMatchObject({ status: 0 });
    expect(forced.stderr).toMatch(/without a way to undo/);
    expect(forced.stdout).not.toContain('Undo with');
    expect(dumpTree(world.project)).toEqual(before);
    expect(await listSessions(world)).toHaveLength(1);
  });

  test('during the safety snapshot leaves a directory closed that the command had closed', async (context) => {
    using world = createWorld();
    using _ = mountTmpfs(context, world.state, 'size=20m');
    writeProject(world, { 'shut/file': 'old', large: 'old' });
    await runTracked(world, 'echo new > shut/file; head -c 3000000 /dev/urandom > large; chmod 000 shut');
    const left = dumpTree(world.project);
    fill(world);
    const filler = join(world.state, 'filler');
    // The session of the restore can be begun, and no more.
    fs.truncateSync(filler, fs.statSync(filler).size - 8192);
    const refused = await rollback(world, ['restore', 'latest']);
    expect(refused).toMatchObject({ status: 1, stderr: expect.stringContaining('so nothing was changed') });
    expect(refused.stderr).not.toContain('lock.new');
    expect(dumpTree(world.project)).toEqual(left);
  });
});

describe('a file system that shares blocks', () => {
  test.for(['xfs', 'btrfs'] as const)(
    '(%s): neither a snapshot nor a restore of a large file takes its space again',
    (type, context) => {
      using world = createWorld();
      using volume = mountImage(context, type);
      const project = volume.at('project');
      fs.mkdirSync(project);
      const large = join(project, 'large');
      execFileSync('sh', ['-c', 'head -c 60000000 /dev/urandom > "$1"; sync -f "$1"', 'sh', large]);
      const before = createHash('sha256').update(fs.readFileSync(large)).digest('hex');
      const freeAtFirst = freeBytes(project);
      const nono = (...args: readonly string[]) => {
        const environment = { ...world.environment, NONO_HOME: volume.at('state') };
        return execFileSync(world.executable, args, { cwd: project, env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
      };
      nono('run', '--rollback', '--allow-cwd', '--', 'sh', '-c', 'echo more >> large');
      nono('rollback', 'restore', 'latest');
      expect(createHash('sha256').update(fs.readFileSync(large)).digest('hex')).toBe(before);
      execFileSync('sync', ['-f', large]);
      expect(freeAtFirst - freeBytes(project)).toBeLessThan(20_000_000);
      nono('rollback', 'verify', '--all');
    },
  );
});

describe('a rollback directory that its user may not write any more', () => {
  test.for(['500', '000'])(
    "(mode %s) is named with the way out, costs no baseline, and the status is the command's",
    async (mode, context) => {
      needOtherUser(context);
      using world = createWorld({ ordinaryUser: true });
      writeProject(world, { file: 'old' });
      const command = ['sh', '-c', 'echo new > file; cat; exit 7'];
      const running = startNono(world, ['run', '--rollback', '--allow-cwd', '--', ...command], { keepsInput: true });
      await waitFor('the command', () => readProject(world, 'file') === 'new\n');
      const [id = ''] = fs.readdirSync(join(world.state, 'rollbacks'));
      const directory = join(world.state, 'rollbacks', id);
      fs.chmodSync(directory, Number.parseInt(mode, 8));
      running.child.stdin?.end();
      const { status, stderr } = await running.ended;
      expect(status).toBe(7);
      expect(stderr).toMatch(/FAILED, its baseline is still there:\n\[nono\] Error: [^]*EACCES\n\[nono\] Hint: .*owner and mode/);
      expect(stderr).not.toContain('Internal error');

      fs.chmodSync(directory, 0o700);
      expect(await rollback(world, ['restore', id])).toMatchObject({ status: 0 });
      expect(readProject(world, 'file')).toBe('old');
    },
  );

  test('starts no command that would not be tracked', async (context) => {
    needOtherUser(context);
    using world = createWorld({ ordinaryUser: true });
    writeProject(world, { file: 'old' });
    await runTracked(world, 'true');
    fs.chmodSync(join(world.state, 'rollbacks'), 0o500);
    const { status, stderr } = await runNono(world, ['run', '--rollback', '--allow-cwd', '--', 'touch', 'made']);
    expect({ status, stderr }).toMatchObject({
      status: 125,
      stderr: expect.stringMatching(/^Error: Cannot use a path \[E_PATH\]\nCaused by: mkdirat .*EACCES\nHint: /) as unknown,
    });
    expect(fs.existsSync(join(world.project, 'made'))).toBe(false);
  });
});

test('a file comes back where names can neither be kept from being replaced nor linked, as with much that is made with FUSE', async (context) => {
  needCommands(context, 'strace');
  using world = createWorld();
  writeProject(world, { gone: 'old\n' });
  const before = dumpTree(world.project);
  await runTracked(world, 'rm gone');
  const trace = join(world.directory, 'trace');
  // The fourth name that is given is that of the file, after three of the session that will undo this.
  const answers = ['renameat2:error=EINVAL:when=4', 'linkat:error=EROFS:when=1'].flatMap((one) => ['-e', `inject=${one}`]);
  const words = [
    '-f',
    '-o',
    trace,
    '-e',
    'trace=renameat2,linkat',
    ...answers,
    world.executable,
    'rollback',
    'restore',
    'latest',
  ];
  expect(await runProgram(world, ['strace', ...words])).toMatchObject({ status: 0, stderr: '' });
  expect(fs.readFileSync(trace, 'utf8')).toMatch(/"gone", RENAME_NOREPLACE\) += -1 EINVAL.*\n.*linkat\(.*"gone".*EROFS/);
  expect(dumpTree(world.project)).toEqual(before);
});

test('a limit of the size of files is named, and the restore completed without it', async () => {
  using world = createWorld();
  writeNoise(world, 'large', 3_000_000);
  const before = dumpTree(world.project);
  await runTracked(world, 'rm large');
  const script = 'ulimit -f 1000; exec "$0" rollback restore latest';
  const limited = await runProgram(world, ['sh', '-c', script, world.executable]);
  expect(limited).toMatchObject({ status: 1, stderr: expect.stringMatching(/EFBIG\n.*completes what was begun/) });
  expect(await rollback(world, ['restore', 'latest'])).toMatchObject({ status: 0 });
  expect(dumpTree(world.project)).toEqual(before);
});

describe('a root that cannot be written', () => {
  test('on a read-only file system: restore says so', async (context) => {
    using world = createWorld();
    using _ = mountTmpfs(context, world.project, 'size=10m');
    writeProject(world, { file: 'old' });
    await runTracked(world, 'echo new > file');
    remount(world.project, 'ro');
    const { status, stderr } = await rollback(world, ['restore', 'latest'], { cwd: world.home });
    expect(status).toBe(1);
    expect(stderr).toMatch(/EROFS/);
    expect(stderr).not.toContain('Internal error');
    expect(readProject(world, 'file')).toBe('new\n');

    remount(world.project, 'rw');
    const again = await rollback(world, ['restore', 'latest'], { cwd: world.home });
    expect(again.status).toBe(0);
    expect(readProject(world, 'file')).toBe('old');
  });

  test('that has vanished is a conflict, and --force makes it again', async () => {
    using world = createWorld();
    writeProject(world, { file: 'old', 'sub/deep/file': 'old' });
    const before = dumpTree(world.project);
    await runTracked(world, 'echo new > file');
    fs.rmSync(world.project, { recursive: true });

    expect(await rollback(world, ['restore', 'latest'], { cwd: world.home })).toMatchObject({ status: 3 });
    expect(fs.existsSync(world.project)).toBe(false);
    expect(await rollback(world, ['show', 'latest'], { cwd: world.home })).toMatchObject({ status: 0 });
    fs.mkdirSync(world.project);
    const forced = await rollback(world, ['restore', 'latest', '--force'], { cwd: world.home });
    expect(forced).toMatchObject({ status: 0, stderr: expect.stringMatching(/^\[nono\] The latest is .*\n$/) });
    expect(dumpTree(world.project).find((line) => line.startsWith('./file '))).toBe(
      before.find((line) => line.startsWith('./file ')),
    );
  });

  test('that the command has emptied comes back', async () => {
    using world = createWorld();
    writeProject(world, { file: 'old', '.hidden': 'h', 'sub/deep/file': 'old' });
    const before = dumpTree(world.project);
    await runTracked(world, 'rm -rf ./* .hidden');
    expect(await rollback(world, ['restore', 'latest'])).toMatchObject({ status: 0, stderr: '' });
    expect(dumpTree(world.project)).toEqual(before);
  });
});

describe('a slow disk', () => {
  test('is what a restore says that it waits for, on a terminal', async (context) => {
    needCommands(context, 'strace', 'script');
    using world = createWorld();
    writeProject(world, { file: 'old\n' });
    await runTracked(world, 'echo new > file');
    const slow = 'strace -f -qq -o /dev/null -e trace=syncfs -e inject=syncfs:delay_enter=1300000';
    const { stdout, status } = await runProgram(world, [
      'script',
      '-qec',
      `${slow} ${world.executable} rollback restore latest`,
      '/dev/null',
    ]);
    expect(status).toBe(0);
    // Once before a file is touched, and once before the restore says that it is done.
    expect(stdout.split('Writing to the disk …')).toHaveLength(3);
    expect(readProject(world, 'file')).toBe('old\n');
  });
});

test('a state directory that is removed while the command runs is said to be gone, with what it held', async () => {
  using world = createWorld();
  writeProject(world, { file: 'old' });
  const command = ['sh', '-c', 'echo new > file; cat; exit 7'];
  const running = startNono(world, ['run', '--rollback', '--allow-cwd', '--', ...command], { keepsInput: true });
  await waitFor('the command', () => readProject(world, 'file') === 'new\n');
  fs.rmSync(world.state, { recursive: true });
  running.child.stdin?.end();
  const { status, stderr } = await running.ended;

  expect(status).toBe(7);
  expect(stderr).toContain('FAILED, and its baseline is gone:');
});

test('a state directory that is moved away while the command runs is named, and the snapshot is taken when it is back', async () => {
  using world = createWorld();
  writeProject(world, { file: 'old' });
  const command = ['sh', '-c', 'echo new > file; cat; exit 7'];
  const running = startNono(world, ['run', '--rollback', '--allow-cwd', '--', ...command], { keepsInput: true });
  await waitFor('the command', () => readProject(world, 'file') === 'new\n');
  fs.renameSync(world.state, `${world.state}.away`);
  running.child.stdin?.end();
  const { status, stderr } = await running.ended;
  expect(status).toBe(7);
  expect(stderr).toMatch(/FAILED, its baseline is still there:\n.*The state directory was moved/s);
  expect(stderr).not.toContain('Internal error');

  fs.rmSync(world.state, { recursive: true, force: true });
  fs.renameSync(`${world.state}.away`, world.state);
  expect(await rollback(world, ['show', 'latest'])).toMatchObject({ status: 0, stdout: expect.stringContaining('~ file') });
  expect(await rollback(world, ['restore', 'latest'])).toMatchObject({ status: 0 });
  expect(readProject(world, 'file')).toBe('old');
});
