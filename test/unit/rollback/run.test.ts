import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Bytes, bytesFromText } from '../../../src/bytes.ts';
import { NotFoundError, SystemError } from '../../../src/errors.ts';
import { openRollbacks } from '../../../src/rollback/open-rollbacks.ts';
import { Engine } from '../../laws/support/engine.ts';
import { loadAdapters } from '../../support/adapters.ts';
import { createScratchDirectory } from '../../support/scratch.ts';

const adapters = await loadAdapters();

describe('openRollbacks()', () => {
  test('takes the directory that another first run makes at the same moment', () => {
    using scratch = createScratchDirectory();
    using state = adapters.files.openDirectory(bytesFromText(scratch.path));
    let looks = 0;
    const racing = new Proxy(state, {
      get(target, key) {
        if (key === 'stat') return (name: Bytes) => (looks++ === 0 ? makeMeanwhile(scratch.at('rollbacks')) : target.stat(name));
        const value: unknown = Reflect.get(target, key);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    using opened = openRollbacks(racing);
    expect(opened.names()).toEqual([]);
    expect(looks).toBe(2);
  });
});

function makeMeanwhile(path: string): undefined {
  mkdirSync(path, { mode: 0o700 });
}

describe('a rollback run', () => {
  test('takes a heartbeat after its final snapshot, while the session removes old ones', async () => {
    using engine = new Engine();
    const run = await engine.start();
    run.beat();
    await run.finish({ exitCode: 0, signal: undefined });
    expect(() => run.beat()).not.toThrow();
  });

  test('begins anew where the nodes of the session before it are damaged', async () => {
    using engine = new Engine();
    mkdirSync(join(engine.root, 'd'));
    writeFileSync(join(engine.root, 'd', 'f'), 'x');
    const id = await engine.run(() => undefined);
    writeFileSync(join(engine.state, 'rollbacks', id, 'snapshots', '0', 'nodes'), 'damaged');
    writeFileSync(join(engine.state, 'rollbacks', id, 'snapshots', '1', 'nodes'), 'damaged');
    const later = await engine.run(() => undefined);
    expect((await engine.verify(later)).findings).toEqual([]);
  });

  test('begins anew where the session before it is removed at that moment', async () => {
    using engine = new Engine();
    const file = join(engine.root, 'f');
    writeFileSync(file, 'old');
    const id = await engine.run(() => undefined);
    let starts = 0;
    // The threads would find the objects of the earlier session by their path.
    const loadContentWorkers = async () => {
      starts += 1;
      if (starts > 1) return () => expect.fail('There is too little to read for threads');
      rmSync(join(engine.state, 'rollbacks', id), { recursive: true });
      throw new SystemError('openat', 'ENOENT');
    };
    const run = await engine.start({}, { loadContentWorkers });
    writeFileSync(file, 'new');
    await run.finish({ exitCode: 0, signal: undefined });
    expect(starts).toBe(3);
    expect((await engine.verify(run.id)).findings).toEqual([]);
    await engine.restore(run.id);
    expect(readFileSync(file, 'utf8')).toBe('old');
    expect(readdirSync(join(engine.state, 'rollbacks'))).toHaveLength(2);
  });

  test('is not found by who was about to restore it when a clean-up removes it', async () => {
    using engine = new Engine();
    const id = await engine.run(() => undefined);
    await engine.look(id, async (session) => {
      rmSync(join(engine.state, 'rollbacks', id), { recursive: true });
      for (const lock of [session.lockIfEnded(), session.lockForRestore()]) await expect(lock).rejects.toThrow(NotFoundError);
    });
  });

  test.for([
    { what: 'in the same second', laterMs: 1, offsets: [0, 0], pids: [9, 10] },
    { what: 'after the local time was put back', laterMs: 60_000, offsets: [120, 60], pids: [10, 10] },
  ])('that starts $what is newer than the one before it', async ({ laterMs, offsets, pids }) => {
    using engine = new Engine();
    const ids: Bytes[] = [];
    for (const [at, startedMs] of [1_700_000_000_000, 1_700_000_000_000 + laterMs].entries()) {
      const clock = { ...engine.deps.clock, nowMs: () => startedMs, utcOffsetMinutes: () => offsets[at] ?? 0 };
      const run = await engine.start({ supervisorPid: pids[at] ?? 0 }, { clock });
      await run.finish({ exitCode: 0, signal: undefined });
      ids.unshift(run.id);
    }

    using store = engine.store();
    expect(store.manifests(() => undefined).map(({ id }) => id)).toEqual(ids);
  });
});
