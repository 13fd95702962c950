import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, type TestContext, test } from 'vitest';
import { mountFuse, mountImage, mountMirror, mountTmpfs } from '../support/mount.ts';
import { runNono, runProgram } from '../support/nono.ts';
import { listSessions, readProject, rollback, runTracked, writeProject } from '../support/rollback.ts';
import { readRecord, untilGone } from '../support/sessions.ts';
import { needCommands, PYTHON } from '../support/tools.ts';
import { dumpTree } from '../support/tree.ts';
import { waitFor } from '../support/wait.ts';
import { createWorld, type World } from '../support/world.ts';

describe('a file system in the root that lets nobody look at it', () => {
  test.for(['ended', 'of another user'] as const)('(%s) is left out, and nothing beside it', async (state, context) => {
    using world = createWorld();
    writeProject(world, { 'sub/kept': 'old\n', 'sub/gone': 'old\n', 'sub/mounted/hidden': 'old\n' });
    using _ = mountFuse(context, join(world.project, 'sub/mounted'), state);
    const dump = () => dumpTree(world.project, { leaveOut: ['mounted'] });
    const before = dump();
    await runTracked(world, 'echo new > sub/kept; rm sub/gone; echo new > sub/made');
    const { stdout } = await rollback(world, ['show', 'latest', '--json']);
    const { skipped } = JSON.parse(stdout) as { readonly skipped: readonly { readonly path: string; readonly reason: string }[] };
    expect(skipped.map(({ path, reason }) => [path, reason])).toContainEqual([
      join(world.project, 'sub/mounted'),
      'another file system is mounted there',
    ]);
    expect(await rollback(world, ['restore', 'latest'])).toMatchObject({ status: 0 });
    expect(dump()).toEqual(before);
  });
});

describe('a file of a file system that has a state for each of its names (FUSE)', () => {
  test('is seen to be changed, and restored, by the name that the command did not use too', async (context) => {
    using world = createWorld();
    const behind = join(world.directory, 'behind');
    fs.mkdirSync(behind);
    fs.writeFileSync(join(behind, 'one'), 'old\n');
    fs.linkSync(join(behind, 'one'), join(behind, 'other'));
    using _ = mountMirror(context, behind, world.project);
    const before = dumpTree(world.project);

    await runTracked(world, 'echo changed > one');
    const { stdout } = await rollback(world, ['show', 'latest']);
    expect(stdout).toContain('~ one');
    expect(stdout).toContain('~ other');
    expect(await rollback(world, ['restore', 'latest'])).toMatchObject({ status: 0, stderr: '' });
    expect(dumpTree(behind)).toEqual(before);
  });
});

describe('a file system that somebody mounts over a tracked directory', () => {
  /** A session that has written "new" to `plain`, and ends with the next line that it is sent. */
  async function startReader(world: World): Promise<void> {
    const script = 'echo new > plain; read word';
    const words = ['--detached', '--rollback', '--allow-cwd', '--name', 'reader', '--', 'sh', '-c', script];
    expect(await runNono(world, ['run', ...words])).toMatchObject({ status: 0 });
    await waitFor('the change', () => readProject(world, 'plain') === 'new\n');
  }

  /** Ends that session. @returns what is shown of it. */
  async function endReader(world: World): Promise<string> {
    expect(await runNono(world, ['send', 'reader', '--enter', 'on'])).toMatchObject({ status: 0 });
    expect(await runNono(world, ['wait', 'reader'])).toMatchObject({ status: 0 });
    return (await rollback(world, ['show', 'latest'])).stdout;
  }

  test('that is granted itself, while the session runs, is left alone', async (context) => {
    using world = createWorld();
    writeProject(world, { plain: 'old\n', other: 'old\n' });
    await startReader(world);
    {
      using _ = mountTmpfs(context, world.project, 'size=1m');
      writeProject(world, { plain: 'theirs\n', young: 'theirs\n' });
      const stdout = await endReader(world);
      expect(stdout).toContain('No changes\n');
      expect(stdout).toContain('! .: another file system is mounted there');
      expect(await rollback(world, ['restore', 'latest'])).toMatchObject({ status: 0 });
      expect(fs.readdirSync(world.project).sort()).toEqual(['plain', 'young']);
      expect(readProject(world, 'plain')).toBe('theirs\n');
    }
    expect(readProject(world, 'other')).toBe('old\n');
  });

  test('while the session runs hides what is below it, and nothing is said to be gone', async (context) => {
    using world = createWorld();
    writeProject(world, { 'data/file': 'old\n', plain: 'old\n' });
    const before = dumpTree(join(world.project, 'data'));
    await startReader(world);
    {
      using _ = mountTmpfs(context, join(world.project, 'data'), 'size=1m');
      writeProject(world, { 'data/other': 'theirs\n' });
      const stdout = await endReader(world);
      expect(stdout).toContain('~1 modified;');
      expect(stdout).toContain('! data: another file system is mounted there');
      expect(await rollback(world, ['restore', 'latest'])).toMatchObject({ status: 0 });
      expect(readProject(world, 'data/other')).toBe('theirs\n');
    }
    expect(dumpTree(join(world.project, 'data'))).toEqual(before);
    expect(readProject(world, 'plain')).toBe('old\n');
  });

  test('since the session keeps its mode', async (context) => {
    using world = createWorld();
    writeProject(world, { 'data/file': 'old\n' });
    await runTracked(world, 'chmod 700 data');
    using _ = mountTmpfs(context, join(world.project, 'data'), 'size=1m');
    const outcome = await rollback(world, ['restore', 'latest']);
    expect(outcome).toMatchObject({ status: 3, stdout: expect.stringContaining('  Kept data: something is mounted there\n') });
    expect(fs.statSync(join(world.project, 'data')).mode & 0o777).toBe(0o700);
  });
});

const WRITTEN_OUT = 'the kernel has written the page to the disk meanwhile, as sync(1) has it do';

describe('a file that is written by its mapping into memory, which changes no time', () => {
  const SIGNALS = '.signals';
  const signal = (world: World, name: string) => fs.writeFileSync(join(world.project, SIGNALS, name), '');
  const until = (world: World, name: string) =>
    waitFor(`the word ${name}`, () => fs.existsSync(join(world.project, SIGNALS, name)));
  const changedMs = (world: World) => fs.statSync(join(world.project, 'data')).ctimeMs;
  /** A change that is as young as that is looked at again in any case. */
  const untilOlder = (world: World) => waitFor('a clock that has gone on', () => Date.now() - changedMs(world) > 100);

  /** Kills the supervisor of the session `writer`, and with it what it runs. */
  const lose = async (world: World) => {
    const { stdout } = await runNono(world, ['inspect', 'writer', '--json']);
    const { supervisor_pid: supervisor, child_pid: command } = readRecord(
      world,
      (JSON.parse(stdout) as { session_id: string }).session_id,
    );
    process.kill(supervisor, 'SIGKILL');
    await untilGone(supervisor);
    await untilGone(command);
  };

  /** Writes "one" when it hears `first`, and "two" when it hears `second`. */
  const WRITER = `import mmap, os, sys, time
def until(name):
    while not os.path.exists('${SIGNALS}/' + name): time.sleep(0.01)
with open('data', 'r+b') as file, mmap.mmap(file.fileno(), 0) as data:
    for word, name in ((b'one', 'first'), (b'two', 'second')):
        until(name)
        data[0:3] = word
        open('${SIGNALS}/did-' + name, 'w').close()
    until('end')`;

  test('after a checkpoint is in the final snapshot', async (context) => {
    needCommands(context, PYTHON);
    using world = createWorld();
    using _ = mountTmpfs(context, world.project, 'size=3m');
    writeProject(world, { data: 'old'.padEnd(4096, '.'), [`${SIGNALS}/first`]: '' });
    const options = ['--detached', '--rollback', '--allow-cwd', '--rollback-exclude', `/${SIGNALS}`, '--name', 'writer'];
    expect(await runNono(world, ['run', ...options, '--', PYTHON, '-c', WRITER])).toMatchObject({ status: 0 });
    await until(world, 'did-first');
    await untilOlder(world);
    const changed = changedMs(world);
    expect(await rollback(world, ['checkpoint', 'writer'])).toMatchObject({ status: 0 });
    signal(world, 'second');
    await until(world, 'did-second');
    signal(world, 'end');
    expect(await runNono(world, ['wait', 'writer'])).toMatchObject({ status: 0 });
    expect(changedMs(world)).toBe(changed);

    const { stdout } = await rollback(world, ['restore', 'latest']);
    expect(readProject(world, 'data')).toMatch(/^old/);
    const [, safety = ''] = /Undo with: nono rollback restore (\S+)/.exec(stdout) ?? [];
    expect(await rollback(world, ['restore', safety])).toMatchObject({ status: 0 });
    expect(readProject(world, 'data')).toMatch(/^two/);
    expect(await rollback(world, ['verify', '--all'])).toMatchObject({ status: 0 });
  });

  const START = ['run', '--rollback', '--allow-cwd', '--rollback-exclude', `/${SIGNALS}`];

  /**
   * The session `writer`, which has written "one", on a file system of its own: on that of the sessions a snapshot has the kernel write the page to the disk,
   * which gives it another time at the next write.
   */
  async function startWriter(context: TestContext, world: World): Promise<Disposable> {
    needCommands(context, PYTHON);
    const image = mountImage(context, 'ext4');
    fs.rmSync(world.project, { recursive: true });
    fs.symlinkSync(image.at(''), world.project);
    writeProject(world, { data: 'old'.padEnd(4096, '.'), [`${SIGNALS}/first`]: '' });
    const words = [...START, '--detached', '--name', 'writer', '--', PYTHON, '-c', WRITER];
    expect(await runNono(world, words)).toMatchObject({ status: 0 });
    await until(world, 'did-first');
    await untilOlder(world);
    return image;
  }

  /** @returns whether the times tell nothing of it. */
  async function writeTwo(world: World): Promise<boolean> {
    const changed = changedMs(world);
    signal(world, 'second');
    await until(world, 'did-second');
    return changedMs(world) === changed;
  }

  const endWriter = async (world: World) => {
    signal(world, 'end');
    expect(await runNono(world, ['wait', 'writer'])).toMatchObject({ status: 0 });
  };

  /** A new session has it in its baseline. */
  async function checkBaseline(world: World): Promise<void> {
    expect(await runNono(world, [...START, '--', 'rm', 'data'])).toMatchObject({ status: 0 });
    expect(await rollback(world, ['restore', 'latest', '--force'])).toMatchObject({ status: 0 });
    expect(readProject(world, 'data')).toMatch(/^two/);
  }

  test.for([
    { when: 'beside it', isLost: false },
    { when: 'after it was lost', isLost: true },
  ])('after a checkpoint is in the baseline of a session that begins $when', async ({ isLost }, context) => {
    using world = createWorld();
    using _ = await startWriter(context, world);
    expect(await rollback(world, ['checkpoint', 'writer'])).toMatchObject({ status: 0 });
    const isUnseen = await writeTwo(world);
    if (isLost) await lose(world);
    await checkBaseline(world);
    if (!isLost) await endWriter(world);
    if (!isUnseen) context.skip(WRITTEN_OUT);
  });

  test('while another session ran is in the baseline of one that begins when both have ended', async (context) => {
    using world = createWorld();
    using _ = await startWriter(context, world);
    expect(await runNono(world, [...START, '--', 'true'])).toMatchObject({ status: 0 });
    const isUnseen = await writeTwo(world);
    await endWriter(world);
    await checkBaseline(world);
    if (!isUnseen) context.skip(WRITTEN_OUT);
  });

  test('after it was read by it is in the final snapshot and in the next baseline', async (context) => {
    needCommands(context, PYTHON);
    using world = createWorld();
    using _ = mountTmpfs(context, world.project, 'size=3m');
    const write = (word: string) => `import mmap
with open('data', 'r+b') as file, mmap.mmap(file.fileno(), 0) as data:
    assert data[0:3] != b'${word}'
    data[0:3] = b'${word}'`;
    const start = ['run', '--rollback', '--allow-cwd', '--'];
    writeProject(world, { data: 'old'.padEnd(128 * 1024, '.') });
    await untilOlder(world);
    const changed = changedMs(world);
    expect(await runNono(world, [...start, PYTHON, '-c', write('one')])).toMatchObject({ status: 0 });
    expect(readProject(world, 'data')).toMatch(/^one/);
    expect(await rollback(world, ['restore', 'latest'])).toMatchObject({ status: 0 });
    expect(readProject(world, 'data')).toMatch(/^old/);

    await untilOlder(world);
    expect(await runNono(world, [...start, 'true'])).toMatchObject({ status: 0 });
    const restored = changedMs(world);
    expect(restored).toBeGreaterThan(changed);
    expect(await runProgram(world, [PYTHON, '-c', write('two')])).toMatchObject({ status: 0 });
    expect(changedMs(world)).toBe(restored);
    await runTracked(world, 'rm data');
    expect(await rollback(world, ['restore', 'latest'])).toMatchObject({ status: 0 });
    expect(readProject(world, 'data')).toMatch(/^two/);
  });

  test('after the session is left by a restore, which could not take that back', async (context) => {
    needCommands(context, PYTHON);
    using world = createWorld();
    using _ = mountTmpfs(context, world.project, 'size=3m');
    writeProject(world, { data: 'old'.padEnd(4096, '.'), other: 'old\n', [`${SIGNALS}/ready`]: '' });
    const writer = runProgram(world, [PYTHON, '-c', WRITER]);
    const script = `echo new > other; : > ${SIGNALS}/first; while [ ! -e ${SIGNALS}/did-first ]; do sleep 0.01; done`;
    const words = ['run', '--rollback', '--allow-cwd', '--rollback-exclude', `/${SIGNALS}`, '--', 'sh', '-c', script];
    expect(await runNono(world, words)).toMatchObject({ status: 0 });
    const changed = changedMs(world);
    signal(world, 'second');
    await until(world, 'did-second');
    expect(changedMs(world)).toBe(changed);

    const outcome = await rollback(world, ['restore', 'latest']);
    expect(outcome).toMatchObject({ status: 3, stdout: expect.stringContaining('  Kept data: changed meanwhile\n') });
    expect(readProject(world, 'data')).toMatch(/^two/);
    expect(readProject(world, 'other')).toBe('old\n');
    expect(await rollback(world, ['verify', '--all'])).toMatchObject({ status: 0 });
    signal(world, 'end');
    expect(await writer).toMatchObject({ status: 0 });
    expect(await listSessions(world)).toHaveLength(2);
  });
});

describe('a file system with sizes and times beyond 2^53', () => {
  test('costs neither the session nor the next one', async (context) => {
    using world = createWorld();
    using _ = mountTmpfs(context, world.project, 'size=16m');
    writeProject(world, { kept: 'old\n', far: 'old\n' });
    const far = (name: string) => `touch -d @9007199254740993 ${name}`;
    execFileSync('sh', ['-c', `${far('far')}; truncate -s 7E large`], { cwd: world.project });
    // Without the root, whose listing stays another one.
    const dump = () => dumpTree(world.project, { leaveOut: ['large', 'larger'] }).slice(1);
    const before = dump();
    await runTracked(world, `echo new > kept; ${far('kept')}; truncate -s 7E larger; echo new > far; rm large`);
    expect(await rollback(world, ['verify', '--all'])).toMatchObject({ status: 0 });
    expect(await rollback(world, ['restore', 'latest'])).toMatchObject({ status: 0, stderr: '' });
    expect(dump()).toEqual(before);
    await runTracked(world, 'echo new > kept');
    expect(await rollback(world, ['restore', 'latest'])).toMatchObject({ status: 0, stderr: '' });
    expect(readProject(world, 'kept')).toBe('old\n');
  });

  test('keeps no restore busy for ever: what nothing could undo is a conflict', async (context) => {
    using world = createWorld();
    using _ = mountTmpfs(context, world.project, 'size=16m');
    writeProject(world, { grown: 'old\n', plain: 'old\n' });
    const before = dumpTree(world.project);
    await runTracked(world, 'truncate -s 7E grown; echo new > plain');
    fs.chmodSync(join(world.project, 'grown'), 0o600);

    const refused = await rollback(world, ['restore', 'latest']);
    expect(refused).toMatchObject({
      status: 3,
      stderr: expect.stringContaining('  grown (too large to be kept: nothing would undo that)'),
    });
    expect(await rollback(world, ['restore', 'latest', '--keep-conflicts'])).toMatchObject({ status: 3 });
    expect(readProject(world, 'plain')).toBe('old\n');
    expect(await rollback(world, ['restore', 'latest', '--force'])).toMatchObject({ status: 0, stderr: '' });
    expect(dumpTree(world.project)).toEqual(before);
  });
});
