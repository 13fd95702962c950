import * as fs from 'node:fs';
import { join } from 'node:path';
import type { World } from './world.ts';

/** Until nothing more fits. */
export function fill(world: World): void {
  const file = fs.openSync(join(world.state, 'filler'), 'w');
  for (const size of [65_536, 4096, 1]) {
    try {
      for (;;) fs.writeSync(file, Buffer.alloc(size));
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error) || error.code !== 'ENOSPC') throw error;
    }
  }
  fs.closeSync(file);
}
