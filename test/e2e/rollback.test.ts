import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runNono, runProgram } from '../support/nono.ts';
import {
  commitProject,
  copyRealFiles,
  listSessions,
  ownProject,
  rollback,
  runTracked,
  writeProject,
} from '../support/rollback.ts';
import { needCommands, needOtherUser } from '../support/tools.ts';
import { dumpTree } from '../support/tree.ts';
import { createWorld, type World } from '../support/world.ts';

const KINDS = [
  { user: 'the caller', ordinaryUser: false },
  { user: 'an ordinary user', ordinaryUser: true },
] as const;

const FILES = 500;
/** Two gigabytes are read and hashed, on a machine that is busy with other tests. */
const LARGE_FILE_MS = 120_000;

/** Contents, modes and links without times, which no patch carries. */
function withoutTimes(lines: readonly string[]): string[] {
  return lines.filter((line) => !/^\S+ directory /.test(line)).map((line) => line.replace(/mtime=\d+/, ''));
}

/** Files of many kinds, as git has them. */
function makeMixedProject(world: World): void {
  copyRealFiles(world, FILES);
  writeProject(world, {
    'src/one.js': 'let a = 1;\n',
    'src/two.js': 'a b a\n',
    'README.md': '# It\n',
    'run.sh': '#!/bin/sh\n',
  });
  fs.mkdirSync(join(world.project, 'empty'));
  fs.symlinkSync('src/one.js', join(world.project, 'link'));
  fs.utimesSync(join(world.project, 'README.md'), 1_000_000_000.123, 1_000_000_000.123);
  ownProject(world);
  commitProject(world);
}

describe.for(KINDS)('the main job of $user', ({ ordinaryUser }) => {
  test('in a repository of 500 files: run, list, show, restore, and undo of the restore', async (context) => {
    needCommands(context, 'git');
    if (ordinaryUser) needOtherUser(context);
    using world = createWorld({ ordinaryUser });
    makeMixedProject(world);
    const before = dumpTree(world.project);

    const script = [
      'sed -i s/a/b/ src/*.js; rm README.md; echo new > notes.txt; chmod +x run.sh',
      'rmdir empty; ln -sfn src/two.js link; rm -r vendor/fast-check; mkdir -p made/deep; touch src',
    ].join('; ');
    const run = await runTracked(world, script);
    const changed = dumpTree(world.project);
    expect(changed).not.toEqual(before);
    expect(run.stderr).toMatch(/Tracking .*project as \d{8}-\d{6}-\d+/);
    expect(run.stderr).toMatch(/Changed: 2 created, 3 modified, \d+ deleted, 1 with another mode/);
    const [, id = ''] = /Undo with: nono rollback restore (\S+)/.exec(run.stderr) ?? [];

    const list = await rollback(world, ['list']);
    expect(list).toMatchObject({ status: 0, stderr: '' });
    expect(list.stdout).toMatch(
      new RegExp(
        `^\\[nono\\] 1 session\\(s\\)\\n\\S*project \\(1 session\\)\\n  ${id}  just now  sh  \\+2 files, ~3 modified, .*\\n$`,
      ),
    );

    const show = await rollback(world, ['show', 'latest']);
    expect(show).toMatchObject({ status: 0, stderr: '' });
    for (const line of [
      '  - README.md',
      '  + notes.txt',
      '  ~ src/one.js',
      '  ~ link',
      '  p run.sh  0644 → 0755',
      '  - empty/',
    ]) {
      expect(show.stdout.split('\n').map((shown) => shown.replace(/(?: -> .*)? +\| .*$/, ''))).toContain(line);
    }

    const diff = await rollback(world, ['show', 'latest', '--diff']);
    const copy = join(world.directory, 'copy');
    execFileSync('cp', ['-a', world.project, copy]);
    execFileSync('git', ['apply', '-R'], { cwd: copy, input: diff.stdout });
    expect(withoutTimes(dumpTree(copy, { leaveOut: ['.git'] }))).toEqual(
      withoutTimes(before.filter((line) => !line.startsWith('./.git'))),
    );
    expect(dumpTree(world.project)).toEqual(changed);

    const restore = await rollback(world, ['restore', 'latest']);
    expect(restore).toMatchObject({ status: 0, stderr: '' });
    expect(dumpTree(world.project)).toEqual(before);

    const [, safety = ''] = /Undo with: nono rollback restore (\S+)/.exec(restore.stdout) ?? [];
    expect(await rollback(world, ['restore', safety])).toMatchObject({ status: 0, stderr: '' });
    expect(dumpTree(world.project)).toEqual(changed);

    expect(await rollback(world, ['verify', '--all'])).toMatchObject({ status: 0, stderr: '' });
    expect(await listSessions(world)).toHaveLength(3);
  });

  test('puts back what may not be written: closed directories, setuid files, unreadable ones', async (context) => {
    if (ordinaryUser) needOtherUser(context);
    using world = createWorld({ ordinaryUser });
    writeProject(world, { 'closed/file': 'x', 'closed/deep/file': 'y', secret: 's', tool: 't', gone: 'g' });
    fs.chmodSync(join(world.project, 'tool'), 0o4755);
    fs.chmodSync(join(world.project, 'gone'), 0o444);
    fs.chmodSync(join(world.project, 'closed/deep'), 0o555);
    fs.chmodSync(join(world.project, 'closed'), 0o555);
    const before = dumpTree(world.project);

    await runTracked(
      world,
      'chmod -R u+rwx closed; rm -rf closed/deep; echo 2 > closed/file; chmod 0500 closed; echo 2 > tool; rm -f gone',
    );
    expect(await rollback(world, ['restore', 'latest'])).toMatchObject({ status: 0, stderr: '' });

    expect(dumpTree(world.project)).toEqual(before);
  });

  test.for(['500', '700'])(
    'puts back a directory that the command gave the mode %s, and what is in it',
    async (mode, context) => {
      if (ordinaryUser) needOtherUser(context);
      using world = createWorld({ ordinaryUser });
      writeProject(world, { 'it/file': 'x', 'it/deep/file': 'y', 'it/gone': 'z' });
      const before = dumpTree(world.project);

      await runTracked(world, `echo new > it/deep/file; echo new > it/new; rm it/gone; chmod ${mode} it`);
      expect(await rollback(world, ['restore', 'latest'])).toMatchObject({ status: 0, stderr: '' });

      expect(dumpTree(world.project)).toEqual(before);
    },
  );

  test.for(['000', '300', '400', '600'])(
    'opens a directory that the command closed with the mode %s, puts back what was in it, and closes it on undo',
    async (mode, context) => {
      if (ordinaryUser) needOtherUser(context);
      using world = createWorld({ ordinaryUser });
      writeProject(world, { 'it/file': 'x', 'it/deep/file': 'y', 'it/gone': 'z' });
      const before = dumpTree(world.project);

      await runTracked(world, `echo new > it/deep/file; rm it/gone; chmod ${mode} it/deep; chmod ${mode} it`);
      const left = dumpTree(world.project);
      const restored = await rollback(world, ['restore', 'latest', '--json']);
      expect(restored).toMatchObject({ status: 0, stderr: '' });
      expect(dumpTree(world.project)).toEqual(before);

      const { restore_session: undo } = JSON.parse(restored.stdout) as { readonly restore_session: string };
      expect(await rollback(world, ['restore', undo])).toMatchObject({ status: 0 });
      expect(dumpTree(world.project)).toEqual(left);
    },
  );

  test('lists what it cannot read as skipped and never takes it for created or deleted', async (context) => {
    if (!ordinaryUser) context.skip('root can read everything');
    needOtherUser(context);
    using world = createWorld({ ordinaryUser });
    writeProject(world, { secret: 'mine', 'closed/file': 'mine', plain: 'x' });
    fs.chmodSync(join(world.project, 'secret'), 0o000);
    fs.chmodSync(join(world.project, 'closed'), 0o000);

    await runTracked(world, 'chmod 644 secret; chmod 755 closed; echo y > plain');
    const { stdout } = await rollback(world, ['show', 'latest', '--json']);
    const document = JSON.parse(stdout) as {
      readonly changes: readonly { readonly path: string }[];
      readonly skipped: readonly { readonly path: string; readonly reason: string; readonly snapshot: number }[];
    };
    expect(document.skipped).toEqual(
      ['closed', 'secret'].map((name) => ({ path: join(world.project, name), reason: 'not readable', snapshot: 0 })),
    );
    expect(document.changes.map(({ path }) => path)).toEqual([join(world.project, 'plain')]);
    expect(await rollback(world, ['restore', 'latest'])).toMatchObject({ status: 0 });
    expect(fs.readFileSync(join(world.project, 'secret'), 'utf8')).toBe('mine');
    expect(fs.readFileSync(join(world.project, 'closed/file'), 'utf8')).toBe('mine');
  });
});

describe('nono run --rollback', () => {
  test('tracks the granted directories and files beside the working directory, each once', async () => {
    using world = createWorld();
    const [other, single] = [join(world.directory, 'other'), join(world.directory, 'single.txt')];
    fs.mkdirSync(other);
    fs.writeFileSync(join(other, 'a'), 'old');
    fs.writeFileSync(single, 'old');
    writeProject(world, { 'sub/a': 'old' });
    const before = [world.project, other].map((path) => dumpTree(path));
    const words = ['--allow', other, '--allow', join(world.project, 'sub'), '--write-file', single];
    const script = `echo new > sub/a; echo new > ${other}/a; echo new > ${single}`;

    await runProgram(world, [world.executable, 'run', '--rollback', '--allow-cwd', ...words, '--', 'sh', '-c', script]);
    const [session] = await listSessions(world);
    expect(session?.['tracked_paths']).toEqual([other, world.project, single]);
    const diff = await rollback(world, ['show', 'latest', '--diff']);
    expect(diff.stdout).toContain('+++ b/other/a');
    expect(diff.stdout).toContain('+++ b/project/sub/a');
    expect(await rollback(world, ['restore', 'latest'])).toMatchObject({ status: 0 });

    expect([world.project, other].map((path) => dumpTree(path))).toEqual(before);
    expect(fs.readFileSync(single, 'utf8')).toBe('old');
  });

  test('gives the status of the command, whatever it left in the tree', { timeout: 2 * LARGE_FILE_MS }, async () => {
    using world = createWorld();
    writeProject(world, { file: 'x' });
    // More bytes than 31 bits count, all of which are read.
    const script =
      'mkfifo pipe; ln -s pipe link; ln -s . loop; truncate -s 2200M sparse; mkdir -p d && chmod 0 d; touch "$(printf "bad\\377")"; exit 7';

    const words = ['run', '--rollback', '--allow-cwd', '--', 'sh', '-c', script];
    const { status, stderr } = await runNono(world, words, { timeoutMs: LARGE_FILE_MS });

    expect(status).toBe(7);
    expect(stderr).toMatch(/Changed: \d+ created/);
    const restored = await runNono(world, ['rollback', 'restore', 'latest'], { timeoutMs: LARGE_FILE_MS });
    expect(restored).toMatchObject({ status: 0 });
    expect(fs.readdirSync(world.project).sort()).toEqual(['file', 'pipe']);
  });

  test('refuses when there is nothing to track and starts nothing', async () => {
    using world = createWorld();
    const readable = join(world.directory, 'readable');
    fs.mkdirSync(readable);
    const words = ['run', '--rollback', '--read', readable, '--', 'touch', 'proof'];
    const { status, stderr } = await runProgram(world, [world.executable, ...words]);
    expect(status).toBe(125);
    expect(stderr).toMatch(/E_NOTHING_TRACKED/);
    expect(await runNono(world, words.toSpliced(1, 0, '--dry-run'))).toMatchObject({ status, stderr, stdout: '' });
    expect(fs.existsSync(world.state)).toBe(false);
  });

  test('says in a dry run what it tracks', async () => {
    using world = createWorld();
    writeProject(world, { 'd/f': 'one\n' });
    const words = ['run', '--rollback', '--allow-cwd', '--allow', '.', '--allow', 'd', '--allow-file', 'd/f', '--', 'true'];

    const { stdout } = await runNono(world, words.toSpliced(1, 0, '--dry-run', '--json'));

    await runNono(world, words);
    const { stdout: shown } = await rollback(world, ['show', 'latest', '--json']);
    const tracked = [stdout, shown].map((text) => (JSON.parse(text) as { tracked_paths: unknown }).tracked_paths);
    expect(tracked).toEqual([[world.project], [world.project]]);
  });

  test('sees an edit of the same size and mtime', async () => {
    using world = createWorld();
    writeProject(world, { file: 'one\n' });
    await runTracked(world, 'touch -r file stamp; echo two > file; touch -r stamp file; rm stamp');
    expect((await rollback(world, ['show', 'latest'])).stdout).toContain('~ file');
    await rollback(world, ['restore', 'latest']);
    expect(fs.readFileSync(join(world.project, 'file'), 'utf8')).toBe('one\n');
    ownProject(world);
  });
});
