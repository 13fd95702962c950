import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runs } from '../support/effort.ts';
import { needCommands } from '../support/tools.ts';
import { dumpTree } from '../support/tree.ts';
import { Engine } from './support/engine.ts';
import { editScript, type Operation, perform, treeScript } from './support/trees.ts';

const RUNS = runs(import.meta.filename, 30);

function withoutFifos(script: readonly Operation[]): readonly Operation[] {
  return script.filter(({ kind }) => kind !== 'fifo');
}

/** What a command may plant, by name, instead of what was there. */
const planting = fc.constantFrom('link', 'directory link', 'fifo', 'hard link', 'link up', 'nested link');

describe('the rollback laws, seen from outside', () => {
  test('L8: no byte of the user’s .git changes because of nono', async () => {
    await fc.assert(
      fc.asyncProperty(treeScript, editScript, async (tree, edits) => {
        using engine = new Engine();
        perform(engine.root, withoutFifos(tree));
        // A name may be taken by a file of the tree.
        fs.rmSync(join(engine.root, '.git'), { recursive: true, force: true });
        execFileSync('git', ['init', '-q'], { cwd: engine.root });
        execFileSync('git', ['add', '-A', '-f', '--ignore-errors'], { cwd: engine.root, stdio: 'ignore' });
        const git = dumpTree(join(engine.root, '.git'));
        const run = await engine.start();
        const keep = edits.filter((operation) => !JSON.stringify(operation).includes('.git"'));
        perform(engine.root, withoutFifos(keep));
        await engine.checkpoint(run);
        await run.finish({ exitCode: 0, signal: undefined });
        expect(dumpTree(join(engine.root, '.git'))).toEqual(git);
        const safety = await engine.restore(run.id);
        expect(dumpTree(join(engine.root, '.git'))).toEqual(git);
        if (safety !== undefined) await engine.restore(safety);
        expect(dumpTree(join(engine.root, '.git'))).toEqual(git);
      }),
      { numRuns: RUNS },
    );
  });

  test('L9: an edit with the same size and the same mtime is seen, by every kind of snapshot', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ minLength: 1, maxLength: 40 }),
        fc.constantFrom('final', 'checkpoint', 'next run'),
        async (text, kind) => {
          using engine = new Engine();
          const path = join(engine.root, 'file');
          const old = Buffer.from(text, 'utf8');
          const changed = Buffer.from(old.map((byte) => byte ^ 1));
          const write = (content: Uint8Array) => {
            fs.writeFileSync(path, content);
            fs.utimesSync(path, 1_577_840_523, 1_577_840_523);
          };
          write(old);
          if (kind === 'next run') await engine.run(() => write(changed));
          const run = await engine.start();
          write(kind === 'next run' ? old : changed);
          if (kind === 'checkpoint') await engine.checkpoint(run);
          await run.finish({ exitCode: 0, signal: undefined });
          await engine.restore(run.id);
          expect(fs.readFileSync(path)).toEqual(kind === 'next run' ? changed : old);
        },
      ),
      { numRuns: RUNS },
    );
  });

  test('L10: what the command plants never leads a read or a write outside the root', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(planting, { minLength: 1, maxLength: 4 }), async (kinds) => {
        using engine = new Engine();
        const outside = join(engine.directory, 'outside');
        fs.mkdirSync(join(outside, 'sub'), { recursive: true });
        for (const path of ['secret', 'sub/secret']) fs.writeFileSync(join(outside, path), 'secret', { mode: 0o640 });
        for (const index of kinds.keys()) {
          fs.mkdirSync(join(engine.root, `d${index}/sub`), { recursive: true });
          fs.writeFileSync(join(engine.root, `d${index}/secret`), 'mine');
          fs.writeFileSync(join(engine.root, `d${index}/sub/secret`), 'mine');
        }
        const before = dumpTree(engine.root);
        const around = dumpTree(outside);
        const id = await engine.run(() => {
          for (const [index, kind] of kinds.entries()) plant(kind, join(engine.root, `d${index}`), outside);
        });
        expect(dumpTree(outside)).toEqual(around);
        await engine.restore(id);
        expect(dumpTree(outside)).toEqual(around);
        // A FIFO is what no snapshot holds: it goes only where it stands in the way.
        expect(dumpTree(engine.root)).toEqual(before);
        const stored = spawnSync('grep', ['-rlx', 'secret', join(engine.state, 'rollbacks', id, 'objects')]).stdout.toString();
        // A second name of a file outside is a file of the tree like any other; a link is not followed.
        if (!kinds.includes('hard link')) expect(stored).toBe('');
      }),
      { numRuns: RUNS },
    );
  });

  test.for([
    ['the root', 'work/tree'],
    ['the directory above it', 'work'],
  ] as const)(
    'L10: a link that takes the place of %s, which the command may write too, is not followed',
    async ([, replaced]) => {
      using engine = new Engine('work/tree');
      const at = (path: string) => join(engine.directory, path);
      fs.mkdirSync(at('outside/tree'), { recursive: true });
      for (const path of ['outside/secret', 'outside/tree/secret']) fs.writeFileSync(at(path), 'secret');
      for (const path of ['secret', 'gone']) fs.writeFileSync(join(engine.root, path), 'mine');
      const before = dumpTree(engine.root);
      const around = dumpTree(at('outside'));
      const run = await engine.start();
      fs.renameSync(at(replaced), at('away'));
      fs.symlinkSync(at('outside'), at(replaced));
      await engine.checkpoint(run);
      await run.finish({ exitCode: 0, signal: undefined });
      const stored = spawnSync('grep', ['-rlx', 'secret', join(engine.state, 'rollbacks', run.id, 'objects')]).stdout.toString();
      expect(stored).toBe('');
      await engine.restore(run.id).catch(() => undefined);
      expect(dumpTree(at('outside'))).toEqual(around);
      if (replaced !== 'work') expect(dumpTree(engine.root)).toEqual(before);
      fs.rmSync(at(replaced), { recursive: true });
      fs.renameSync(at('away'), at(replaced));
      await engine.restore(run.id);
      expect(dumpTree(engine.root)).toEqual(before);
    },
  );

  test('capture and restore give what tar gives, by the judgement of tar', async (context) => {
    needCommands(context, 'tar');
    await fc.assert(
      fc.asyncProperty(treeScript, editScript, async (tree, edits) => {
        using engine = new Engine();
        perform(engine.root, withoutFifos(tree));
        const archive = join(engine.directory, 'before.tar');
        // What rules leave out is changed by the edits too, and stays changed.
        const words = ['--exclude-vcs-ignores', '--exclude=node_modules', '--exclude=.git', '--exclude=target'];
        execFileSync('tar', ['-C', engine.root, '--format=pax', ...words, '-cf', archive, '.']);
        const id = await engine.run(() => perform(engine.root, withoutFifos(edits)));
        await engine.restore(id);
        const compared = spawnSync('tar', ['-C', engine.root, '--compare', '-f', archive]);
        expect(compared.stdout.toString() + compared.stderr.toString()).toBe('');
        expect(compared.status).toBe(0);
      }),
      { numRuns: RUNS },
    );
  });

  test('names that look the same, composed and decomposed, stand side by side and come back', async () => {
    using engine = new Engine();
    const [composed, decomposed] = ['caf\u00e9', 'cafe\u0301'];
    fs.writeFileSync(join(engine.root, composed), 'composed');
    fs.writeFileSync(join(engine.root, decomposed), 'decomposed');
    const before = dumpTree(engine.root);
    const id = await engine.run(() => {
      fs.rmSync(join(engine.root, composed));
      fs.writeFileSync(join(engine.root, decomposed), 'changed');
    });
    expect((await engine.plan(id)).actions.filter(({ type }) => type !== 'm')).toHaveLength(2);
    await engine.restore(id);
    expect(dumpTree(engine.root)).toEqual(before);
  });
});

function plant(kind: string, place: string, outside: string): void {
  if (kind === 'link') {
    fs.rmSync(join(place, 'secret'));
    fs.symlinkSync(join(outside, 'secret'), join(place, 'secret'));
  } else if (kind === 'directory link') {
    fs.rmSync(place, { recursive: true });
    fs.symlinkSync(outside, place);
  } else if (kind === 'nested link') {
    fs.rmSync(join(place, 'sub'), { recursive: true });
    fs.symlinkSync(join(outside, 'sub'), join(place, 'sub'));
  } else if (kind === 'link up') {
    fs.rmSync(join(place, 'sub'), { recursive: true });
    fs.symlinkSync('../../outside/sub', join(place, 'sub'));
  } else if (kind === 'hard link') {
    fs.rmSync(join(place, 'secret'));
    fs.linkSync(join(outside, 'secret'), join(place, 'secret'));
  } else {
    fs.rmSync(join(place, 'secret'));
    execFileSync('mkfifo', [join(place, 'secret')]);
  }
}
