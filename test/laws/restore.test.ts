import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runs } from '../support/effort.ts';
import { dumpTree } from '../support/tree.ts';
import { Engine } from './support/engine.ts';
import { editScript, type Operation, perform, treeScript } from './support/trees.ts';

const RUNS = runs(import.meta.filename, 300);

/** FIFOs are what no snapshot holds: a restore leaves them where they stand in nobody's way. */
function withoutFifos(script: readonly Operation[]): readonly Operation[] {
  return script.filter(({ kind }) => kind !== 'fifo');
}

/** A directory that is there in the first and the last state, with another time in each. */
const TIMES_OF_EARLIER_STATE: [Operation[], Operation[], Operation[], boolean] = [
  [{ kind: 'directory', path: 'd', mode: 0o755 }],
  [{ kind: 'rename', path: 'd', to: 'a' }],
  [{ kind: 'directory', path: 'd', mode: 0o755 }],
  true,
];

/** A directory that has only another time in between, and is gone when a file of it is to come back. */
const PARENT_OF_OTHER_TIME: [Operation[], Operation[], Operation[], boolean] = [
  [],
  [{ kind: 'directory', path: 'd', mode: 0o755 }],
  [{ kind: 'write', path: 'd/a', content: Buffer.from('a'), mode: 0o644 }],
  true,
];

describe('the rollback laws', () => {
  test('L1: restore after capture gives back the tracked set bit for bit', async () => {
    await fc.assert(
      fc.asyncProperty(treeScript, editScript, async (tree, edits) => {
        using engine = new Engine();
        perform(engine.root, tree);
        const before = dumpTree(engine.root);
        const id = await engine.run(() => perform(engine.root, withoutFifos(edits)));
        await engine.restore(id);
        expect(dumpTree(engine.root)).toEqual(before);
      }),
      { numRuns: RUNS },
    );
  });

  test('L1: restore to any checkpoint gives back what was there then, in any order, while the session runs and after', async () => {
    await fc.assert(
      fc.asyncProperty(treeScript, editScript, editScript, fc.boolean(), async (tree, first, second, isEnded) => {
        using engine = new Engine();
        perform(engine.root, tree);
        const run = await engine.start();
        const states = [dumpTree(engine.root)];
        for (const edits of [first, second]) {
          perform(engine.root, withoutFifos(edits));
          await engine.checkpoint(run);
          states.push(dumpTree(engine.root));
        }
        if (isEnded) await run.finish({ exitCode: 0, signal: undefined });
        for (const snapshot of [1, 0, 2, 1]) {
          await engine.restore(run.id, snapshot);
          expect(dumpTree(engine.root)).toEqual(states[snapshot]);
        }
        if (!isEnded) await run.abandon();
      }),
      { numRuns: RUNS, examples: [TIMES_OF_EARLIER_STATE, PARENT_OF_OTHER_TIME] },
    );
  });

  test('a checkpoint that is only wanted where something has changed is taken exactly there', async () => {
    await fc.assert(
      fc.asyncProperty(treeScript, editScript, async (tree, edits) => {
        using engine = new Engine();
        perform(engine.root, tree);
        const run = await engine.start();
        expect(await engine.checkpoint(run, true)).toBeUndefined();
        perform(engine.root, edits);
        const taken = await engine.checkpoint(run, true);
        if (taken === undefined) expect(await engine.plan(run.id)).toMatchObject({ actions: [], conflicts: [] });
        expect(await engine.checkpoint(run, true)).toBeUndefined();
        await run.abandon();
      }),
      { numRuns: RUNS },
    );
  });

  test('L4: restoring twice equals restoring once', async () => {
    await fc.assert(
      fc.asyncProperty(treeScript, editScript, async (tree, edits) => {
        using engine = new Engine();
        perform(engine.root, tree);
        const id = await engine.run(() => perform(engine.root, edits));
        await engine.restore(id);
        const once = dumpTree(engine.root);
        await engine.restore(id);
        expect(dumpTree(engine.root)).toEqual(once);
      }),
      { numRuns: RUNS },
    );
  });

  test('L5: undoing a restore gives back the state before it', async () => {
    await fc.assert(
      fc.asyncProperty(treeScript, editScript, async (tree, edits) => {
        using engine = new Engine();
        perform(engine.root, tree);
        const id = await engine.run(() => perform(engine.root, withoutFifos(edits)));
        const left = dumpTree(engine.root);
        const safety = await engine.restore(id);
        if (safety !== undefined) await engine.restore(safety);
        expect(dumpTree(engine.root)).toEqual(left);
      }),
      { numRuns: RUNS },
    );
  });

  test('L3: the tracked set is read from the manifest, never recomputed', async () => {
    await fc.assert(
      fc.asyncProperty(treeScript, editScript, async (tree, edits) => {
        using engine = new Engine();
        perform(engine.root, tree);
        const before = dumpTree(engine.root);
        const id = await engine.run(() => {
          perform(engine.root, withoutFifos(edits));
          // An ignore file that comes with the command must hide nothing from the final snapshot.
          perform(engine.root, [
            { kind: 'remove', path: '.gitignore' },
            { kind: 'write', path: '.gitignore', content: Buffer.from('*\n'), mode: 0o644 },
          ]);
        });
        await engine.restore(id);
        expect(dumpTree(engine.root)).toEqual(before);
      }),
      { numRuns: RUNS },
    );
  });

  test('L2: nothing outside the tracked set is created, changed or deleted', async () => {
    await fc.assert(
      fc.asyncProperty(treeScript, editScript, treeScript, async (tree, edits, excluded) => {
        using engine = new Engine();
        perform(engine.root, tree);
        perform(engine.directory, [{ kind: 'write', path: 'outside/file', content: Buffer.from('mine'), mode: 0o644 }]);
        perform(engine.root, [{ kind: 'directory', path: 'node_modules', mode: 0o755 }]);
        perform(join(engine.root, 'node_modules'), excluded);
        const outside = dumpTree(join(engine.directory, 'outside'));
        const untracked = dumpTree(join(engine.root, 'node_modules'));
        const id = await engine.run(() => perform(engine.root, edits));
        await engine.restore(id);
        expect(dumpTree(join(engine.root, 'node_modules'))).toEqual(untracked);
        expect(dumpTree(join(engine.directory, 'outside'))).toEqual(outside);
      }),
      { numRuns: RUNS },
    );
  });

  test('restore makes hard links inside the tracked set one inode again', async () => {
    await fc.assert(
      fc.asyncProperty(treeScript, editScript, async (tree, edits) => {
        using engine = new Engine();
        perform(engine.root, tree);
        const before = linkGroups(engine.root);
        const id = await engine.run(() => {
          perform(engine.root, withoutFifos(edits));
          for (const path of before.flat()) perform(engine.root, [{ kind: 'remove', path }]);
        });
        await engine.restore(id);
        expect(linkGroups(engine.root)).toEqual(before);
      }),
      { numRuns: RUNS },
    );
  });
});

/** The names of each inode that has several, relative to the root. */
function linkGroups(root: string): string[][] {
  const groups = new Map<bigint, string[]>();
  const visit = (path: string): void => {
    for (const name of readdirSync(Buffer.from(path, 'latin1'), { encoding: 'buffer' })) {
      const below = `${path}/${name.toString('latin1')}`;
      const stat = lstatSync(Buffer.from(below, 'latin1'), { bigint: true });
      if (stat.isDirectory()) visit(below);
      else if (stat.isFile() && stat.nlink > 1n) {
        groups.set(stat.ino, [...(groups.get(stat.ino) ?? []), below.slice(root.length + 1)].sort());
      }
    }
  };
  visit(root);
  return [...groups.values()].sort(([a = ''], [b = '']) => (a < b ? -1 : 1));
}
