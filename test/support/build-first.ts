import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';

const top = resolve(import.meta.dirname, '../..');

/** Vitest's global set-up of the end-to-end tests: they never judge an executable that is older than its source. */
export function setup(): void {
  const { status } = spawnSync('node', [resolve(top, 'scripts/lib/prepare.mjs')], { stdio: 'inherit' });
  if (status !== 0) throw new Error('Cannot test: dist/nono was not built');
}
