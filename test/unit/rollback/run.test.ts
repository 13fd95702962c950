import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Engine } from '../../laws/support/engine.ts';

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
});
