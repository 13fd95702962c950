import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { prepareRestore } from '../../../src/rollback/prepare-restore.ts';
import { carryOutRestore } from '../../../src/rollback/restore.ts';
import { Engine } from '../../laws/support/engine.ts';
import { dumpTree } from '../../support/tree.ts';

interface Example {
  readonly what: string;
  readonly before: (path: string) => void;
  readonly edit: (path: string) => void;
  readonly since?: (path: string) => void;
  readonly actions: readonly string[];
  readonly conflicts?: readonly string[];
}

const write =
  (content: string) =>
  (path: string): void =>
    fs.writeFileSync(path, content);
const remove = (path: string): void => fs.rmSync(path, { recursive: true });
const fifo = (path: string): void => void execFileSync('mkfifo', [path]);
const link =
  (target: string) =>
  (path: string): void =>
    fs.symlinkSync(target, path);
const inTurn =
  (...steps: readonly ((path: string) => void)[]) =>
  (path: string): void => {
    for (const step of steps) step(path);
  };
const inside =
  (name: string, step: (path: string) => void) =>
  (path: string): void =>
    step(join(path, name));
const directory = (path: string): void => fs.mkdirSync(path);
const nothing = (): void => undefined;
const mode =
  (bits: number) =>
  (path: string): void =>
    fs.chmodSync(path, bits);

const EXAMPLES: readonly Example[] = [
  { what: 'what the session created goes', before: nothing, edit: write('new'), actions: ['- it'] },
  { what: 'what it deleted comes back', before: write('old'), edit: remove, actions: ['+ it'] },
  { what: 'what it modified is put back', before: write('old'), edit: write('new'), actions: ['~ it'] },
  { what: 'a mode alone is put back', before: write('old'), edit: mode(0o755), actions: ['p it'] },
  {
    what: 'what somebody changed since is a conflict',
    before: write('old'),
    edit: write('new'),
    since: write('mine'),
    actions: [],
    conflicts: ['it: changed since'],
  },
  {
    what: 'what somebody made since of what had only another time is theirs',
    before: write('old'),
    edit: (path) => fs.utimesSync(path, 1, 1),
    since: write('mine'),
    actions: [],
  },
  {
    what: 'a mode that somebody changed since is a conflict',
    before: write('old'),
    edit: write('new'),
    since: mode(0o600),
    actions: [],
    conflicts: ['it: changed since'],
  },
  {
    what: 'a directory that the session closed and a restore that was killed has opened is still its own',
    before: inTurn(directory, mode(0o755)),
    edit: mode(0o400),
    since: mode(0o700),
    actions: ['p it'],
  },
  {
    what: 'a directory that somebody has given another mode since is a conflict',
    before: inTurn(directory, mode(0o755)),
    edit: mode(0o400),
    since: mode(0o750),
    actions: [],
    conflicts: ['it: changed since'],
  },
  {
    what: 'what somebody removed since is a conflict',
    before: write('old'),
    edit: write('new'),
    since: remove,
    actions: [],
    conflicts: ['it: removed since'],
  },
  {
    what: 'what somebody created since at a deleted path is a conflict',
    before: write('old'),
    edit: remove,
    since: write('mine'),
    actions: [],
    conflicts: ['it: created since'],
  },
  {
    what: 'what somebody replaced since is a conflict',
    before: write('old'),
    edit: write('new'),
    since: inTurn(remove, link('x')),
    actions: [],
    conflicts: ['it: replaced since'],
  },
  {
    what: 'what somebody changed since in a created file is a conflict',
    before: nothing,
    edit: write('new'),
    since: write('mine'),
    actions: [],
    conflicts: ['it: changed since'],
  },
  {
    what: 'what somebody has put back is left alone',
    before: write('old'),
    edit: write('new'),
    since: write('old'),
    actions: [],
  },
  { what: 'what is gone already is left alone', before: nothing, edit: write('new'), since: remove, actions: [] },
  { what: 'a link is put back as a link', before: link('a'), edit: inTurn(remove, link('b')), actions: ['~ it'] },
  { what: 'a file comes back where a link stands', before: write('old'), edit: inTurn(remove, link('x')), actions: ['~ it'] },
  { what: 'a link comes back where a file stands', before: link('x'), edit: inTurn(remove, write('new')), actions: ['~ it'] },
  {
    what: 'a file comes back where a directory stands',
    before: write('old'),
    edit: inTurn(remove, directory, inside('inner', write('new'))),
    actions: ['~ it', '- it/inner'],
  },
  {
    what: 'a directory comes back where a file stands',
    before: inTurn(directory, inside('inner', write('old'))),
    edit: inTurn(remove, write('new')),
    actions: ['~ it', '+ it/inner'],
  },
  {
    what: 'a directory comes back where a link to one stands',
    before: inTurn(directory, inside('inner', write('old'))),
    edit: inTurn(remove, link('.')),
    actions: ['~ it', '+ it/inner'],
  },
  {
    what: 'a FIFO in the way of a file is replaced',
    before: write('old'),
    edit: inTurn(remove, fifo),
    actions: ['~ it'],
  },
  { what: 'a FIFO elsewhere stays', before: nothing, edit: fifo, actions: [] },
  {
    what: 'an excluded entry is nobody’s business',
    before: inTurn(directory, inside('node_modules', directory)),
    edit: inside('node_modules/x', write('new')),
    actions: [],
  },
];

describe('planRestore()', () => {
  test.for(EXAMPLES)('$what', async ({ before, edit, since = nothing, actions, conflicts = [] }) => {
    using engine = new Engine();
    const path = join(engine.root, 'it');
    before(path);
    const original = dumpTree(engine.root);
    const id = await engine.run(() => edit(path));
    since(path);

    const plan = await engine.plan(id);

    const shown = (absolute: string) => relative(engine.root, absolute);
    expect(plan.actions.filter(({ type }) => type !== 'm').map((action) => `${action.type} ${shown(action.path)}`)).toEqual(
      actions,
    );
    expect(plan.conflicts.map(({ action, reason }) => `${shown(action.path)}: ${reason}`)).toEqual(conflicts);
    if (conflicts.length > 0 || actions.length === 0) return;
    await engine.restore(id);
    expect(dumpTree(engine.root)).toEqual(original);
    expect((await engine.plan(id)).actions).toEqual([]);
  });

  test('leaves what a user has put into a created directory, and the directory', async () => {
    using engine = new Engine();
    const id = await engine.run(() => {
      fs.mkdirSync(join(engine.root, 'made/deep'), { recursive: true });
      fs.writeFileSync(join(engine.root, 'made/deep/theirs'), 'x');
      fs.writeFileSync(join(engine.root, 'made/theirs'), 'x');
    });
    fs.writeFileSync(join(engine.root, 'made/mine'), 'precious');
    await engine.restore(id);
    expect(fs.readdirSync(engine.root)).toEqual(['made']);
    expect(fs.readdirSync(join(engine.root, 'made'))).toEqual(['mine']);
    expect(fs.readFileSync(join(engine.root, 'made/mine'), 'utf8')).toBe('precious');
  });

  test('leaves a directory that has a FIFO in it, and the FIFO', async () => {
    using engine = new Engine();
    const id = await engine.run(() => {
      fs.mkdirSync(join(engine.root, 'made'));
      fifo(join(engine.root, 'made/pipe'));
    });
    await engine.restore(id);
    expect(fs.lstatSync(join(engine.root, 'made/pipe')).isFIFO()).toBe(true);
  });

  test('never reaches out of the root through a directory that became a link', async () => {
    using engine = new Engine();
    const outside = join(engine.directory, 'outside');
    fs.mkdirSync(outside);
    for (const name of ['changed', 'deleted', 'created']) fs.writeFileSync(join(outside, name), 'theirs');
    fs.mkdirSync(join(engine.root, 'it'));
    for (const name of ['changed', 'deleted']) fs.writeFileSync(join(engine.root, 'it', name), 'old');
    const original = dumpTree(engine.root);
    const left = dumpTree(outside);
    const id = await engine.run(() => {
      remove(join(engine.root, 'it'));
      fs.symlinkSync(outside, join(engine.root, 'it'));
    });
    await engine.restore(id);
    expect(dumpTree(engine.root)).toEqual(original);
    expect(dumpTree(outside)).toEqual(left);
  });

  test('takes a directory that somebody made a link since for a conflict and touches nothing behind it', async () => {
    using engine = new Engine();
    const outside = join(engine.directory, 'outside');
    fs.mkdirSync(outside);
    fs.writeFileSync(join(outside, 'file'), 'theirs');
    fs.mkdirSync(join(engine.root, 'it'));
    fs.writeFileSync(join(engine.root, 'it/file'), 'old');
    const id = await engine.run(() => fs.writeFileSync(join(engine.root, 'it/file'), 'new'));
    remove(join(engine.root, 'it'));
    fs.symlinkSync(outside, join(engine.root, 'it'));
    const plan = await engine.plan(id);
    expect(plan.actions.filter(({ type }) => type !== 'm')).toEqual([]);
    expect(plan.conflicts.map(({ action }) => relative(engine.root, action.path))).toEqual(['it/file']);
    expect(fs.readFileSync(join(outside, 'file'), 'utf8')).toBe('theirs');
  });

  test('writes a file that has a name outside the roots anew, so that the other name keeps its content', async () => {
    using engine = new Engine();
    fs.writeFileSync(join(engine.directory, 'outside'), 'shared');
    fs.writeFileSync(join(engine.root, 'it'), 'old');
    const id = await engine.run(() => {
      remove(join(engine.root, 'it'));
      fs.linkSync(join(engine.directory, 'outside'), join(engine.root, 'it'));
    });
    await engine.restore(id);
    expect(fs.readFileSync(join(engine.root, 'it'), 'utf8')).toBe('old');
    expect(fs.readFileSync(join(engine.directory, 'outside'), 'utf8')).toBe('shared');
    expect(fs.statSync(join(engine.directory, 'outside')).nlink).toBe(1);
  });

  test('does not change the mode or time of an inode that has a name outside the roots', async () => {
    using engine = new Engine();
    fs.writeFileSync(join(engine.root, 'it'), 'old', { mode: 0o644 });
    const id = await engine.run(() => {
      fs.chmodSync(join(engine.root, 'it'), 0o600);
      fs.linkSync(join(engine.root, 'it'), join(engine.directory, 'outside'));
    });
    await engine.restore(id);
    expect(fs.statSync(join(engine.root, 'it')).mode & 0o777).toBe(0o644);
    expect(fs.statSync(join(engine.directory, 'outside')).mode & 0o777).toBe(0o600);
  });

  test('leaves alone what somebody has made of a path that the session itself had put back', async () => {
    using engine = new Engine();
    const at = (name: string) => join(engine.root, name);
    fs.writeFileSync(at('file'), 'old');
    const run = await engine.start();
    for (const name of ['file', 'scratch', 'made']) fs.writeFileSync(at(name), 'passing');
    await engine.checkpoint(run);
    fs.writeFileSync(at('file'), 'old');
    remove(at('scratch'));
    await run.finish({ exitCode: 0, signal: undefined });
    for (const name of ['file', 'scratch']) fs.writeFileSync(at(name), 'mine');

    const plan = await engine.plan(run.id);
    expect(plan.conflicts).toEqual([]);
    expect(plan.actions.filter(({ type }) => type !== 'm').map(({ path }) => relative(engine.root, path))).toEqual(['made']);

    // What an earlier restore has put there is the session's again.
    for (const name of ['file', 'scratch']) fs.writeFileSync(at(name), 'passing');
    const again = await engine.plan(run.id);
    expect(again.actions.filter(({ type }) => type !== 'm').map(({ path }) => relative(engine.root, path))).toEqual([
      'file',
      'made',
      'scratch',
    ]);
  });

  test('does not let the undo of a restore promise what went before it was stored', async () => {
    using engine = new Engine();
    const at = (name: string) => join(engine.root, name);
    fs.writeFileSync(at('changed'), 'old');
    const id = await engine.run(() => {
      for (const name of ['made', 'other', 'changed']) fs.writeFileSync(at(name), name);
    });
    const outcome = await engine.look(id, async (session, state) => {
      const request = { session, state, snapshot: 0, paths: [] };
      const { actions } = prepareRestore(engine.deps, request);
      for (const name of ['made', 'changed']) fs.rmSync(at(name));
      using store = engine.store();
      return await carryOutRestore(engine.deps, store, request, actions, process.pid);
    });
    expect(outcome.kept.map(({ action, reason }) => [relative(engine.root, action.path), reason])).toEqual([
      ['changed', 'changed meanwhile'],
    ]);
    expect(fs.readdirSync(engine.root)).toEqual([]);
    expect((await engine.verify(outcome.safetyId)).findings).toEqual([]);
    await engine.restore(outcome.safetyId);
    expect(fs.readdirSync(engine.root)).toEqual(['other']);
  });
});
