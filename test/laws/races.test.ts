import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Bytes, bytesFromText } from '../../src/bytes.ts';
import { describeFailure } from '../../src/errors.ts';
import { abortRestore, findUnfinished, resumeRestore } from '../../src/rollback/interrupted.ts';
import { prepareRestore } from '../../src/rollback/prepare-restore.ts';
import { carryOutRestore } from '../../src/rollback/restore.ts';
import { runs, stride } from '../support/effort.ts';
import { dumpTree } from '../support/tree.ts';
import { Engine } from './support/engine.ts';
import { FaultPlan, makeFaulty } from './support/faulty-files.ts';

const RUNS = { numRuns: runs(import.meta.filename, 100) };
const STRIDE = stride(6);

/** Does something before one call of the file system, as a process that runs at the same time. */
class Interference extends FaultPlan {
  #left = Number.POSITIVE_INFINITY;
  #act: () => void = () => undefined;

  before(call: number, act: () => void): void {
    [this.#left, this.#act] = [call, act];
  }

  override check(call: string): void {
    this.#left -= 1;
    if (this.#left === 0) this.#act();
    super.check(call);
  }
}

const NAMES = ['d', 'd/changed', 'd/gone', 'd/sub', 'd/sub/gone', 'made', 'made/f', 'twin', 'd/twin'];
const TRICKS = ['link', 'directory', 'nothing', 'loop', 'file', 'hard link', 'taken names'] as const;

function play(trick: (typeof TRICKS)[number], engine: Engine, name: string): void {
  const path = join(engine.root, name);
  const outside = join(engine.directory, 'outside');
  try {
    if (trick === 'taken names') {
      takeNames(engine, path);
      return;
    }
    fs.rmSync(path, { recursive: true, force: true });
    if (trick === 'link') fs.symlinkSync(name.endsWith('changed') ? join(outside, 'secret') : outside, path);
    else if (trick === 'directory') fs.mkdirSync(join(path, 'full'), { recursive: true });
    else if (trick === 'file') fs.writeFileSync(path, 'mine');
    else if (trick === 'hard link') fs.linkSync(join(outside, 'secret'), path);
    else if (trick === 'loop') fs.symlinkSync('.', path);
  } catch (error) {
    // What it would be made in has gone, or is a file.
    if (!['ENOENT', 'ENOTDIR', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

/** The names of temporary files, which the id and the number of the restore's process give away. */
function takeNames(engine: Engine, path: string): void {
  const ids = fs.readdirSync(join(engine.state, 'rollbacks'));
  for (const id of ids) for (const end of ['0', '1', '2', 'link']) fs.mkdirSync(join(path, `.nono-restore-${id}-${end}`));
}

function makeTree(engine: Engine): void {
  const outside = join(engine.directory, 'outside');
  for (const path of [join(outside, 'sub'), join(engine.root, 'd/sub')]) fs.mkdirSync(path, { recursive: true });
  for (const path of ['secret', 'changed', 'gone', 'sub/gone']) fs.writeFileSync(join(outside, path), 'secret', { mode: 0o640 });
  for (const path of ['d/changed', 'd/gone', 'd/sub/gone', 'twin']) fs.writeFileSync(join(engine.root, path), path);
  fs.linkSync(join(engine.root, 'twin'), join(engine.root, 'd/twin'));
}

function edit(root: string): void {
  fs.writeFileSync(join(root, 'd/changed'), 'other\n');
  fs.rmSync(join(root, 'd/gone'));
  fs.rmSync(join(root, 'd/sub'), { recursive: true });
  fs.mkdirSync(join(root, 'made'));
  fs.writeFileSync(join(root, 'made/f'), 'f');
  fs.rmSync(join(root, 'd/twin'));
  fs.writeFileSync(join(root, 'd/twin'), 'apart');
}

/** Without conflicts, unless it is forced: what is wanted back. */
async function restorePaths(engine: Engine, id: string, paths: readonly string[] = [], isForced = false): Promise<void> {
  await engine.look(id, async (session, state) => {
    const request = { session, state, snapshot: 0, paths: paths.map((path) => bytesFromText(join(engine.root, path))) };
    using store = engine.store();
    const { actions, conflicts } = prepareRestore(engine.deps, request);
    const forced = isForced ? conflicts.map(({ action }) => action) : [];
    await carryOutRestore(engine.deps, store, request, [...actions, ...forced], process.pid);
  });
}

function unfinished(engine: Engine, id: string): Bytes[] {
  using store = engine.store();
  return findUnfinished(
    store.manifests(({ error }) => expect.fail(error.message)),
    bytesFromText(id),
  );
}

/**
 * A restore that is killed at the first call at which it is listed and `isFar`.
 *
 * @param since What somebody does after the session, which the restore overwrites.
 */
async function interrupt(isFar: (engine: Engine) => boolean, since?: (engine: Engine) => void) {
  for (let turn = 1; ; turn += 7) {
    const plan = new FaultPlan();
    const engine = new Engine('tree', ({ files }) => ({ files: makeFaulty(files, plan) }));
    makeTree(engine);
    const id = await engine.run(() => edit(engine.root));
    since?.(engine);
    plan.arm(turn, 'EIO');
    await restorePaths(engine, id, [], since !== undefined).catch(() => undefined);
    plan.disarm();
    const [safety] = unfinished(engine, id);
    if (safety !== undefined && isFar(engine)) return { engine, id, safety, [Symbol.dispose]: () => engine[Symbol.dispose]() };
    engine[Symbol.dispose]();
    expect(plan.failed).toBeDefined();
  }
}

/** Temporary files that were left; directories of such a name are the command's. */
function leftovers(directory: string): string[] {
  return fs.readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    if (entry.isDirectory()) return leftovers(join(directory, entry.name));
    return entry.name.startsWith('.nono') ? [entry.name] : [];
  });
}

describe('a restore while the command still runs', () => {
  test('writes nothing outside, keeps what was changed meanwhile and is never at a loss', async () => {
    const where = fc.record({
      call: fc.integer({ min: 1, max: 260 }),
      trick: fc.constantFrom(...TRICKS),
      name: fc.constantFrom(...NAMES),
    });
    await fc.assert(
      fc.asyncProperty(where, async ({ call, trick, name }) => {
        const plan = new Interference();
        using engine = new Engine('tree', ({ files }) => ({ files: makeFaulty(files, plan) }));
        makeTree(engine);
        const outside = dumpTree(join(engine.directory, 'outside'));
        const id = await engine.run(() => edit(engine.root));
        plan.before(call, () => play(trick, engine, name));
        let isDone = true;
        try {
          await restorePaths(engine, id);
        } catch (error) {
          isDone = false;
          const { text } = describeFailure(error);
          expect(text, `${trick} at ${name}`).not.toContain('Internal error');
        }
        plan.before(Number.POSITIVE_INFINITY, () => undefined);
        if (trick !== 'hard link') expect(dumpTree(join(engine.directory, 'outside'))).toEqual(outside);
        expect(fs.readFileSync(join(engine.directory, 'outside/secret'), 'utf8')).toBe('secret');
        expect(isDone, `${trick} at ${name} before call ${call}`).toBe(true);
        expect(leftovers(engine.root)).toEqual([]);
      }),
      RUNS,
    );
  });
});

describe('a snapshot while the command still runs', () => {
  test('neither fails nor holds what is outside, whatever is put where it looks', async () => {
    const where = fc.record({
      call: fc.integer({ min: 1, max: 160 }),
      trick: fc.constantFrom(...TRICKS),
      name: fc.constantFrom(...NAMES, 'link'),
    });
    await fc.assert(
      fc.asyncProperty(where, fc.boolean(), async ({ call, trick, name }, isCheckpoint) => {
        const plan = new Interference();
        using engine = new Engine('tree', ({ files }) => ({ files: makeFaulty(files, plan) }));
        makeTree(engine);
        fs.symlinkSync('twin', join(engine.root, 'link'));
        const run = await engine.start();
        edit(engine.root);
        plan.before(call, () => play(trick, engine, name));
        if (isCheckpoint) await engine.checkpoint(run);
        await run.finish({ exitCode: 0, signal: undefined });
        plan.before(Number.POSITIVE_INFINITY, () => undefined);
        expect((await engine.verify(run.id)).findings).toEqual([]);
        const objects = join(engine.state, 'rollbacks', run.id, 'objects');
        const stored = spawnSync('grep', ['-rlx', 'secret', objects]).stdout.toString();
        if (trick !== 'hard link') expect(stored, `${trick} at ${name} before call ${call}`).toBe('');
      }),
      RUNS,
    );
  });
});

describe('a restore of one name of a hard link', () => {
  test('does not join it with another name that only looks as it was', async () => {
    using engine = new Engine();
    const [a, b] = [join(engine.root, 'a'), join(engine.root, 'b')];
    fs.writeFileSync(a, 'content');
    fs.utimesSync(a, 1_700_000_000, 1_700_000_000);
    fs.linkSync(a, b);
    const id = await engine.run(() => {
      fs.rmSync(b);
      fs.writeFileSync(a, 'another');
      fs.utimesSync(a, 1_700_000_000, 1_700_000_000);
    });
    await restorePaths(engine, id, ['b']);
    expect([a, b].map((path) => fs.readFileSync(path, 'utf8'))).toEqual(['another', 'content']);
    await restorePaths(engine, id);
    expect(fs.statSync(a).ino).toBe(fs.statSync(b).ino);
    expect(fs.readFileSync(a, 'utf8')).toBe('content');
  });
});

describe('a restore that was interrupted', () => {
  /** Edits in place: no directory changes by them, and every one by the restore. */
  function makeLinks(root: string): void {
    for (const name of ['d', 'e']) fs.mkdirSync(join(root, name));
    fs.writeFileSync(join(root, 'd/a'), 'linked');
    fs.linkSync(join(root, 'd/a'), join(root, 'e/b'));
    fs.writeFileSync(join(root, 'd/plain'), 'plain');
    for (const name of ['d', 'e']) fs.chmodSync(join(root, name), 0o555);
    for (const name of ['d', 'e', '']) fs.utimesSync(join(root, name), 1_600_000_000, 1_600_000_000);
  }

  function editInPlace(root: string): void {
    for (const name of ['d/a', 'd/plain']) fs.writeFileSync(join(root, name), 'other');
  }

  test.for([false, true])('gives directories the times and modes that it had not come to (taken back: %s)', async (isAbort) => {
    for (let turn = 1; ; turn += STRIDE) {
      const plan = new FaultPlan();
      using engine = new Engine('tree', ({ files }) => ({ files: makeFaulty(files, plan) }));
      makeLinks(engine.root);
      const before = dumpTree(engine.root);
      const id = await engine.run(() => editInPlace(engine.root));
      const left = dumpTree(engine.root);
      plan.arm(turn, 'EIO');
      await restorePaths(engine, id).catch(() => undefined);
      plan.disarm();
      if (plan.failed === undefined) break;
      using store = engine.store();
      const begun = unfinished(engine, id);
      for (const safety of begun) await (isAbort ? abortRestore : resumeRestore)(engine.deps, store, safety);
      if (begun.length > 0) expect(dumpTree(engine.root), `call ${turn}`).toEqual(isAbort ? left : before);
      await engine.restore(id);
      expect(dumpTree(engine.root), `call ${turn}`).toEqual(before);
    }
  });

  test.for([false, true])(
    'goes on where the command made a directory with the name of a temporary file (taken back: %s)',
    async (isAbort) => {
      using interrupted = await interrupt(() => true);
      const { engine, id, safety } = interrupted;
      fs.mkdirSync(join(engine.root, 'd', `.nono-restore-${safety}-x`));
      using store = engine.store();
      expect(await (isAbort ? abortRestore : resumeRestore)(engine.deps, store, safety)).not.toBe('busy');
      expect(unfinished(engine, id)).toEqual([]);
    },
  );

  test('is not taken back where nobody else holds what it has overwritten, and can be completed and undone', async () => {
    const place = ({ root }: Engine) => join(root, 'd/changed');
    const isReached = (engine: Engine) => fs.readFileSync(place(engine), 'utf8') === 'd/changed';
    using interrupted = await interrupt(isReached, (engine) => fs.writeFileSync(place(engine), 'mine'));
    const { engine, safety } = interrupted;
    fs.writeFileSync(place(engine), 'newer');
    const there = dumpTree(engine.root);
    using store = engine.store();

    await expect(abortRestore(engine.deps, store, safety)).rejects.toThrow(/^Cannot take back ".*\/d\/changed", so nothing was/);

    expect(dumpTree(engine.root)).toEqual(there);
    expect(await resumeRestore(engine.deps, store, safety)).toMatchObject({ safetyId: safety });
    expect(fs.readFileSync(place(engine), 'utf8')).toBe('newer');
    await engine.restore(safety);
    expect(fs.readFileSync(place(engine), 'utf8')).toBe('mine');
  });

  test('is not over when a content that it is to bring back is damaged', async () => {
    const isReached = ({ root }: Engine) => fs.readFileSync(join(root, 'd/changed'), 'utf8') === 'd/changed';
    using interrupted = await interrupt(isReached);
    const { engine, safety } = interrupted;
    const objects = join(engine.state, 'rollbacks', safety, 'objects');
    const [object] = fs
      .readdirSync(objects, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && fs.readFileSync(join(entry.parentPath, entry.name), 'utf8') === 'other\n');
    fs.rmSync(join(object?.parentPath ?? '', object?.name ?? ''));
    using store = engine.store();
    await expect(abortRestore(engine.deps, store, safety)).rejects.toThrow(/^Cannot take back ".*\/d\/changed"/);
    expect(store.ids()).toContain(safety);
  });
});
