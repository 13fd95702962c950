import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runNono } from '../support/nono.ts';
import { commitProject, listSessions, rollback, runTracked, sessionDirectory, writeProject } from '../support/rollback.ts';
import { createWorld, type World } from '../support/world.ts';

interface GitChange {
  readonly path: string;
  readonly kind: string;
  readonly text: string;
  readonly take_back: readonly string[];
  readonly reason: string | null;
}

async function createRepository(): Promise<World> {
  const world = createWorld();
  writeProject(world, { file: 'one\n' });
  commitProject(world);
  const git = (...words: readonly string[]) => execFileSync('git', words, { cwd: world.project, env: world.environment });
  git('config', 'user.name', 'n');
  git('config', 'user.email', 'n@example.org');
  git('config', '--add', 'multi.value', 'a');
  git('config', '--add', 'multi.value', 'b c');
  git('branch', 'other');
  git('tag', 'kept');
  git('pack-refs', '--all');
  return world;
}

async function gitChanges(world: World): Promise<readonly GitChange[]> {
  const { stdout } = await rollback(world, ['show', 'latest', '--json']);
  return (JSON.parse(stdout) as { git: readonly GitChange[] }).git;
}

/** Every byte below `.git`, with modes and times. */
function digest(directory: string): string {
  const hash = createHash('sha256');
  const visit = (path: string): void => {
    const stat = fs.lstatSync(path, { bigint: true });
    hash.update(`${path} ${stat.mode} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}\n`);
    if (stat.isDirectory()) for (const name of fs.readdirSync(path).sort()) visit(join(path, name));
    else if (stat.isFile()) hash.update(fs.readFileSync(path));
  };
  visit(directory);
  return hash.digest('hex');
}

/** What the record is about, as git tells it. */
function describeGit(world: World): string {
  const run = (...words: readonly string[]) =>
    spawnSync('git', words, { cwd: world.project, env: world.environment, encoding: 'utf8' }).stdout;
  return [run('symbolic-ref', 'HEAD'), run('for-each-ref'), run('config', '--local', '--list'), run('status', '--short')].join(
    '---\n',
  );
}

describe('what moved in .git', () => {
  test('is shown with the commands that take it back, and they do', async () => {
    using world = await createRepository();
    const before = describeGit(world);
    await runTracked(
      world,
      'echo two > file; git commit -qam two; git branch made; git branch -q -D other; git tag -d kept; git checkout -q -b elsewhere; git config core.hooksPath /x; git config --unset-all multi.value; git config --add multi.value z; git config alias.co "!sh"; printf "#!/bin/sh\\n" > .git/hooks/pre-commit; chmod 755 .git/hooks/pre-commit',
    );
    expect(describeGit(world)).not.toBe(before);

    const changes = await gitChanges(world);
    expect(changes.map(({ kind, reason }) => `${kind} ${reason === null ? '' : '!'}`).sort()).toEqual(
      ['config !', 'config !', 'config ', 'head ', 'hook !', 'index ', 'ref ', 'ref ', 'ref ', 'ref ', 'ref '].sort(),
    );
    const { stdout } = await rollback(world, ['show', 'latest']);
    expect(stdout).toContain('Moved in .git, which no restore touches:');
    expect(stdout).toContain('  ! hooks/pre-commit is new: git runs it as a hook\n');
    expect(stdout).toContain('  · HEAD moved from master to elsewhere\n');
    for (const command of changes.flatMap(({ take_back: takeBack }) => takeBack)) {
      expect(stdout).toContain(`      ${command}\n`);
      execFileSync('sh', ['-c', command], { cwd: world.directory, env: world.environment });
    }
    await rollback(world, ['restore', 'latest']);
    expect(describeGit(world)).toBe(before);
    expect(fs.existsSync(join(world.project, '.git/hooks/pre-commit'))).toBe(false);
    expect(await rollback(world, ['verify', '--all'])).toMatchObject({ status: 0 });
  });

  test('is said to be possible where refs are in a reftable, which is changed by a new list of tables', async () => {
    using world = await createRepository();
    const list = join(world.project, '.git/reftable/tables.list');
    fs.mkdirSync(join(list, '..'));
    fs.writeFileSync(list, '0x000000000001-0x000000000002-40e2bd1c.ref\n');
    await runTracked(world, 'true');
    expect(await gitChanges(world)).toEqual([]);

    await runTracked(world, 'echo 0x000000000003-0x000000000003-9f1dcbc3.ref >> .git/reftable/tables.list; git branch -q made');
    const found = (await gitChanges(world)).map(({ kind, text, take_back: back }) => ({ kind, text, back: back.length }));
    expect(found).toEqual([
      { kind: 'ref', text: 'refs/heads/made is new', back: 1 },
      { kind: 'ref', text: 'branches or HEAD may have moved, see `git reflog --all`: they are in a reftable', back: 0 },
    ]);
  });

  test('branches that were put where others were a directory are taken away before those come back', async () => {
    using world = await createRepository();
    execFileSync('git', ['branch', 'deep/one'], { cwd: world.project, env: world.environment });
    const before = describeGit(world);
    await runTracked(world, 'git branch -D other deep/one; git branch other/two; git branch deep');
    expect(describeGit(world)).not.toBe(before);
    const commands = (await gitChanges(world)).flatMap(({ take_back: takeBack }) => takeBack);
    execFileSync('sh', ['-e', '-c', commands.join('\n')], { env: world.environment, stdio: 'pipe' });
    expect(describeGit(world)).toBe(before);
  });

  test('brings a hook back that was changed or removed, from what the session kept', async () => {
    using world = await createRepository();
    const hook = join(world.project, '.git/hooks/pre-push');
    fs.writeFileSync(hook, '#!/bin/sh\necho mine\n', { mode: 0o755 });
    await runTracked(world, 'echo two > file; rm .git/hooks/pre-push');
    const [change] = await gitChanges(world);
    expect(change).toMatchObject({ kind: 'hook', text: 'hooks/pre-push is gone', reason: null });
    execFileSync('sh', ['-c', change?.take_back[0] ?? 'false']);
    expect([fs.readFileSync(hook, 'utf8'), fs.statSync(hook).mode & 0o777]).toEqual(['#!/bin/sh\necho mine\n', 0o755]);
  });

  test('no byte, mode or time below .git changes because of nono', async () => {
    using world = await createRepository();
    const git = join(world.project, '.git');
    const before = digest(git);
    await runTracked(world, 'echo two > file');
    for (const words of [
      ['show', 'latest'],
      ['show', 'latest', '--diff'],
      ['restore', 'latest'],
      ['verify', '--all'],
      ['list'],
    ]) {
      await rollback(world, words);
    }
    expect(digest(git)).toBe(before);
    expect(await gitChanges(world)).toEqual([]);
  });

  test('names that attack a shell or a terminal stay in their place', async () => {
    using world = await createRepository();
    await runTracked(
      world,
      `git branch 'a;touch\${IFS}ran' ; git config "alias.x" "$(printf '\\033[2J')'; touch ran '" ; printf x > ".git/hooks/\\$(touch ran) '; touch ran"`,
    );
    const changes = await gitChanges(world);
    const { stdout } = await rollback(world, ['show', 'latest']);
    expect(stdout).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f]/);
    for (const command of changes.flatMap(({ take_back: takeBack }) => takeBack)) {
      execFileSync('bash', ['-c', command], { cwd: world.project, env: world.environment });
    }
    expect(fs.existsSync(join(world.project, 'ran'))).toBe(false);
    expect(fs.readdirSync(join(world.project, '.git/hooks')).filter((name) => !name.endsWith('.sample'))).toEqual([]);
  });

  test('links that the command put into .git are not followed', async () => {
    using world = await createRepository();
    fs.writeFileSync(join(world.directory, 'secret'), 'secret content\n');
    await runTracked(
      world,
      `echo x > file; ln -sf ${world.directory}/secret .git/hooks/pre-commit; rm -f .git/HEAD; ln -s ${world.directory}/secret .git/HEAD`,
    );
    const { stdout } = await rollback(world, ['show', 'latest', '--json']);
    expect(stdout).not.toContain('secret content');
    const [session] = await listSessions(world);
    const found = spawnSync('grep', ['-rl', 'secret content', sessionDirectory(world, session?.session_id ?? '')], {
      encoding: 'utf8',
    });
    expect(found.stdout).toBe('');
  });

  test.for([
    { left: 'a link to itself', plant: 'ln -s .git .git' },
    { left: 'a link to what is no name', plant: 'ln -s "$(printf %0300d 0)" .git' },
    { left: 'a file that names what is no name', plant: 'printf "gitdir: %0300d" 0 > .git' },
    { left: 'a file that names a link to itself', plant: 'ln -s round round; echo gitdir: round > .git' },
    { left: 'a directory that has its other half in what is no name', plant: 'mkdir .git; printf %0300d 0 > .git/commondir' },
  ])('$left, put in the place of .git by the command, keeps nobody from running the next one', async ({ plant }) => {
    using world = await createRepository();
    fs.mkdirSync(join(world.project, 'below'));
    await runTracked(world, `echo two > file; rm -rf .git; ${plant}; cd below; ${plant}`);

    for (const cwd of [world.project, join(world.project, 'below')]) {
      const next = await runNono(world, ['run', '--rollback', '--allow-cwd', '--', 'sh', '-c', 'echo x > new'], { cwd });
      expect(next).toMatchObject({ status: 0, stderr: expect.stringContaining('Changed: 1 created') });
      expect(await rollback(world, ['restore', 'latest'])).toMatchObject({ status: 0 });
      expect(fs.existsSync(join(cwd, 'new'))).toBe(false);
    }
  });

  test('a linked work tree is recorded where its parts are', async () => {
    using world = await createRepository();
    const linked = join(world.directory, 'linked');
    execFileSync('git', ['worktree', 'add', '-q', linked, 'other'], { cwd: world.project, env: world.environment });
    const words = [
      'run',
      '--rollback',
      '--allow-cwd',
      '--allow',
      join(world.project, '.git'),
      '--',
      'sh',
      '-c',
      'echo x > file; git commit -qam x',
    ];
    expect(await runNono(world, words, { cwd: linked })).toMatchObject({ status: 0 });
    const { stdout } = await rollback(world, ['show', 'latest', '--json']);
    const { git } = JSON.parse(stdout) as { git: readonly GitChange[] };
    expect(git.map(({ kind, text }) => `${kind} ${text.replace(/ from .*/, '')}`)).toContain('ref refs/heads/other moved');
  });

  test('a damaged record is found by verify and hides nothing else', async () => {
    using world = await createRepository();
    await runTracked(world, 'echo two > file; git commit -qam two');
    const [session] = await listSessions(world);
    const directory = sessionDirectory(world, session?.session_id ?? '');
    const { git_after: hash } = JSON.parse(fs.readFileSync(join(directory, 'manifest.json'), 'utf8')) as { git_after: string };
    const object = join(directory, 'objects', hash.slice(0, 2), hash.slice(2));
    fs.chmodSync(object, 0o600);
    fs.writeFileSync(object, '{}');
    expect(await rollback(world, ['verify', 'latest'])).toMatchObject({ status: 3, stdout: expect.stringContaining('.git: ') });
    expect(await rollback(world, ['show', 'latest'])).toMatchObject({ status: 0, stdout: expect.stringContaining('~ file') });
  });
});
