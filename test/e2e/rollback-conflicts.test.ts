import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runNono, runProgram } from '../support/nono.ts';
import { listSessions, readProject, rollback, runTracked, writeProject } from '../support/rollback.ts';
import { untilStatus } from '../support/sessions.ts';
import { needOtherUser } from '../support/tools.ts';
import { dumpTree } from '../support/tree.ts';
import { waitFor } from '../support/wait.ts';
import { createWorld, type World } from '../support/world.ts';

/** A session that changed three files and made one, one of which somebody has edited since. */
async function createConflict(): Promise<World & { readonly before: readonly string[] }> {
  const world = createWorld();
  writeProject(world, { mine: 'old\n', plain: 'old\n', 'sub/gone': 'old\n', 'sub/kept': 'old\n' });
  const before = dumpTree(world.project);
  await runTracked(world, 'echo new > mine; echo new > plain; rm sub/gone; echo new > made');
  fs.writeFileSync(join(world.project, 'mine'), 'edited by the user\n');
  return { ...world, before };
}

describe('nono rollback restore with a conflict', () => {
  test('refuses as a whole, names the path and changes nothing', async () => {
    using world = await createConflict();
    const left = dumpTree(world.directory);

    const outcome = await rollback(world, ['restore', 'latest']);

    expect(outcome).toMatchObject({ status: 3, stdout: '' });
    expect(outcome.stderr).toMatch(
      /^Error: Cannot restore "\d{8}-\d{6}-\d+": [^]*\n {2}mine \(changed since\) \[E_CONFLICT\]\nHint: Nothing was changed.*--force.*--keep-conflicts\n$/,
    );
    expect(dumpTree(world.directory)).toEqual(left);
  });

  test('gives one document with --json', async () => {
    using world = await createConflict();
    const outcome = await rollback(world, ['restore', 'latest', '--json']);
    expect(outcome).toMatchObject({ status: 3, stderr: '' });
    expect(JSON.parse(outcome.stdout)).toMatchObject({
      snapshot: 0,
      dry_run: false,
      actions: [],
      conflicts: [{ path: join(world.project, 'mine'), reason: 'changed since' }],
      restore_session: null,
    });
    expect(readProject(world, 'plain')).toBe('new\n');
  });

  test('--dry-run says what would be done and what is in the way, and changes nothing', async () => {
    using world = await createConflict();
    const left = dumpTree(world.directory);
    const outcome = await rollback(world, ['restore', 'latest', '--dry-run']);
    expect(outcome).toMatchObject({ status: 3, stderr: '' });
    expect(outcome.stdout).toMatch(
      /^Would restore 3 paths to snapshot 0 of \S+\n {2}- made\n {2}~ plain\n {2}\+ sub\/gone\n {2}Left mine: changed since\n$/,
    );
    expect(dumpTree(world.directory)).toEqual(left);
  });

  test('--force takes it over, and the undo of the restore brings it back', async () => {
    using world = await createConflict();
    const left = dumpTree(world.project);

    const outcome = await rollback(world, ['restore', 'latest', '--force']);
    expect(outcome).toMatchObject({ status: 0, stderr: '' });
    expect(dumpTree(world.project)).toEqual(world.before);

    const [, safety = ''] = /Undo with: nono rollback restore (\S+)/.exec(outcome.stdout) ?? [];
    expect(await rollback(world, ['restore', safety])).toMatchObject({ status: 0 });
    expect(dumpTree(world.project)).toEqual(left);
  });

  test('--keep-conflicts restores everything else', async () => {
    using world = await createConflict();
    const outcome = await rollback(world, ['restore', 'latest', '--keep-conflicts']);
    expect(outcome).toMatchObject({ status: 3, stderr: '' });
    expect(outcome.stdout).toContain('  Left mine: changed since\n');
    expect(readProject(world, 'mine')).toBe('edited by the user\n');
    expect(readProject(world, 'plain')).toBe('old\n');
    expect(fs.existsSync(join(world.project, 'made'))).toBe(false);
  });

  test.for([
    { cwd: '.', paths: ['plain'], restored: ['plain'] },
    { cwd: '.', paths: ['sub'], restored: ['sub/gone'] },
    { cwd: 'sub', paths: ['gone', '../made'], restored: ['sub/gone', 'made'] },
    { cwd: 'sub', paths: ['.'], restored: ['sub/gone'] },
    { cwd: '.', paths: ['link/gone'], restored: ['sub/gone'] },
  ])('with $paths given in $cwd only those count and only those are restored', async ({ cwd, paths, restored }) => {
    using world = await createConflict();
    fs.symlinkSync('sub', join(world.project, 'link'));
    const outcome = await rollback(world, ['restore', 'latest', ...paths], { cwd: join(world.project, cwd) });
    expect(outcome).toMatchObject({ status: 0, stderr: '' });
    const isOld = (name: string) => fs.existsSync(join(world.project, name)) && readProject(world, name) === 'old\n';
    expect(isOld('plain')).toBe(restored.includes('plain'));
    expect(isOld('sub/gone')).toBe(restored.includes('sub/gone'));
    expect(fs.existsSync(join(world.project, 'made'))).toBe(!restored.includes('made'));
    expect(readProject(world, 'mine')).toBe('edited by the user\n');
  });

  test('the conflict itself, given as PATH, is refused and with --force restored', async () => {
    using world = await createConflict();
    expect(await rollback(world, ['restore', 'latest', 'mine'])).toMatchObject({ status: 3 });
    expect(await rollback(world, ['restore', 'latest', 'mine', '--force'])).toMatchObject({ status: 0 });
    expect(readProject(world, 'mine')).toBe('old\n');
    expect(readProject(world, 'plain')).toBe('new\n');
  });

  test.for([
    { words: ['latest', '/etc/passwd'], status: 2, stderr: /Cannot restore "\/etc\/passwd": session .* tracks / },
    { words: ['latest', '..'], status: 0, stderr: /^$/ },
    { words: ['latest', '--force', '--keep-conflicts'], status: 2, stderr: /--force with --keep-conflicts/ },
    { words: ['latest', '--abort', '--dry-run'], status: 2, stderr: /Cannot use --abort with --dry-run/ },
    { words: ['latest', '--abort', '--snapshot', '0'], status: 2, stderr: /Cannot use --abort with --snapshot/ },
    { words: ['latest', 'mine', '--abort'], status: 2, stderr: /Cannot use --abort with "mine"/ },
    { words: ['latest', '--snapshot', '7'], status: 2, stderr: /Cannot use snapshot 7/ },
    { words: ['latest', '--snapshot', '-1'], status: 2, stderr: /snapshot/ },
    { words: ['latest', '--snapshot', '1'], status: 0, stderr: /^$/ },
  ])('with $words gives $status', async ({ words, status, stderr }) => {
    using world = await createConflict();
    fs.writeFileSync(join(world.project, 'mine'), 'new\n');
    const outcome = await rollback(world, ['restore', ...words]);
    expect(outcome.stderr).toMatch(stderr);
    expect(outcome.status).toBe(status);
  });
});

describe('nono rollback restore', () => {
  test('twice is once, and the second says that there is nothing to do', async () => {
    using world = createWorld();
    writeProject(world, { file: 'old' });
    const before = dumpTree(world.project);
    await runTracked(world, 'echo new > file');
    expect(await rollback(world, ['restore', 'latest'])).toMatchObject({ status: 0 });
    const second = await rollback(world, ['restore', 'latest']);
    expect(second).toMatchObject({ status: 0, stderr: '' });
    expect(second.stdout).toMatch(/^Nothing to restore/);
    expect(dumpTree(world.project)).toEqual(before);
    expect(await listSessions(world)).toHaveLength(2);
  });

  test('leaves what a user has put into a directory that the session made, even with --force', async () => {
    using world = createWorld();
    writeProject(world, { file: 'old' });
    await runTracked(world, 'mkdir made; echo theirs > made/theirs; echo new > file');
    fs.writeFileSync(join(world.project, 'made/mine'), 'precious');
    const outcome = await rollback(world, ['restore', 'latest', '--force']);
    expect(outcome).toMatchObject({ status: 0, stderr: '' });
    expect(outcome.stdout).toMatch(/Kept made: /);
    expect(fs.readdirSync(join(world.project, 'made'))).toEqual(['mine']);
  });
});

describe('nono rollback restore', () => {
  test('--touch gives files whose content comes back the time of the restore, and no others', async () => {
    using world = createWorld();
    writeProject(world, { edited: 'old\n', gone: 'old\n', closed: 'old\n', kept: 'old\n' });
    for (const name of ['edited', 'gone', 'closed', 'kept'])
      fs.utimesSync(join(world.project, name), 1_500_000_000, 1_500_000_000);
    await runTracked(world, 'echo new > edited; rm gone; chmod 600 closed');
    const begunMs = Date.now();

    expect(await rollback(world, ['restore', 'latest', '--touch'])).toMatchObject({ status: 0, stderr: '' });

    const timeMs = (name: string) => fs.statSync(join(world.project, name)).mtimeMs;
    for (const name of ['edited', 'gone']) {
      expect(timeMs(name)).toBeGreaterThanOrEqual(begunMs);
      expect(timeMs(name)).toBeLessThanOrEqual(Date.now());
    }
    for (const name of ['closed', 'kept']) expect(timeMs(name)).toBe(1_500_000_000_000);
    expect(fs.readdirSync(world.project).map((name) => readProject(world, name))).toEqual(Array(4).fill('old\n'));
    const again = await rollback(world, ['restore', 'latest']);
    expect(again.stdout).toMatch(/^Nothing to restore: /);
    expect(await rollback(world, ['verify', '--all'])).toMatchObject({ status: 0 });
  });

  test('names what rules leave out and the session changed', async () => {
    using world = createWorld();
    writeProject(world, {
      file: 'old\n',
      '.gitignore': 'build/\n*.log\n',
      'node_modules/a/b': 'x\n',
      'build/x': 'x\n',
      'kept.log': 'x\n',
    });
    await runTracked(world, 'echo new > file; : > node_modules/new; rm -r build; : > new.log');

    const outcome = await rollback(world, ['restore', 'latest', '--dry-run', '--json']);
    const { excluded_changed: excluded } = JSON.parse(outcome.stdout) as { readonly excluded_changed: readonly unknown[] };
    expect(excluded).toEqual(['build', 'new.log', 'node_modules'].map((name) => ({ path: join(world.project, name) })));
    const shown = await rollback(world, ['restore', 'latest']);
    expect(shown.stdout).toMatch(/Not tracked, and changed: build\n.*changed: new\.log\n.*changed: node_modules\nUndo with/);
    const narrowed = await rollback(world, ['restore', 'latest', 'file']);
    expect(narrowed.stdout).not.toContain('Not tracked');
  });

  test('names what the session made and no snapshot holds for what it is', async () => {
    using world = createWorld();
    writeProject(world, { file: 'old\n', plain: 'old\n', 'sub/file': 'old\n' });
    await runProgram(world, ['mkfifo', 'still', 'gone', 'filled']);
    const script = 'echo new > file; mkfifo sub/made; rm gone; rm filled; echo new > filled; rm plain; mkfifo plain';
    await runTracked(world, script);

    const outcome = await rollback(world, ['restore', 'latest']);
    expect(outcome).toMatchObject({ status: 0, stderr: '' });
    const named = [...outcome.stdout.matchAll(/Not tracked, and changed: (.*)/g)].map(([, name]) => name);
    expect(named).toEqual(['filled', 'gone', 'sub/made']);
    // It stood in the way of a file.
    expect(readProject(world, 'plain')).toBe('old\n');

    const [, safety = ''] = /Undo with: nono rollback restore (\S+)/.exec(outcome.stdout) ?? [];
    const undone = await rollback(world, ['restore', safety]);
    expect(undone.stdout).toMatch(/Not tracked, and changed: plain\nUndo with/);
  });
});

describe('nono rollback restore of a session during which another one was restored', () => {
  test('keeps what that restore gave, unless it is told otherwise, and does without it when it is damaged', async () => {
    using world = createWorld();
    writeProject(world, { mine: 'old\n', other: 'old\n' });
    await runTracked(world, 'echo first > mine');
    const words = [
      '--detached',
      '--rollback',
      '--allow-cwd',
      '--name',
      'live',
      '--',
      'sh',
      '-c',
      'echo second > other; echo ready; cat',
    ];
    expect(await runNono(world, ['run', ...words])).toMatchObject({ status: 0 });
    await waitFor('the command', async () => (await runNono(world, ['logs', 'live'])).stdout.includes('ready'));
    const [, first] = (await listSessions(world)).map(({ session_id: id }) => id);
    const undone = await rollback(world, ['restore', first ?? '', '--json']);
    const { restore_session: between } = JSON.parse(undone.stdout) as { readonly restore_session: string };
    expect(await runNono(world, ['stop', 'live'])).toMatchObject({ status: 0 });

    const refused = await rollback(world, ['restore', 'latest']);
    expect(refused).toMatchObject({ status: 3, stderr: expect.stringContaining(`  mine (changed by session ${between} too)`) });
    expect(readProject(world, 'mine')).toBe('old\n');

    fs.writeFileSync(join(world.state, 'rollbacks', between, 'snapshots/1/nodes'), 'damage');
    expect(await rollback(world, ['restore', 'latest'])).toMatchObject({ status: 0, stderr: expect.stringContaining(between) });
    expect([readProject(world, 'mine'), readProject(world, 'other')]).toEqual(['first\n', 'old\n']);
  });
});

describe('nono rollback restore beside a session that still runs on the same files', () => {
  const signals = '.signals';
  const until = (name: string) => `while [ ! -e ${signals}/${name} ]; do sleep 0.01; done`;
  const signal = (world: World, name: string) => fs.writeFileSync(join(world.project, signals, name), '');

  /** Its command goes from one script to the next when it is told to. */
  async function start(world: World, name: string, ...steps: readonly string[]): Promise<string> {
    const script = steps.map((step, at) => `${step}; : > ${signals}/${name}-did-${at}; ${until(`${name}-go-${at}`)}`).join('\n');
    const options = ['--detached', '--rollback', '--allow-cwd', '--rollback-exclude', `/${signals}`];
    const outcome = await runNono(world, ['run', ...options, '--', 'sh', '-c', script]);
    expect(outcome).toMatchObject({ status: 0 });
    return /session (\w{6})/.exec(outcome.stdout)?.[1] ?? '';
  }
  const untilDid = (world: World, name: string, at: number) =>
    waitFor(`step ${at} of ${name}`, () => fs.existsSync(join(world.project, signals, `${name}-did-${at}`)));

  test.for([
    { what: 'as it began', isCheckpointed: false },
    { what: 'with a checkpoint', isCheckpointed: true },
  ])('leaves what that one ($what) reports too, and nothing else', async ({ isCheckpointed }) => {
    using world = createWorld();
    writeProject(world, { mine: 'old\n', theirs: 'old\n', [`${signals}/ready`]: '' });
    const id = await start(world, 'first', 'echo new > mine');
    await untilDid(world, 'first', 0);
    const other = await start(world, 'second', 'true', 'echo new > theirs; echo new > made');
    await untilDid(world, 'second', 0);
    if (isCheckpointed) expect(await rollback(world, ['checkpoint', other])).toMatchObject({ status: 0 });
    signal(world, 'second-go-0');
    await untilDid(world, 'second', 1);
    signal(world, 'first-go-0');
    await untilStatus(world, id, 'exited');
    const [second = ''] = (await listSessions(world)).flatMap((one) => (one.run_id === other ? [one.session_id] : []));

    const refused = await rollback(world, ['restore', id]);
    expect(refused.status).toBe(3);
    expect(refused.stderr).toContain(
      `  made (changed by session ${second} too)\n  theirs (changed by session ${second} too) [E_CONFLICT]`,
    );
    expect([readProject(world, 'mine'), readProject(world, 'theirs')]).toEqual(['new\n', 'new\n']);

    expect(await rollback(world, ['restore', id, '--keep-conflicts'])).toMatchObject({ status: 3 });
    expect(['mine', 'theirs', 'made'].map((name) => readProject(world, name))).toEqual(['old\n', 'new\n', 'new\n']);
    expect(await rollback(world, ['restore', id, 'theirs'])).toMatchObject({ status: 0 });
    expect(['theirs', 'made'].map((name) => readProject(world, name))).toEqual(['old\n', 'new\n']);
    expect(await runNono(world, ['stop', other])).toMatchObject({ status: 0 });
  });
});

describe('nono rollback restore of an ordinary user', () => {
  test('gets what the session had closed even to its owner back when the restore is undone', async (context) => {
    needOtherUser(context);
    using world = createWorld({ ordinaryUser: true });
    writeProject(world, { written: 'old\n', closed: 'same\n', 'it/written': 'old\n' });
    const before = dumpTree(world.project);
    await runTracked(world, 'echo new > written; echo new > it/written; chmod 000 written closed it/written');
    const left = dumpTree(world.project);
    let id = 'latest';
    for (const expected of [before, left, before, left]) {
      const { status, stdout, stderr } = await rollback(world, ['restore', id, '--json']);
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(dumpTree(world.project)).toEqual(expected);
      id = (JSON.parse(stdout) as { readonly restore_session: string }).restore_session;
    }
  });

  test.for(['000', '300', '600'])(
    'brings back a tracked directory that the command has closed (%s) and what is in it',
    async (mode, context) => {
      needOtherUser(context);
      using world = createWorld({ ordinaryUser: true });
      const many = Object.fromEntries(Array.from({ length: 400 }, (_, at) => [`many/${at}`, `${at}\n`]));
      writeProject(world, { ...many, plain: 'old\n' });
      const other = join(world.home, 'other');
      fs.mkdirSync(other);
      fs.writeFileSync(join(other, 'mine'), 'old\n');
      const { uid, gid } = fs.statSync(world.project);
      for (const path of [other, join(other, 'mine')]) fs.chownSync(path, uid, gid);
      const trees = () => [world.project, other].map((path) => dumpTree(path));
      const before = trees();
      const script = `for file in plain many/* ${other}/mine; do echo new > "$file"; done; chmod ${mode} ${other} .`;
      const options = ['--rollback', '--allow-cwd', '--allow', other];

      const { status, stderr: said } = await runNono(world, ['run', ...options, '--', 'sh', '-c', script]);

      expect(status).toBe(0);
      expect(said).not.toContain('FAILED');
      const left = trees();
      expect((await rollback(world, ['show', 'latest'])).stdout).toMatch(/Not tracked:\n(.*\n)*.*other: not readable\n/);
      let id = 'latest';
      for (const expected of [before, left]) {
        const restored = await rollback(world, ['restore', id, '--json']);
        expect(restored).toMatchObject({ status: 0, stderr: '' });
        expect(trees()).toEqual(expected);
        id = (JSON.parse(restored.stdout) as { readonly restore_session: string }).restore_session;
      }
    },
  );

  test('takes for a conflict what somebody changed in a directory that the command had closed', async (context) => {
    needOtherUser(context);
    using world = createWorld({ ordinaryUser: true });
    writeProject(world, { 'it/mine': 'old\n', 'it/theirs': 'old\n' });
    await runTracked(world, 'echo new > it/mine; echo new > it/theirs; chmod 000 it');
    const mine = join(world.project, 'it/mine');
    expect(await runProgram(world, ['sh', '-c', `chmod 700 it; echo edited > it/mine`])).toMatchObject({ status: 0 });

    const refused = await rollback(world, ['restore', 'latest']);
    expect(refused).toMatchObject({ status: 3, stderr: expect.stringContaining('  it/mine (changed since) [E_CONFLICT]\n') });
    expect(await rollback(world, ['restore', 'latest', '--keep-conflicts'])).toMatchObject({ status: 3 });
    expect([mine, join(world.project, 'it/theirs')].map((path) => fs.readFileSync(path, 'utf8'))).toEqual(['edited\n', 'old\n']);
  });

  test('restores what it may, says what it may not, and the rest when it may', async (context) => {
    needOtherUser(context);
    using world = createWorld({ ordinaryUser: true });
    const many = Object.fromEntries(Array.from({ length: 400 }, (_, at) => [`many/${at}`, `${at}\n`]));
    writeProject(world, { plain: 'old\n', 'it/changed': 'old\n', 'it/sub/closed': 'old\n', ...many });
    const before = dumpTree(world.project);
    await runTracked(world, 'echo new > plain; echo new > it/changed; echo new > it/made; rm many/*; chmod 000 it/sub');
    const { uid, gid } = fs.statSync(world.project);
    const own = (...owner: readonly [number, number]) => {
      for (const name of ['it', 'it/sub', 'many']) fs.chownSync(join(world.project, name), ...owner);
    };
    own(0, 0);

    const partly = await rollback(world, ['restore', 'latest']);
    expect(partly).toMatchObject({ status: 3, stderr: '' });
    for (const name of ['it/changed', 'it/made', 'it/sub', 'many/0', 'many/399'])
      expect(partly.stdout).toContain(`  Kept ${name}: the system does not permit it\n`);
    expect(readProject(world, 'plain')).toBe('old\n');
    expect(await rollback(world, ['restore', 'latest', 'it/changed'])).toMatchObject({
      status: 3,
      stdout: expect.stringContaining('Could not restore the path to snapshot 0'),
    });
    own(uid, gid);
    expect(await rollback(world, ['restore', 'latest'])).toMatchObject({ status: 0, stderr: '' });
    expect(dumpTree(world.project)).toEqual(before);
  });
});
