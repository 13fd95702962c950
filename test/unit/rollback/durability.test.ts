import {
  appendFileSync,
  chmodSync,
  cpSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { SystemError } from '../../../src/errors.ts';
import type { SyncDisk } from '../../../src/ports/disk-sync.ts';
import type { SnapshotProgress } from '../../../src/rollback/snapshot.ts';
import { Engine } from '../../laws/support/engine.ts';

const OK = { exitCode: 0, signal: undefined };

/** A disk that is done when the test says so. */
class SlowDisk {
  readonly #waiting: { readonly resolve: () => void; readonly reject: (error: Error) => void }[] = [];

  readonly sync: SyncDisk = () => new Promise((resolve, reject) => void this.#waiting.push({ resolve, reject }));

  readonly deps = { loadDiskSync: async () => this.sync };

  get pending(): number {
    return this.#waiting.length;
  }

  done(): void {
    for (const { resolve } of this.#waiting.splice(0)) resolve();
  }

  fail(error: Error): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}

function isDurable(engine: Engine, id: string): Promise<boolean> {
  return engine.look(id, ({ manifest }) => manifest.durable);
}

function makeEngine(): Engine {
  const engine = new Engine();
  writeFileSync(join(engine.root, 'a'), 'one');
  return engine;
}

describe('a baseline on a disk that takes long', () => {
  test('is listed and can be restored before it is durable, and says so', async () => {
    using engine = makeEngine();
    const disk = new SlowDisk();
    const run = await engine.start({ patienceMs: 0 }, disk.deps);
    expect(await isDurable(engine, run.id)).toBe(false);
    writeFileSync(join(engine.root, 'a'), 'two');
    expect((await engine.plan(run.id)).actions).toHaveLength(1);

    disk.done();
    await run.becomesDurable;
    expect(await isDurable(engine, run.id)).toBe(true);
    await run.abandon();
  });

  test('is waited for where the command is to start only then', async () => {
    using engine = makeEngine();
    const disk = new SlowDisk();
    const phases: SnapshotProgress['phase'][] = [];
    const onProgress = ({ phase }: SnapshotProgress) => void phases.push(phase);
    let isStarted = false;
    const starting = engine.start({ patienceMs: Number.POSITIVE_INFINITY, onProgress }, disk.deps).then((run) => {
      isStarted = true;
      return run;
    });
    while (disk.pending === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(isStarted).toBe(false);
    disk.done();
    const run = await starting;
    expect(run.becomesDurable).toBeUndefined();
    expect(await isDurable(engine, run.id)).toBe(true);
    expect(phases.at(-1)).toBe('syncing');
    await run.abandon();
  });

  test('keeps a checkpoint that is taken meanwhile', async () => {
    using engine = makeEngine();
    const disk = new SlowDisk();
    const run = await engine.start({ patienceMs: 0 }, disk.deps);
    appendFileSync(join(engine.root, 'a'), 'more');
    expect(await engine.checkpoint(run)).toBe(1);
    disk.done();
    await run.becomesDurable;
    expect(await engine.look(run.id, ({ manifest }) => [manifest.durable, manifest.snapshots.length])).toEqual([true, 2]);
    await run.abandon();
  });

  test('is durable at the end of the run, though the command ended first', async () => {
    using engine = makeEngine();
    const disk = new SlowDisk();
    const run = await engine.start({ patienceMs: 0 }, disk.deps);
    const ending = run.finish(OK);
    while (disk.pending < 2) await new Promise((resolve) => setImmediate(resolve));
    disk.done();
    await ending;
    await run.becomesDurable;
    const state = await engine.look(run.id, ({ manifest }) => [manifest.durable, manifest.status, manifest.snapshots.length]);
    expect(state).toEqual([true, 'complete', 2]);
  });

  test('that fails after the command was started is told, and never called durable', async () => {
    using engine = makeEngine();
    const disk = new SlowDisk();
    const run = await engine.start({ patienceMs: 0 }, disk.deps);
    disk.fail(new SystemError('syncfs', 'EIO'));
    await expect(run.becomesDurable).rejects.toThrow('EIO');
    expect(await isDurable(engine, run.id)).toBe(false);
    await run.abandon();
  });

  test('that fails before is no baseline: nothing of it stays', async () => {
    using engine = makeEngine();
    const failing = { loadDiskSync: async (): Promise<SyncDisk> => () => Promise.reject(new SystemError('syncfs', 'EIO')) };
    await expect(engine.start({}, failing)).rejects.toMatchObject({ code: 'E_BASELINE' });
    using store = engine.store();
    expect(store.names()).toEqual([]);
  });

  test.for([{ isRecovered: false }, { isRecovered: true }])(
    'that was lost on its way lends no contents to the next (recovered: $isRecovered)',
    async ({ isRecovered }) => {
      using engine = makeEngine();
      const disk = new SlowDisk();
      const lost = await engine.start({ patienceMs: 0 }, disk.deps);
      const directory = join(engine.state, 'rollbacks', lost.id);
      const copy = join(engine.directory, 'copy');
      cpSync(directory, copy, { recursive: true, preserveTimestamps: true });
      await lost.abandon();
      renameSync(copy, directory);
      // As a file system leaves it that had written names and no contents when the power went.
      const objects = join(directory, 'objects');
      for (const name of readdirSync(objects, { recursive: true, encoding: 'utf8' })) {
        const path = join(objects, name);
        if (!statSync(path).isFile()) continue;
        chmodSync(path, 0o600);
        truncateSync(path);
      }
      if (isRecovered) await engine.look(lost.id, (_, { manifest }) => expect(manifest.status).toBe('recovered'));

      const id = await engine.run(() => writeFileSync(join(engine.root, 'a'), 'two'));
      expect((await engine.verify(id)).findings).toEqual([]);
      await engine.restore(id);
      expect(readFileSync(join(engine.root, 'a'), 'utf8')).toBe('one');
    },
  );
});
