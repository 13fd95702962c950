import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SKIP_REASONS } from '../../src/rollback/entry.ts';
import { walkTree } from '../../src/rollback/snapshot-tree.ts';
import { runs } from '../support/effort.ts';
import { dumpTree } from '../support/tree.ts';
import { Engine } from './support/engine.ts';
import { editScript, type Operation, perform, treeScript } from './support/trees.ts';

const RUNS = runs(import.meta.filename, 200);

const ignoreText = fc
  .array(fc.constantFrom('a', '/b', 'src/', '!src/a', '*.md', 'a/**', '**/c', '[a-b]', '\\#x', 'node_modules/', '!.env'), {
    maxLength: 4,
  })
  .map((lines): Operation => ({ kind: 'write', path: '.gitignore', content: Buffer.from(`${lines.join('\n')}\n`), mode: 0o644 }));

describe('the rollback laws', () => {
  test('L7: what is reported as skipped is exactly what the snapshot does not hold', async () => {
    await fc.assert(
      fc.asyncProperty(treeScript, editScript, ignoreText, async (tree, more, ignore) => {
        using engine = new Engine();
        perform(engine.root, [...tree, ...more, ignore]);
        perform(engine.root, [
          { kind: 'directory', path: 'node_modules', mode: 0o755 },
          { kind: 'write', path: 'node_modules/m.js', content: Buffer.from('m'), mode: 0o644 },
        ]);
        const id = await engine.run(() => undefined);
        await engine.look(id, (session, { manifest }) => {
          const held = new Set<string>();
          const skipped = new Set<string>();
          for (const { path, entry } of walkTree(session.tree(manifest, 0))) {
            if (entry.kind === 'skipped') skipped.add(path);
            else held.add(path);
            expect(entry.reason === undefined || entry.reason in SKIP_REASONS).toBe(true);
          }
          expect([...held, ...skipped].sort()).toEqual(pathsOf(engine.root, skipped));
        });
      }),
      { numRuns: RUNS },
    );
  });

  test('L8: no byte of .git changes because of nono', async () => {
    await fc.assert(
      fc.asyncProperty(treeScript, editScript, async (tree, edits) => {
        using engine = new Engine();
        const git = (...words: string[]) =>
          execFileSync('git', ['-C', engine.root, '-c', 'user.name=n', '-c', 'user.email=n@example.org', ...words], {
            stdio: 'pipe',
          });
        perform(engine.root, [{ kind: 'write', path: 'tracked', content: Buffer.from('1\n'), mode: 0o644 }]);
        git('init', '-q');
        git('add', '-A');
        git('commit', '-qm', 'one');
        perform(engine.root, tree);
        const before = dumpTree(join(engine.root, '.git'));
        const id = await engine.run(() => perform(engine.root, edits));
        await engine.restore(id);
        expect(dumpTree(join(engine.root, '.git'))).toEqual(before);
      }),
      { numRuns: Math.ceil(RUNS / 4) },
    );
  });
});

/** Absolute paths of all that is in the tree, in order; below a skipped directory only itself. */
function pathsOf(root: string, skipped: ReadonlySet<string>): string[] {
  const paths: string[] = [];
  const visit = (path: string): void => {
    paths.push(path);
    const at = Buffer.from(path, 'latin1');
    if (skipped.has(path) || !lstatSync(at).isDirectory()) return;
    for (const name of readdirSync(at, { encoding: 'buffer' })) visit(`${path}/${name.toString('latin1')}`);
  };
  mkdirSync(root, { recursive: true });
  visit(root);
  return paths.sort();
}
