import * as fs from 'node:fs';
import { isAlive } from './sessions.ts';
import type { World } from './world.ts';

/**
 * Everything that was started in a world: it works below its directory, or has the environment of it, or is nono itself, which is
 * seen where the world has an executable of its own.
 */
export function processesOf({ directory }: Pick<World, 'directory'>): readonly number[] {
  return fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && isAlive(Number(name)))
    .filter((name) =>
      [linkOf(`/proc/${name}/cwd`), linkOf(`/proc/${name}/exe`), environmentOf(name)].some((text) => text.includes(directory)),
    )
    .map(Number);
}

/** Where a link of /proc leads; '' for what is gone. */
export function linkOf(path: string): string {
  return unlessGone(() => fs.readlinkSync(path));
}

function environmentOf(pid: string): string {
  return unlessGone(() => fs.readFileSync(`/proc/${pid}/environ`, 'latin1'));
}

function unlessGone(read: () => string): string {
  try {
    return read();
  } catch (error) {
    if (error instanceof Error && 'code' in error && ['ENOENT', 'ESRCH', 'EACCES', 'ENAMETOOLONG'].includes(String(error.code)))
      return '';
    throw error;
  }
}
