import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { gitChanges } from '../../../src/rollback/git-store.ts';
import { walkTree } from '../../../src/rollback/snapshot-tree.ts';
import { Engine } from '../../laws/support/engine.ts';

test.for([
  ['what the index names is tracked in spite of a rule', undefined, true],
  ['an index with holes, which git never writes, is not read at all', 64 * 1024 * 1024, false],
] as const)('%s', async ([, sizeBytes, isTracked]) => {
  using engine = new Engine();
  const git = (...words: readonly string[]) => execFileSync('git', words, { cwd: engine.root });
  writeFileSync(join(engine.root, '.gitignore'), 'ignored\n');
  writeFileSync(join(engine.root, 'ignored'), 'x');
  git('init', '-q');
  git('add', '-f', 'ignored');
  if (sizeBytes !== undefined) truncateSync(join(engine.root, '.git/index'), sizeBytes);
  const id = await engine.run(() => writeFileSync(join(engine.root, 'made'), 'x'));
  const names = await engine.look(id, (_, { tree }) =>
    Array.from(walkTree(tree)).flatMap(({ path, entry }) => (entry.kind === 'file' ? [path.slice(engine.root.length + 1)] : [])),
  );
  expect(names).toEqual(['.gitignore', ...(isTracked ? ['ignored'] : []), 'made']);
});

test('what a command plants in .git neither keeps the last snapshot busy nor fills the disk', async () => {
  using engine = new Engine();
  const at = (path: string) => join(engine.root, '.git', path);
  execFileSync('git', ['init', '-q'], { cwd: engine.root });
  const run = await engine.start();
  for (const name of ['hooks/huge', 'index', 'modules/m/hooks/huge', 'refs/heads/huge']) {
    mkdirSync(dirname(at(name)), { recursive: true });
    writeFileSync(at(name), '');
    truncateSync(at(name), 2 ** 40);
  }
  writeFileSync(at('modules/m/HEAD'), '');
  for (let count = 0; count < 24; count++) {
    writeFileSync(at(`hooks/${count}`), String(count));
    truncateSync(at(`hooks/${count}`), 1024 * 1024);
  }
  // Deeper than any branch has a name.
  const deep = 'd/'.repeat(150);
  execFileSync('sh', ['-c', 'cd refs/heads && mkdir -p "$0" && cd "$0" && mkdir -p "$0"', deep], { cwd: at('') });
  await run.finish({ exitCode: 0, signal: undefined });
  const storedBytes = await engine.look(run.id, (_, { manifest }) => manifest.snapshots.at(-1)?.storedBytes ?? 0);
  expect(storedBytes).toBeLessThan(18 * 1024 * 1024);
  const changes = await engine.look(run.id, (session, { manifest }) => gitChanges(session, manifest, engine.deps.hash));
  expect(changes.map(({ text }) => text).join('\n')).toMatch(/hooks\/huge/);
  execFileSync('rm', ['-rf', at('')]);
});

test.for([
  ['sha1', ''],
  ['sha256', ''],
  ['sha256', '\n'.repeat(900_000)],
  ['sha1', `[a]\n${' '.repeat(900_000)}`],
])('an index of %s is read, whatever else a config holds', async ([format = '', planted = '']) => {
  using engine = new Engine();
  const git = (...words: readonly string[]) => execFileSync('git', words, { cwd: engine.root });
  writeFileSync(join(engine.root, '.gitignore'), 'ignored\n');
  writeFileSync(join(engine.root, 'ignored'), 'x');
  git('init', '-q', `--object-format=${format}`);
  git('add', '-f', 'ignored');
  appendFileSync(join(engine.root, '.git/config'), planted);
  const id = await engine.run(() => undefined);
  const names = await engine.look(id, (_, { tree }) => Array.from(walkTree(tree), ({ path }) => basename(path)));
  expect(names).toContain('ignored');
});
