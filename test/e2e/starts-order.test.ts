import { chmodSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runNono } from '../support/nono.ts';
import { createWorld } from '../support/world.ts';

const ORDER = readFileSync(resolve(import.meta.dirname, '../../scripts/lib/starts.order'), 'utf8');

describe('the recording that the bytecode is laid out by', () => {
  test('is of the form that the runtime reads', () => {
    expect(ORDER).toMatch(/^v\d+\n(?:[A-Z] [0-9a-f]+\n)+$/);
  });

  /** It need not be the newest: what has changed since is only laid out behind the rest. */
  test('still knows most functions that a start uses; else `npm run record-starts` makes it anew', async () => {
    using world = createWorld();
    const recorded = join(world.project, 'recorded');
    mkdirSync(recorded, { mode: 0o777 });
    chmodSync(recorded, 0o777);

    await runNono(world, ['ps', '--all'], { environment: { BUN_BYTECODE_ORDER_OUT: join(recorded, '%p') } });

    const [file = ''] = readdirSync(recorded);
    const used = readFileSync(join(recorded, file), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('F '));
    const known = new Set(ORDER.split('\n'));
    expect(used.filter((line) => known.has(line)).length / used.length).toBeGreaterThan(0.5);
  });
});
