import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/**
 * The bun of node_modules, undefined when it does not run here.
 *
 * The package's own executable is a placeholder until its install script has run; where npm is told to
 * run none, the platform's package still holds the real one.
 */
export function findBun(top) {
  const platform = `${process.platform}-${process.arch === 'arm64' ? 'aarch64' : process.arch}`;
  const names = ['bun/bin/bun.exe', `@oven/bun-${platform}/bin/bun`, `@oven/bun-${platform}-musl/bin/bun`];
  const candidates = names.map((name) => join(top, 'node_modules', name));
  return candidates.find((file) => spawnSync(file, ['--version'], { stdio: 'ignore' }).status === 0);
}
