import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { textFromBytes } from '../../../src/bytes.ts';
import { compareTrees, countChanges } from '../../../src/rollback/compare.ts';
import { Engine } from '../../laws/support/engine.ts';

/** Builds one kind of thing at a path; every one can stand for every other. */
const KINDS: Readonly<Record<string, (path: string) => void>> = {
  nothing: () => undefined,
  file: (path) => fs.writeFileSync(path, 'content'),
  executable: (path) => fs.writeFileSync(path, 'content', { mode: 0o755 }),
  'other file': (path) => fs.writeFileSync(path, 'other'),
  link: (path) => fs.symlinkSync('target', path),
  'other link': (path) => fs.symlinkSync('elsewhere', path),
  directory: (path) => fs.mkdirSync(path),
  'closed directory': (path) => fs.mkdirSync(path, { mode: 0o700 }),
  'full directory': (path) => {
    fs.mkdirSync(path);
    fs.writeFileSync(join(path, 'inner'), '1');
  },
  fifo: (path) => execFileSync('mkfifo', [path]),
};

/** Sets everything in the tree to one time, so that only what a test is about differs. */
function calm(directory: string): void {
  for (const name of fs.readdirSync(directory)) {
    const path = join(directory, name);
    if (fs.lstatSync(path).isDirectory()) calm(path);
    fs.lutimesSync(path, 1000, 1000);
  }
  fs.lutimesSync(directory, 1000, 1000);
}

async function changesOf(make: (root: string) => void, edit: (root: string) => void) {
  using engine = new Engine();
  make(engine.root);
  calm(engine.root);
  const id = await engine.run(() => {
    edit(engine.root);
    calm(engine.root);
  });
  return await engine.look(id, (session, { manifest, tree }) => {
    const changes = compareTrees(session.tree(manifest, 0), tree);
    expect(manifest.counts).toEqual(countChanges(changes));
    return changes.map(({ type, path }) => `${type} ${relative(engine.root, textFromBytes(path))}`);
  });
}

function replace(kind: string): (root: string) => void {
  return (root) => {
    fs.rmSync(join(root, 'it'), { recursive: true, force: true });
    KINDS[kind]?.(join(root, 'it'));
  };
}

describe('compareTrees()', () => {
  test.for([
    ...Object.keys(KINDS).map((kind) => ({ from: kind, to: kind, changes: [] as string[] })),
    { from: 'nothing', to: 'file', changes: ['+ it'] },
    { from: 'nothing', to: 'link', changes: ['+ it'] },
    { from: 'nothing', to: 'directory', changes: ['+ it'] },
    { from: 'nothing', to: 'full directory', changes: ['+ it', '+ it/inner'] },
    { from: 'nothing', to: 'fifo', changes: [] },
    { from: 'file', to: 'nothing', changes: ['- it'] },
    { from: 'file', to: 'other file', changes: ['~ it'] },
    { from: 'file', to: 'executable', changes: ['p it'] },
    { from: 'file', to: 'link', changes: ['~ it'] },
    { from: 'file', to: 'directory', changes: ['~ it'] },
    { from: 'file', to: 'full directory', changes: ['~ it', '+ it/inner'] },
    { from: 'file', to: 'fifo', changes: ['~ it'] },
    { from: 'link', to: 'nothing', changes: ['- it'] },
    { from: 'link', to: 'other link', changes: ['~ it'] },
    { from: 'link', to: 'file', changes: ['~ it'] },
    { from: 'link', to: 'directory', changes: ['~ it'] },
    { from: 'link', to: 'fifo', changes: ['~ it'] },
    { from: 'directory', to: 'nothing', changes: ['- it'] },
    { from: 'directory', to: 'closed directory', changes: ['p it'] },
    { from: 'directory', to: 'full directory', changes: ['+ it/inner'] },
    { from: 'directory', to: 'file', changes: ['~ it'] },
    { from: 'directory', to: 'link', changes: ['~ it'] },
    { from: 'full directory', to: 'nothing', changes: ['- it', '- it/inner'] },
    { from: 'full directory', to: 'directory', changes: ['- it/inner'] },
    { from: 'full directory', to: 'file', changes: ['~ it', '- it/inner'] },
    { from: 'full directory', to: 'fifo', changes: ['~ it', '- it/inner'] },
    // What was there before no snapshot holds, so nobody can say what changed.
    { from: 'fifo', to: 'nothing', changes: [] },
    { from: 'fifo', to: 'file', changes: [] },
    { from: 'fifo', to: 'full directory', changes: [] },
  ])('from $from to $to gives $changes', async ({ from, to, changes }) => {
    expect(await changesOf((root) => KINDS[from]?.(join(root, 'it')), replace(to))).toEqual(changes);
  });

  test('tells a change of times alone, of the tree itself too, and does not count it', async () => {
    using engine = new Engine();
    fs.writeFileSync(join(engine.root, 'file'), '');
    fs.mkdirSync(join(engine.root, 'directory'));
    const id = await engine.run(() => {
      for (const name of ['file', 'directory', '.']) fs.utimesSync(join(engine.root, name), 5, 5);
    });
    await engine.look(id, (session, { manifest, tree }) => {
      const changes = compareTrees(session.tree(manifest, 0), tree);
      expect(changes.map(({ type, path }) => `${type} ${relative(engine.root, path)}`)).toEqual(['m ', 'm directory', 'm file']);
      expect(countChanges(changes)).toEqual({ created: 0, modified: 0, deleted: 0, modeChanged: 0 });
    });
  });

  test('sees an edit of the same size under the same mtime', async () => {
    const edited = await changesOf(
      (root) => fs.writeFileSync(join(root, 'file'), 'one'),
      (root) => fs.writeFileSync(join(root, 'file'), 'two'),
    );
    expect(edited).toEqual(['~ file']);
  });

  test('never takes for created what a rule or a limit hid before', async () => {
    const edited = await changesOf(
      (root) => fs.mkdirSync(join(root, 'node_modules')),
      (root) => {
        fs.rmSync(join(root, 'node_modules'), { recursive: true });
        fs.writeFileSync(join(root, 'node_modules'), 'a file now');
      },
    );
    expect(edited).toEqual([]);
  });

  test('lists parents before what is in them, by the bytes of their names', async () => {
    const edited = await changesOf(
      () => undefined,
      (root) => {
        for (const name of ['a', 'a-b', 'B']) fs.mkdirSync(join(root, name));
        for (const name of ['a/x', 'a-b/x', 'a0', 'é']) fs.writeFileSync(join(root, name), name);
      },
    );
    expect(edited).toEqual(['+ B', '+ a', '+ a/x', '+ a-b', '+ a-b/x', '+ a0', '+ é']);
  });
});

describe('countChanges()', () => {
  test('counts a created or deleted directory only when it is empty', async () => {
    using engine = new Engine();
    fs.mkdirSync(join(engine.root, 'old/deep'), { recursive: true });
    fs.writeFileSync(join(engine.root, 'old/deep/file'), '');
    fs.mkdirSync(join(engine.root, 'old-empty'));
    const id = await engine.run(() => {
      fs.rmSync(join(engine.root, 'old'), { recursive: true });
      fs.rmdirSync(join(engine.root, 'old-empty'));
      fs.mkdirSync(join(engine.root, 'new/deep'), { recursive: true });
      fs.writeFileSync(join(engine.root, 'new/deep/file'), '');
      fs.mkdirSync(join(engine.root, 'new-empty'));
    });
    const counts = await engine.look(id, (_, { manifest }) => manifest.counts);
    expect(counts).toEqual({ created: 2, modified: 0, deleted: 2, modeChanged: 0 });
  });
});
