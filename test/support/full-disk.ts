import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import type { World } from './world.ts';

/** A file system of its own for nono's state, away when the test ends. */
export function mountState(context: TestContext, world: World, sizeBytes: number): Disposable {
  fs.mkdirSync(world.state);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `mode=0700,size=${sizeBytes}`, 'tmpfs', world.state], { stdio: 'pipe' });
  } catch (error) {
    context.skip(`needs root and mount(8): ${String(error).split('\n')[0]}`);
  }
  return { [Symbol.dispose]: () => execFileSync('umount', ['-l', world.state]) };
}

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
