import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { mountImage, mountOverlay, mountTmpfs } from '../support/mount.ts';
import { runNono } from '../support/nono.ts';
import { commitProject, readProject, rollback, runTracked, writeProject } from '../support/rollback.ts';
import { dumpTree } from '../support/tree.ts';
import { waitFor } from '../support/wait.ts';
import { createWorld, type World } from '../support/world.ts';

describe('nono rollback restore of a session that renamed what no snapshot holds', () => {
  /** The command has moved what rules leave out, and `.git`, to names that no rule leaves out. */
  async function createMoved(script: string): Promise<World> {
    const world = createWorld();
    writeProject(world, {
      '.gitignore': '/.env\nbuild/\n',
      '.env': 'KEY=1\n',
      'build/sub/a': 'A\n',
      'build/b': 'B\n',
      plain: 'old\n',
    });
    writeProject(world, { 'src/s': 'tracked\n' });
    commitProject(world);
    // Older than the session by more than a file system may round its times to.
    const ended = Date.now();
    await waitFor('a clock that has gone on', () => Date.now() - ended > 100 || undefined);
    await runTracked(world, `echo new > plain; mv src lib; echo new > lib/made; ${script}`);
    return world;
  }

  test('changes nothing and says what each was, until it is moved back', async () => {
    using world = await createMoved(
      'mv .env env.bak; mv build out; echo more > out/made; mv .git git.bak; echo x > git.bak/HEAD',
    );
    const left = dumpTree(world.project);

    const outcome = await rollback(world, ['restore', 'latest']);
    expect(outcome).toMatchObject({ status: 3, stdout: '' });
    expect(outcome.stderr).toContain(
      [
        "3 paths are not the session's alone",
        '  env.bak (was .env, which no snapshot holds: move it back)',
        '  git.bak (was .git, which no snapshot holds: move it back)',
        '  out (was build, which no snapshot holds: move it back) [E_CONFLICT]',
      ].join('\n'),
    );
    expect(dumpTree(world.project)).toEqual(left);

    for (const [from, to] of [
      ['env.bak', '.env'],
      ['out', 'build'],
      ['git.bak', '.git'],
    ] as const)
      fs.renameSync(join(world.project, from), join(world.project, to));
    expect(await rollback(world, ['restore', 'latest'])).toMatchObject({ status: 0 });
    expect(fs.readdirSync(world.project).sort()).toEqual(['.env', '.git', '.gitignore', 'build', 'plain', 'src']);
    expect(readProject(world, '.env')).toBe('KEY=1\n');
    expect(readProject(world, 'plain')).toBe('old\n');
  });

  test('--keep-conflicts leaves it whole, also what was in an excluded directory or has taken the place of a file', async () => {
    using world = await createMoved('mv build/sub/a a; mv .env plain; mv build/sub sub; cp plain copy; ln build/b linked');
    const outcome = await rollback(world, ['restore', 'latest', '--keep-conflicts']);
    expect(outcome).toMatchObject({ status: 3, stderr: '' });
    expect(outcome.stdout).toContain('  Left a: older than the session, and no snapshot holds it\n');
    expect(outcome.stdout).toContain('  Left plain: was .env, which no snapshot holds: move it back\n');
    expect(readProject(world, 'a')).toBe('A\n');
    expect(readProject(world, 'plain')).toBe('KEY=1\n');
    expect(readProject(world, 'build/b')).toBe('B\n');
    // What the session made, and one more name of what is in its place, goes.
    for (const name of ['copy', 'linked', 'lib']) expect(fs.existsSync(join(world.project, name))).toBe(false);
    expect(readProject(world, 'src/s')).toBe('tracked\n');
  });

  test('removes it with --force, which can be undone', async () => {
    using world = await createMoved('mv build out');
    const left = dumpTree(world.project);
    const outcome = await rollback(world, ['restore', 'latest', '--force']);
    expect(outcome).toMatchObject({ status: 0, stderr: '' });
    expect(fs.existsSync(join(world.project, 'out'))).toBe(false);
    const [, safety = ''] = /Undo with: nono rollback restore (\S+)/.exec(outcome.stdout) ?? [];
    expect(await rollback(world, ['restore', safety])).toMatchObject({ status: 0 });
    expect(dumpTree(world.project)).toEqual(left);
  });
});

/** Older than the session by more than a file system may round its times to. */
async function untilOlder(): Promise<void> {
  const ended = Date.now();
  await waitFor('a clock that has gone on', () => Date.now() - ended > 100 || undefined);
}

describe('what no snapshot holds and the command has moved', () => {
  test('is known again on a file system that lies over another, where a rename makes it anew', async (context) => {
    using world = createWorld();
    const below = join(world.directory, 'below');
    fs.mkdirSync(join(below, 'build'), { recursive: true });
    fs.writeFileSync(join(below, '.gitignore'), '.env\nbuild/\n');
    fs.writeFileSync(join(below, '.env'), 'KEY=1\n');
    fs.writeFileSync(join(below, 'build/a'), 'A\n');
    fs.writeFileSync(join(below, 'plain'), 'old\n');
    using _ = mountOverlay(context, below, world.project);
    await untilOlder();
    await runTracked(world, 'mv .env env.bak; mv build out; echo new > plain');
    const left = dumpTree(world.project);

    const outcome = await rollback(world, ['restore', 'latest']);
    expect(outcome).toMatchObject({ status: 3, stdout: '' });
    expect(outcome.stderr).toContain('  env.bak (was .env, which no snapshot holds: move it back)');
    expect(outcome.stderr).toContain('  out (was build, which no snapshot holds: move it back)');
    expect(dumpTree(world.project)).toEqual(left);
  });

  test('is known again as the copy that it is on another file system', async (context) => {
    using world = createWorld();
    const other = join(world.directory, 'other');
    using _ = mountTmpfs(context, other, 'size=3m');
    writeProject(world, { '.gitignore': '.env\nbuild/\n', '.env': 'KEY=1\n', 'build/a': 'A\n', plain: 'old\n' });
    await untilOlder();
    const script = 'mv .env "$1/env"; mv build "$1/out"; cp -p plain "$1/copy"; echo new > plain';
    const words = ['run', '--rollback', '--allow-cwd', '--allow', other, '--', 'sh', '-c', script, 'sh', other];
    expect(await runNono(world, words)).toMatchObject({ status: 0 });

    const outcome = await rollback(world, ['restore', 'latest', '--keep-conflicts']);
    expect(outcome).toMatchObject({ status: 3, stderr: '' });
    expect(outcome.stdout).toContain(`was ${join(world.project, '.env')}, which no snapshot holds: move it back\n`);
    expect(fs.readdirSync(other).toSorted()).toEqual(['env', 'out']);
    expect(fs.readFileSync(join(other, 'out/a'), 'utf8')).toBe('A\n');
    expect(readProject(world, 'plain')).toBe('old\n');
  });

  test('is not taken for a file with the same number on another file system', async (context) => {
    using world = createWorld();
    const other = join(world.directory, 'other');
    using _ = mountTmpfs(context, world.project, 'size=3m');
    using __ = mountTmpfs(context, other, 'size=3m');
    for (const directory of [world.project, other]) fs.writeFileSync(join(directory, '.env'), 'KEY=1\n');
    fs.renameSync(join(other, '.env'), join(other, 'held'));
    fs.writeFileSync(join(world.project, '.gitignore'), '.env\n');
    const inodes = [join(world.project, '.env'), join(other, 'held')].map((path) => fs.statSync(path).ino);
    expect(inodes[0]).toBe(inodes[1]);
    await untilOlder();
    const words = ['run', '--rollback', '--allow-cwd', '--allow', other, '--', 'mv', '.env', 'env.bak'];
    expect(await runNono(world, words)).toMatchObject({ status: 0 });

    const outcome = await rollback(world, ['restore', 'latest']);
    expect(outcome).toMatchObject({ status: 3, stderr: expect.stringContaining('/env.bak (was .env, which no snapshot holds') });
    expect(readProject(world, 'env.bak')).toBe('KEY=1\n');
  });

  test('stays when all the names go that the command has given it', async () => {
    using world = createWorld();
    writeProject(world, { 'node_modules/a': 'A\n', 'node_modules/b': 'B\n' });
    await untilOlder();
    await runTracked(world, 'mv node_modules/a one; ln one two; ln node_modules/b three');
    const outcome = await rollback(world, ['restore', 'latest', '--keep-conflicts']);
    expect(outcome.status).toBe(3);
    expect(fs.readdirSync(world.project).toSorted()).toEqual(['node_modules', 'one', 'two']);
  });
});

test('what a session made on a file system without times of birth, whose times are whole seconds, is its own', async (context) => {
  using volume = mountImage(context, 'ext4', ['-I', '128']);
  using world = createWorld({ place: volume.at('.') });
  writeProject(world, { 'd/file': 'old\n' });
  const before = dumpTree(world.project);
  const isWithinSecond = () => Date.now() % 1000 > 300 && Date.now() % 1000 < 500;
  await waitFor('a moment well within a second', () => isWithinSecond() || undefined);
  await runTracked(world, 'echo new > made; rm d/file; ln -s / d/file');
  expect(await rollback(world, ['restore', 'latest'])).toMatchObject({ status: 0, stderr: '' });
  expect(dumpTree(world.project)).toEqual(before);
});
