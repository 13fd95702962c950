import type { BackgroundCommand } from '../../ports/background.ts';

const CHANNEL = 3;

export interface SpawnedInBackground {
  readonly pid: number;
  readonly kill: (signal: number) => void;
  /** The descriptor of our end. */
  readonly channel: number;
}

/** By Bun.spawn, which calls setsid(2) for a process that is detached. Throws what the runtime throws. */
export function spawnInBackground({ file, arguments: words, environment }: BackgroundCommand): SpawnedInBackground {
  const child = Bun.spawn([file, ...words], {
    env: { ...environment },
    cwd: '/',
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  const channel = child.stdio[CHANNEL];
  if (typeof channel !== 'number') throw new TypeError('Bun.spawn() gave no descriptor for the fourth stream');
  child.unref();
  return { pid: child.pid, kill: (signal) => child.kill(signal), channel };
}
