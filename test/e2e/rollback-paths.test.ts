import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { listSessions, readProject, rollback, runTracked, writeProject } from '../support/rollback.ts';
import { dumpTree } from '../support/tree.ts';
import { createWorld } from '../support/world.ts';

const FILES = {
  'src/main.c': 'main\n',
  'src/deep/one.ts': '1\n',
  'src/deep/two.ts': '2\n',
  'src/deep/notes': 'n\n',
  other: 'o\n',
};

describe('nono rollback restore of the time of a directory', () => {
  test('is nothing to do where its listing stays another one', async () => {
    using world = createWorld();
    writeProject(world, FILES);
    const list = () => listSessions(world);
    await runTracked(world, 'mkdir node_modules; mkfifo src/fifo');
    const left = dumpTree(world.project);

    for (const words of [
      ['restore', 'latest', '--dry-run'],
      ['restore', 'latest'],
    ]) {
      expect(await rollback(world, words)).toMatchObject({ status: 0, stdout: expect.stringMatching(/^Nothing to restore: /) });
    }

    expect([dumpTree(world.project), (await list()).length]).toEqual([left, 1]);
  });

  test('is none of what was done where the session made a directory that somebody put something into', async () => {
    using world = createWorld();
    writeProject(world, FILES);
    await runTracked(world, 'mkdir src/made');
    fs.writeFileSync(join(world.project, 'src/made/mine'), 'mine\n');
    const { status, stdout } = await rollback(world, ['restore', 'latest', '--json']);
    expect({ status, ...JSON.parse(stdout) }).toMatchObject({
      status: 0,
      actions: [],
      kept: [{ path: join(world.project, 'src/made') }],
    });
  });
});

describe('nono rollback restore of one path of a directory that is gone', () => {
  test.for([
    { word: 'src/main.c', back: ['src', 'src/main.c'] },
    { word: 'src/**/*.ts', back: ['src', 'src/deep', 'src/deep/one.ts', 'src/deep/two.ts'] },
    { word: 'src/deep', back: ['src', 'src/deep', 'src/deep/notes', 'src/deep/one.ts', 'src/deep/two.ts'] },
  ])('$word brings back what leads there, with its mode, and nothing else', async ({ word, back }) => {
    using world = createWorld();
    writeProject(world, FILES);
    fs.chmodSync(join(world.project, 'src'), 0o750);
    await runTracked(world, 'rm -r src; echo new > other');

    expect(await rollback(world, ['restore', 'latest', word])).toMatchObject({ status: 0, stderr: '' });

    const names = fs.readdirSync(world.project, { recursive: true, encoding: 'utf8' });
    expect(names.toSorted()).toEqual(['other', ...back]);
    expect(fs.statSync(join(world.project, 'src')).mode & 0o777).toBe(0o750);
    expect(readProject(world, 'other')).toBe('new\n');
  });

  test('can be undone, and leaves what is then asked for', async () => {
    using world = createWorld();
    writeProject(world, FILES);
    const before = dumpTree(world.project);
    await runTracked(world, 'rm -r src');
    const left = dumpTree(world.project);
    const { stdout } = await rollback(world, ['restore', 'latest', 'src/deep/one.ts']);
    const [, safety = ''] = /Undo with: nono rollback restore (\S+)/.exec(stdout) ?? [];
    expect(await rollback(world, ['restore', safety])).toMatchObject({ status: 0 });
    expect(dumpTree(world.project)).toEqual(left);
    expect(await rollback(world, ['restore', 'latest', 'src/main.c'])).toMatchObject({ status: 0 });
    expect(await rollback(world, ['restore', 'latest'])).toMatchObject({ status: 0 });
    expect(dumpTree(world.project)).toEqual(before);
  });

  test('of one that was renamed is not lost from the place where it is', async () => {
    using world = createWorld();
    writeProject(world, FILES);
    await runTracked(world, 'mv src lib');
    expect(await rollback(world, ['restore', 'latest', 'lib/main.c', 'src/main.c'])).toMatchObject({ status: 0 });
    expect(readProject(world, 'src/main.c')).toBe('main\n');
    expect(fs.readdirSync(join(world.project, 'lib'))).toEqual(['deep']);
  });

  test.for([{ link: 'ln -s lib src' }, { link: 'ln -s /etc src' }])(
    'is meant by its name, not by where $link leads since',
    async ({ link }) => {
      using world = createWorld();
      writeProject(world, FILES);
      await runTracked(world, `mv src lib; ${link}`);
      const { stdout } = await rollback(world, ['show', 'latest', 'src/main.c', '--json']);
      expect(JSON.parse(stdout).changes).toMatchObject([{ path: join(world.project, 'src/main.c'), type: '-' }]);

      expect(await rollback(world, ['restore', 'latest', 'src/main.c'])).toMatchObject({ status: 0, stderr: '' });

      expect(fs.readdirSync(join(world.project, 'src'))).toEqual(['main.c']);
      expect(fs.lstatSync(join(world.project, 'src')).isDirectory()).toBe(true);
      expect(readProject(world, 'src/main.c')).toBe('main\n');
      expect(readProject(world, 'lib/main.c')).toBe('main\n');
    },
  );

  test('is reached by links that were there before, from outside and from within', async () => {
    using world = createWorld();
    writeProject(world, FILES);
    fs.symlinkSync('src', join(world.project, 'within'));
    fs.symlinkSync(world.project, join(world.home, 'outside'));
    await runTracked(world, 'echo changed > src/main.c; rm src/deep/one.ts');

    expect(await rollback(world, ['restore', 'latest', 'within/main.c'])).toMatchObject({ status: 0, stderr: '' });
    expect(await rollback(world, ['restore', 'latest', join(world.home, 'outside/src/deep/one.ts')])).toMatchObject({
      status: 0,
    });

    expect([readProject(world, 'src/main.c'), readProject(world, 'src/deep/one.ts')]).toEqual(['main\n', '1\n']);
  });

  test('takes the file away that the session put in its place, and for a conflict what somebody else did', async () => {
    using world = createWorld();
    writeProject(world, FILES);
    await runTracked(world, 'rm -r src; echo in the way > src');
    fs.writeFileSync(join(world.project, 'src'), 'mine');
    const left = dumpTree(world.project);
    const refused = await rollback(world, ['restore', 'latest', 'src/main.c']);
    expect(refused).toMatchObject({ status: 3, stderr: expect.stringContaining('  src (changed since) [E_CONFLICT]') });
    expect(dumpTree(world.project)).toEqual(left);

    fs.writeFileSync(join(world.project, 'src'), 'in the way\n');
    expect(await rollback(world, ['restore', 'latest', 'src/main.c'])).toMatchObject({ status: 0 });
    expect(readProject(world, 'src/main.c')).toBe('main\n');
    expect(fs.readdirSync(join(world.project, 'src'))).toEqual(['main.c']);
  });

  test('makes with --force also a directory that somebody else has removed, whose entries the session left alone', async () => {
    using world = createWorld();
    writeProject(world, FILES);
    const before = dumpTree(join(world.project, 'src/deep'));
    await runTracked(world, 'echo changed > src/deep/one.ts; echo changed > src/deep/two.ts; echo changed > src/deep/notes');
    fs.rmSync(join(world.project, 'src'), { recursive: true });
    const refused = await rollback(world, ['restore', 'latest']);
    expect(refused).toMatchObject({ status: 3, stderr: expect.stringContaining('  src/deep/one.ts (removed since)') });
    expect(await rollback(world, ['restore', 'latest', '--force'])).toMatchObject({ status: 0 });
    expect(dumpTree(join(world.project, 'src/deep'))).toEqual(before);
  });
});

test('nono rollback restore takes the name of a directory for that, also where it could be a glob', async () => {
  using world = createWorld();
  writeProject(world, { 'app/[id]/page': 'old\n', 'app/d/page': 'old\n' });
  writeProject(world, { 'app/[old]/page': 'old\n' });
  await runTracked(world, 'echo new > "app/[id]/page"; echo new > app/d/page; echo new > app/d/made');
  const nothing = await rollback(world, ['restore', 'latest', 'app/[old]']);
  expect(nothing).toMatchObject({ status: 0, stderr: '', stdout: expect.stringMatching(/^Nothing to restore/) });
  expect(await rollback(world, ['restore', 'latest', 'app/d/pgae'])).toMatchObject({
    status: 0,
    stderr: expect.stringMatching(/^\[nono\] Look at the name: ".*\/app\/d\/pgae" is not there/),
  });
  expect(await rollback(world, ['restore', 'latest', 'app/[id]'])).toMatchObject({ status: 0, stderr: '' });
  expect([readProject(world, 'app/[id]/page'), readProject(world, 'app/d/page')]).toEqual(['old\n', 'new\n']);
});
