import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../../src/bytes.ts';
import { DEFAULT_EXCLUSIONS, type Exclusions } from '../../../src/rollback/rules.ts';
import { walkTree } from '../../../src/rollback/snapshot-tree.ts';
import { Engine } from '../../laws/support/engine.ts';

function write(engine: Engine, paths: Readonly<Record<string, string>>): void {
  for (const [path, content] of Object.entries(paths)) {
    fs.mkdirSync(dirname(join(engine.directory, path)), { recursive: true });
    fs.writeFileSync(join(engine.directory, path), content);
  }
}

function git(engine: Engine, directory: string, ...words: readonly string[]): void {
  execFileSync('git', ['-C', join(engine.directory, directory), ...words], { stdio: 'pipe' });
}

/** Paths of files that the snapshot holds, and of what it skips, relative to the root. */
async function captured(
  engine: Engine,
  edit: () => void = () => undefined,
  snapshot = 0,
  exclusions: Exclusions = DEFAULT_EXCLUSIONS,
) {
  const id = await engine.run(edit, { exclusions });
  return await engine.look(id, (session, { manifest }) => {
    const held: string[] = [];
    const skipped: Record<string, string> = {};
    for (const { path, entry } of walkTree(session.tree(manifest, snapshot))) {
      const shown = relative(engine.root, path);
      if (entry.kind === 'skipped') skipped[shown] = entry.reason ?? '';
      else if (entry.kind !== 'directory') held.push(shown);
    }
    return { held, skipped };
  });
}

describe('startRollback()', () => {
  test('tracks a root whose own path has excluded names in it', async () => {
    using engine = new Engine('node_modules/target/.venv');
    write(engine, { 'node_modules/target/.venv/src/a': 'a', 'node_modules/target/.venv/target/b': 'b' });
    expect(await captured(engine)).toEqual({ held: ['src/a'], skipped: { target: 'excluded' } });
  });

  test('tracks a root that lies in an ignored directory of its work tree', async () => {
    using engine = new Engine('repository/build/out');
    write(engine, {
      'repository/.gitignore': 'build/\n/build/out/generated\n',
      'repository/build/out/a': 'a',
      'repository/build/out/generated': 'g',
    });
    git(engine, 'repository', 'init', '-q');
    expect(await captured(engine)).toEqual({ held: ['a'], skipped: { generated: 'excluded' } });
  });

  test('goes by the ignore files of the parents up to the top of the work tree and no further', async () => {
    using engine = new Engine('above/repository/sub/root');
    write(engine, {
      'above/.gitignore': 'beyond\n',
      'above/repository/.gitignore': '*.log\n/sub/root/anchored\n/anchored-above\n',
      'above/repository/sub/.gitignore': '!keep.log\nroot/other\n',
      ...Object.fromEntries(
        ['a.log', 'keep.log', 'anchored', 'anchored-above', 'other', 'beyond', 'deep/b.log', 'deep/anchored'].map((name) => [
          `above/repository/sub/root/${name}`,
          name,
        ]),
      ),
    });
    git(engine, 'above/repository', 'init', '-q');
    const { held, skipped } = await captured(engine);
    expect(held).toEqual(['anchored-above', 'beyond', 'deep/anchored', 'keep.log']);
    expect(Object.keys(skipped)).toEqual(['a.log', 'anchored', 'deep/b.log', 'other']);
  });

  test('reads the ignore files of every level, with and without a repository', async () => {
    for (const isRepository of [false, true]) {
      using engine = new Engine();
      write(engine, {
        'tree/.gitignore': '*.o\n',
        'tree/a/.gitignore': '!wanted.o\nprivate/\n',
        'tree/a/x.o': '',
        'tree/a/wanted.o': '',
        'tree/a/private/y': '',
        'tree/b/wanted.o': '',
        'tree/b/private/y': '',
      });
      if (isRepository) git(engine, 'tree', 'init', '-q');
      const { held, skipped } = await captured(engine);
      expect(held).toEqual(['.gitignore', 'a/.gitignore', 'a/wanted.o', 'b/private/y']);
      expect(Object.keys(skipped).filter((name) => name !== '.git')).toEqual(['a/private', 'a/x.o', 'b/wanted.o']);
    }
  });

  test('keeps what git tracks in spite of a rule, and enters the directories that lead there', async () => {
    using engine = new Engine();
    write(engine, {
      'tree/.gitignore': 'dist/\n*.min.js\n',
      'tree/dist/deep/kept': 'k',
      'tree/dist/deep/left': 'l',
      'tree/dist/left': 'l',
      'tree/a.min.js': 'tracked',
      'tree/b.min.js': 'untracked',
      'tree/node_modules/patched/index.js': 'tracked',
      'tree/node_modules/other/index.js': 'untracked',
    });
    git(engine, 'tree', 'init', '-q');
    git(engine, 'tree', 'add', '-f', 'dist/deep/kept', 'a.min.js', 'node_modules/patched/index.js');
    expect(await captured(engine)).toEqual({
      held: ['.gitignore', 'a.min.js', 'dist/deep/kept', 'node_modules/patched/index.js'],
      skipped: {
        '.git': 'excluded',
        'b.min.js': 'excluded',
        'dist/deep/left': 'excluded',
        'dist/left': 'excluded',
        'node_modules/other': 'excluded',
      },
    });
  });

  test('keeps what a nested repository and a linked work tree track', async () => {
    using engine = new Engine();
    write(engine, { 'tree/vendor/lib/.gitignore': 'out\n', 'tree/vendor/lib/out/kept': 'k' });
    git(engine, 'tree', 'init', '-q');
    git(engine, 'tree/vendor/lib', 'init', '-q');
    git(engine, 'tree/vendor/lib', 'add', '-f', '.gitignore', 'out/kept');
    const identity = ['-c', 'user.name=n', '-c', 'user.email=n@example.org'];
    git(engine, 'tree/vendor/lib', ...identity, 'commit', '-qm', 'one');
    git(engine, 'tree/vendor/lib', 'worktree', 'add', '-q', join(engine.root, 'linked'));
    const { held } = await captured(engine);
    expect(held).toEqual(['linked/.gitignore', 'linked/out/kept', 'vendor/lib/.gitignore', 'vendor/lib/out/kept']);
  });

  test('does not obey an ignore file that is a link, a FIFO or a directory', async () => {
    for (const make of [
      (path: string) => fs.symlinkSync('rules', path),
      (path: string) => execFileSync('mkfifo', [path]),
      (path: string) => fs.mkdirSync(path),
    ]) {
      using engine = new Engine();
      write(engine, { 'tree/rules': 'a\n', 'tree/a': 'a' });
      make(join(engine.root, '.gitignore'));
      expect((await captured(engine)).held).toContain('a');
    }
  });

  test('stores the rules: an ignore file that comes with the command hides nothing and reveals nothing', async () => {
    using engine = new Engine();
    write(engine, { 'tree/.gitignore': 'old\n', 'tree/old': 'o', 'tree/new': 'n' });
    const edit = () => write(engine, { 'tree/.gitignore': 'new\n', 'tree/sub/.gitignore': '*\n', 'tree/sub/x': 'x' });
    const { held, skipped } = await captured(engine, edit, 1);
    expect(held).toEqual(['.gitignore', 'new', 'sub/.gitignore', 'sub/x']);
    expect(Object.keys(skipped)).toEqual(['old']);
  });

  test('stores the rules: what git adds to or drops from its index meanwhile changes nothing', async () => {
    using engine = new Engine();
    write(engine, { 'tree/.gitignore': 'a\nb\n', 'tree/a': 'a', 'tree/b': 'b' });
    git(engine, 'tree', 'init', '-q');
    git(engine, 'tree', 'add', '-f', 'a');
    const edit = () => {
      git(engine, 'tree', 'add', '-f', 'b');
      git(engine, 'tree', 'rm', '-q', '--cached', 'a');
    };
    const { held } = await captured(engine, edit, 1);
    expect(held).toEqual(['.gitignore', 'a']);
  });

  test('leaves out what the user named, also what git tracks, and tracks what he took out of a rule', async () => {
    using engine = new Engine();
    write(engine, {
      'tree/.gitignore': '*.log\n',
      'tree/a.log': 'ignored, wanted',
      'tree/b.log': 'ignored',
      'tree/data/big.bin': 'tracked by git, unwanted',
      'tree/data/small.txt': 's',
      'tree/node_modules/x.js': 'default name, wanted',
      'tree/node_modules/target/y': 'default name in it',
    });
    git(engine, 'tree', 'init', '-q');
    git(engine, 'tree', 'add', 'data');
    const patterns = ['*.bin', '/data/none', '!a.log', '!node_modules/'] as Bytes[];
    const { held, skipped } = await captured(engine, undefined, 0, { patterns, isNothing: false });
    expect(held).toEqual(['.gitignore', 'a.log', 'data/small.txt', 'node_modules/x.js']);
    expect(Object.keys(skipped).sort()).toEqual(['.git', 'b.log', 'data/big.bin', 'node_modules/target']);
  });

  test('leaves nothing out where nothing is to be left out, in later snapshots neither', async () => {
    using engine = new Engine();
    write(engine, { 'tree/.gitignore': '*\n', 'tree/.git/HEAD': 'h', 'tree/node_modules/x': 'x', 'tree/a': 'a' });
    const edit = () => write(engine, { 'tree/target/new': 'n', 'tree/sub/.gitignore': '*', 'tree/sub/b': 'b' });
    const { held, skipped } = await captured(engine, edit, 1, { patterns: [], isNothing: true });
    expect(skipped).toEqual({});
    expect(held).toEqual(['.git/HEAD', '.gitignore', 'a', 'node_modules/x', 'sub/.gitignore', 'sub/b', 'target/new']);
  });
});
