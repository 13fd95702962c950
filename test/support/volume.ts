import { execFileSync } from 'node:child_process';
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import { createScratchDirectory } from './scratch.ts';
import { needCommands } from './tools.ts';

/** The least that mkfs.btrfs takes. */
const VOLUME_BYTES = 128 * 1024 * 1024;

/** A file system of its own in a file, which goes with the test. Skips it, and says why, where none can be made. */
export function createVolume(context: TestContext, type: 'ext4' | 'btrfs'): Disposable & { at(name: string): string } {
  needCommands(context, `mkfs.${type}`, 'mount', 'umount');
  const scratch = createScratchDirectory();
  const image = scratch.at('image');
  const mounted = scratch.at('mounted');
  writeFileSync(image, '');
  truncateSync(image, VOLUME_BYTES);
  mkdirSync(mounted);
  try {
    execFileSync(`mkfs.${type}`, ['-q', image], { stdio: 'pipe' });
    execFileSync('mount', ['-o', 'loop', image, mounted], { stdio: 'pipe' });
  } catch (error) {
    scratch[Symbol.dispose]();
    context.skip(`needs root, and a kernel with loop devices and ${type}: ${String(error).split('\n')[0]}`);
  }
  return {
    at: (name) => join(mounted, name),
    [Symbol.dispose]: () => {
      execFileSync('umount', [mounted], { stdio: 'pipe' });
      scratch[Symbol.dispose]();
    },
  };
}
