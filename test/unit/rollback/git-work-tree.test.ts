import { execFileSync } from 'node:child_process';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { walkTree } from '../../../src/rollback/snapshot-tree.ts';
import { Engine } from '../../laws/support/engine.ts';

test.for([
  ['what the index names is tracked in spite of a rule', undefined, true],
  ['an index with holes, which git never writes, is not read at all', 400 * 1024 * 1024, false],
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
