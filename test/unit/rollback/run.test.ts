import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Bytes, bytesFromText } from '../../../src/bytes.ts';
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
