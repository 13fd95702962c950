import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Bytes, bytesFromText } from '../../../src/bytes.ts';
import type { Directory } from '../../../src/ports/files.ts';
import { findOrphans, removeSessions } from '../../../src/rollback/removal.ts';
import { RollbackStore } from '../../../src/rollback/store.ts';
import { Engine } from '../../laws/support/engine.ts';
import { countTurns } from '../../support/turns.ts';

const originals = new WeakMap<object, object>();

/** The same directory, file or lock, where `meanwhile` happens before each call. */
function interrupted<T extends object>(real: T, meanwhile: () => void): T {
  const proxy = new Proxy(real, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function') return value;
      return (...given: unknown[]) => {
        meanwhile();
        // Adapters look into a directory of their own that they are given.
        const originally = given.map((one) => (typeof one === 'object' && one !== null ? (originals.get(one) ?? one) : one));
        const result: unknown = value.apply(target, originally);
        const isOpened = typeof result === 'object' && result !== null && Symbol.dispose in result;
        return isOpened ? interrupted(result, meanwhile) : result;
      };
    },
  });
  originals.set(proxy, real);
  return proxy;
}

/** What another process removes at its end: sessions that were left half made. */
async function cleanUp(engine: Engine): Promise<readonly Bytes[]> {
  using store = engine.store();
  const removals = await removeSessions(store, findOrphans(store, Date.now()));
  return removals.map(({ id }) => id);
}

describe('a clean-up', () => {
  test('takes nothing of a session that is being made, at whatever call of its maker it comes', async () => {
    using engine = new Engine();
    const cleaning: Promise<readonly Bytes[]>[] = [];
    using real = engine.deps.files.openDirectory(bytesFromText(engine.state));
    const stateDirectory: Directory = interrupted(real, () => cleaning.push(cleanUp(engine)));
    const run = await engine.start({ stateDirectory });
    expect(cleaning.length).toBeGreaterThan(20);
    expect((await Promise.all(cleaning)).flat()).toEqual([]);
    await run.finish({ exitCode: 0, signal: undefined });
    expect((await engine.verify(run.id)).findings).toEqual([]);
  });

  test('spares a session that got its manifest and its end while those with a manifest were read', async () => {
    using engine = new Engine();
    const run = await engine.start();
    const manifest = `${run.id}/manifest.json` as Bytes;
    await run.finish({ exitCode: 0, signal: undefined });
    let isThere = false;
    using rollbacks = engine.deps.files.openDirectory(bytesFromText(`${engine.state}/rollbacks`));
    const lookedAtTooEarly = new Proxy(rollbacks, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key, target);
        if (key === 'stat')
          return (name: Bytes) => {
            if (name !== manifest || isThere) return target.stat(name);
            isThere = true;
            return undefined;
          };
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    using store = new RollbackStore(lookedAtTooEarly, engine.deps.hash);
    expect(findOrphans(store, Date.now())).toEqual([]);
    expect(isThere).toBe(true);
  });

  test('removes what a killed maker left, as soon as it had its lock', async () => {
    using engine = new Engine();
    {
      using store = engine.store();
      store.create(() => '20260101-000000-1' as Bytes)[Symbol.dispose]();
    }
    expect(await cleanUp(engine)).toEqual(['20260101-000000-1']);
  });

  test('of one large session lets the loop go on', async () => {
    using engine = new Engine();
    for (let number = 0; number < 100; number += 1) writeFileSync(join(engine.root, `f${number}`), `${number}`);
    const run = await engine.start();
    await run.finish({ exitCode: 0, signal: undefined });
    const fanOut = readdirSync(join(engine.state, 'rollbacks', run.id, 'objects'));
    expect(fanOut.length).toBeGreaterThan(50);

    const turns = countTurns();
    using store = engine.store();
    expect(await removeSessions(store, [run.id])).toMatchObject([{ id: run.id }]);
    expect(turns.stop()).toBeGreaterThan(fanOut.length);
  });
});
