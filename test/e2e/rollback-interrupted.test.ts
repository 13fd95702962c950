import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runProgram } from '../support/nono.ts';
import { listSessions, rollback, runTracked, sessionDirectory, writeProject } from '../support/rollback.ts';
import { needCommands, PYTHON } from '../support/tools.ts';
import { dumpTree } from '../support/tree.ts';
import { createWorld, type World } from '../support/world.ts';

/** More than a restore does between two looks at what came. */
const COUNT = 300;
const DIRECTORY_COUNT = 30;

/** Directories that the command has removed, and files that it has changed. */
async function makeSession(world: World): Promise<{ readonly id: string; readonly before: unknown; readonly left: unknown }> {
  const names = Array.from({ length: COUNT }, (_, index) => `f${index}`);
  const files = names.map((name) => [name, 'old\n'] as const);
  const below = names.slice(0, DIRECTORY_COUNT).map((name) => [`d/${name}/x`, 'x\n'] as const);
  writeProject(world, Object.fromEntries([...files, ...below]));
  const before = dumpTree(world.project);
  await runTracked(world, 'for f in f*; do echo new > $f; done; rm -r d');
  return { id: (await listSessions(world))[0]?.session_id ?? '', before, left: dumpTree(world.project) };
}

/** Restores, and has a signal come when the restore makes its nth call. */
function restoreUntil(
  world: World,
  words: readonly string[],
  { call, signal, when = 20 }: { call: string; signal: string; when?: number },
) {
  const options = ['-f', '-o', '/dev/null', '-e', `trace=${call}`, '-e', `inject=${call}:signal=${signal}:when=${when}`];
  return runProgram(world, ['strace', ...options, world.executable, 'rollback', 'restore', ...words]);
}

describe('a restore that is interrupted', () => {
  test.for(['INT', 'TERM'])('by SIG%s says what completes it and what takes it back, and both do', async (name, context) => {
    needCommands(context, 'strace');
    using world = createWorld();
    const { id, before, left } = await makeSession(world);
    const said = `[nono] Interrupted: complete it with \`nono rollback restore ${id}\`, or take it back with --abort\n`;

    const first = await restoreUntil(world, ['latest'], { call: 'renameat2', signal: name });
    expect(first).toMatchObject({ signal: `SIG${name}`, stdout: '', stderr: said });
    expect(await rollback(world, ['restore', id, '--abort'])).toMatchObject({ status: 0, stderr: '' });
    expect(dumpTree(world.project)).toEqual(left);

    expect(await restoreUntil(world, [id], { call: 'renameat2', signal: name })).toMatchObject({ stderr: said });
    expect(await rollback(world, ['restore', id])).toMatchObject({
      status: 0,
      stderr: expect.stringContaining('Completed an interrupted restore'),
    });
    expect(dumpTree(world.project)).toEqual(before);
  });

  test('is listed as that, is foreseen by --dry-run, and is taken back by its own name too', async (context) => {
    needCommands(context, 'strace');
    using world = createWorld();
    const { id, left } = await makeSession(world);
    const { signal } = await restoreUntil(world, ['latest'], { call: 'mkdirat', signal: 'KILL' });
    expect(signal).toBe('SIGKILL');
    const [restore] = await listSessions(world);
    expect(restore).toMatchObject({ kind: 'restore', status: 'interrupted' });
    const own = restore?.session_id ?? '';

    const tried = await rollback(world, ['restore', id, '--dry-run', '--json']);
    expect(tried).toMatchObject({ status: 0, stderr: expect.stringContaining(own) });
    expect(JSON.parse(tried.stdout)).toMatchObject({ conflicts: [] });

    const half = dumpTree(world.project);
    expect(await rollback(world, ['restore', id, '--abort', '--dry-run'])).toMatchObject({ status: 2 });
    expect(dumpTree(world.project)).toEqual(half);

    const taken = await rollback(world, ['restore', own, '--abort']);
    expect(taken).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(`^Took back \\d+ paths of an interrupted restore of ${id}\n$`),
    });
    expect(dumpTree(world.project)).toEqual(left);
  });
});

/** A file deeper than the longest path that a call takes, away with all above it when the test ends. */
function makeDeepFile(world: World): Disposable {
  const program = [
    'import os',
    'd = os.open(".", os.O_RDONLY)',
    'for _ in range(20):',
    '  os.mkdir("d" * 240, dir_fd=d)',
    '  d = os.open("d" * 240, os.O_RDONLY, dir_fd=d)',
    'os.write(os.open("f", os.O_CREAT | os.O_WRONLY, dir_fd=d), b"old")',
  ].join('\n');
  execFileSync(PYTHON, ['-c', program], { cwd: world.project });
  return { [Symbol.dispose]: () => void execFileSync('rm', ['-rf', 'd'.repeat(240)], { cwd: world.project }) };
}

describe('a restore with a path of more than 4096 bytes that is killed', () => {
  test.for([{ more: ['--abort'] }, { more: [] }])('is taken back or completed: $more', async ({ more }, context) => {
    needCommands(context, 'strace');
    using world = createWorld();
    const names = Array.from({ length: 40 }, (_, index) => `f${index}`);
    writeProject(world, Object.fromEntries(names.map((name) => [name, 'old\n'])));
    using _ = makeDeepFile(world);
    await runTracked(world, 'for f in f*; do echo new > $f; done; rm -r ddd*');
    const contents = () => new Set(names.map((name) => fs.readFileSync(join(world.project, name), 'utf8')));
    const { signal } = await restoreUntil(world, ['latest'], { call: 'renameat2', signal: 'KILL' });
    expect(signal).toBe('SIGKILL');
    expect(contents()).toEqual(new Set(['old\n', 'new\n']));

    expect(await rollback(world, ['restore', 'latest', ...more])).toMatchObject({ status: 0 });
    expect(contents()).toEqual(new Set([more.length > 0 ? 'new\n' : 'old\n']));
    expect(fs.readdirSync(world.project).length).toBe(more.length > 0 ? names.length : names.length + 1);
  });
});

describe('--abort', () => {
  test.for([
    { instead: 'a link', make: 'ln -s / d' },
    { instead: 'a file', make: 'touch d; chmod 666 d' },
  ])(
    'gives a directory that somebody uses meanwhile no mode of $instead that the command had put there',
    async ({ make }, context) => {
      needCommands(context, 'strace');
      using world = createWorld();
      writeProject(world, { 'd/x': 'x\n' });
      await runTracked(world, `rm -r d; ${make}`);
      const { signal } = await restoreUntil(world, ['latest'], { call: 'utimensat', signal: 'KILL', when: 2 });
      expect(signal).toBe('SIGKILL');
      const directory = join(world.project, 'd');
      expect(fs.readdirSync(directory)).toEqual(['x']);
      fs.writeFileSync(join(directory, 'mine'), 'mine\n');

      await rollback(world, ['restore', 'latest', '--abort']);

      expect(fs.readdirSync(directory)).toContain('mine');
      expect(fs.statSync(directory).mode & 0o027).toBe(0);
      expect(fs.statSync(directory).mode & 0o700).toBe(0o700);
    },
  );
});

describe('latest', () => {
  test.for([['show'], ['restore'], ['verify']])(
    'is not the session before where the manifest of the newest is damaged: %s',
    async ([verb = '']) => {
      using world = createWorld();
      writeProject(world, { file: 'one\n' });
      await runTracked(world, 'echo two > file');
      expect(await rollback(world, ['restore', 'latest'])).toMatchObject({ status: 0 });
      await runTracked(world, 'echo three > file');
      const newest = (await listSessions(world))[0]?.session_id ?? '';
      fs.appendFileSync(join(sessionDirectory(world, newest), 'manifest.json'), ' ');

      expect(await rollback(world, [verb, 'latest'])).toMatchObject({ status: 3, stderr: expect.stringContaining(newest) });

      expect(fs.readFileSync(join(world.project, 'file'), 'utf8')).toBe('three\n');
      // Nor is it the undo of an earlier restore.
      for (const { session_id: id, kind } of await listSessions(world))
        if (kind === 'run') fs.rmSync(sessionDirectory(world, id), { recursive: true });
      expect(await rollback(world, [verb, 'latest'])).toMatchObject({ status: 3, stderr: expect.stringContaining(newest) });
    },
  );
});
