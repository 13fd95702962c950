import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deflate } from '../../src/platform/node/deflate.ts';
import { compareTrees } from '../../src/rollback/compare.ts';
import { fileDeltas } from '../../src/rollback/file-delta.ts';
import { rootPaths } from '../../src/rollback/restore-parts.ts';
import { renderPatch } from '../../src/ui/patch.ts';
import { loadAdapters } from '../support/adapters.ts';
import { runs } from '../support/effort.ts';
import { Engine } from './support/engine.ts';
import { editScript, type Operation, perform, treeScript } from './support/trees.ts';

const { hash } = await loadAdapters();
const RUNS = runs(import.meta.filename, 500);

/** Files and links by path, with what git knows of them. */
function gitView(root: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const visit = (directory: Buffer, name: string): void => {
    for (const entry of fs.readdirSync(directory, { encoding: 'buffer' })) {
      const at = Buffer.concat([directory, Buffer.from('/'), entry]);
      const path = `${name}/${entry.toString('latin1')}`;
      const stat = fs.lstatSync(at);
      if (stat.isDirectory()) visit(at, path);
      else if (stat.isSymbolicLink()) found.set(path, `link ${fs.readlinkSync(at, 'buffer').toString('latin1')}`);
      else if (stat.isFile()) {
        const mode = (stat.mode & 0o100) === 0 ? 'plain' : 'executable';
        found.set(path, `${mode} ${fs.readFileSync(at).toString('latin1')}`);
      }
    }
  };
  visit(Buffer.from(root), '');
  return found;
}

/** Git knows none, and stumbles over one where a patch makes a file. */
function removeEmptyDirectories(below: Buffer): void {
  for (const name of fs.readdirSync(below, { encoding: 'buffer' })) {
    const path = Buffer.concat([below, Buffer.from('/'), name]);
    if (!fs.lstatSync(path).isDirectory()) continue;
    removeEmptyDirectories(path);
    if (fs.readdirSync(path).length === 0) fs.rmdirSync(path);
  }
}

function apply(directory: string, patch: Buffer, ...words: readonly string[]): void {
  const { status, stderr } = spawnSync('git', ['apply', ...words, '-'], {
    cwd: directory,
    input: patch,
    env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1', GIT_CEILING_DIRECTORIES: '/' },
  });
  if (status !== 0)
    throw new Error(`git apply ${words.join(' ')} gave ${status}: ${stderr.toString()}\n${patch.toString('latin1')}`);
}

async function patchOf(engine: Engine, id: string): Promise<Buffer> {
  return engine.look(id, (session, { manifest, tree }) => {
    using objects = session.openObjects();
    const stored = { objects, hash };
    const sources = { roots: rootPaths(manifest), before: stored, after: stored };
    const deltas = fileDeltas(compareTrees(session.tree(manifest, 0), tree), sources).filter(
      ({ before, after, renamedFrom }) =>
        renamedFrom !== undefined || before?.hash !== after?.hash || before?.mode !== after?.mode,
    );
    return Buffer.concat(
      deltas.flatMap((delta) => Array.from(renderPatch(delta, { hash, deflate }), (piece) => Buffer.from(piece))),
    );
  });
}

/** What chance does not always make. */
const RENAME: [Operation[], Operation[]] = [
  [{ kind: 'write', path: 'a', content: Buffer.from('some text\n'.repeat(20)), mode: 0o644 }],
  [{ kind: 'rename', path: 'a', to: 'b' }],
];

describe('a patch of a session', () => {
  test('makes the final files of the baseline through git apply, and with -R the baseline of the final files', async () => {
    let withRename = 0;
    await fc.assert(
      fc.asyncProperty(treeScript, editScript, async (before, edits) => {
        using engine = new Engine();
        perform(engine.root, before);
        const copy = join(engine.directory, 'copy');
        fs.mkdirSync(copy);
        perform(copy, before);
        removeEmptyDirectories(Buffer.from(copy));
        const baseline = gitView(copy);
        const id = await engine.run(() => perform(engine.root, edits));
        const patch = await patchOf(engine, id);
        if (patch.length === 0) {
          expect(gitView(engine.root)).toEqual(baseline);
          return;
        }
        if (patch.includes('\nrename from ')) withRename += 1;

        apply(copy, patch);
        expect(gitView(copy)).toEqual(gitView(engine.root));
        apply(copy, patch, '-R');
        expect(gitView(copy)).toEqual(baseline);
      }),
      { numRuns: RUNS, examples: [RENAME] },
    );
    expect(withRename).toBeGreaterThan(0);
  });
});
