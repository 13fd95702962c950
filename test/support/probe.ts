import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join, resolve } from 'node:path';
import { createScratchDirectory, type Scratch } from './scratch.ts';
import type { World } from './world.ts';

/** A compiled program of test/fixtures. */
export interface Probe extends Disposable {
  /** Puts it into the world's project, where the sandbox lets it run. @returns its path. */
  copyTo(world: World): string;
}

/** @returns undefined where no C compiler is installed. */
export function compileProbe(
  name: 'escape-probe' | 'race-probe' | 'odd-arguments' | 'older-kernel' | 'mediator-storm' = 'escape-probe',
): Probe | undefined {
  const scratch: Scratch = createScratchDirectory();
  const source = resolve(import.meta.dirname, `../fixtures/${name}.c`);
  const { status, error, stderr } = spawnSync('cc', ['-O0', '-pthread', '-o', scratch.at(name), source], { encoding: 'utf8' });
  if (error !== undefined) {
    scratch[Symbol.dispose]();
    return undefined;
  }
  if (status !== 0) throw new Error(`The probe cannot be compiled:\n${stderr}`);
  return {
    copyTo(world) {
      const path = join(world.project, name);
      copyFileSync(scratch.at(name), path);
      chmodSync(path, 0o755);
      return path;
    },
    [Symbol.dispose]: () => scratch[Symbol.dispose](),
  };
}

/** What the probe says, with names for numbers: "ok", "EPERM", "SIGSYS". */
export function nameResult(printed: string): string {
  const [kind, number] = printed.trim().split(' ');
  const table = kind === 'errno' ? constants.errno : kind === 'signal' ? constants.signals : {};
  return Object.entries(table).find(([, value]) => value === Number(number))?.[0] ?? printed.trim();
}
