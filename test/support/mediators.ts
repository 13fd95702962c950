import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { World } from './world.ts';

/** Its descriptors are the grants: the project is nobody else's. */
export function mediatorOf(world: World): number {
  const pid = findMediator(world);
  if (pid === undefined) throw new Error(`No mediator holds ${world.project}`);
  return Number(pid);
}

export function findMediator(world: World): string | undefined {
  const found = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && isMediator(name));
  return found.find((name) => descriptorsOf(Number(name)).includes(world.project));
}

function isMediator(pid: string): boolean {
  return readProcess(`${pid}/comm`) === 'nono-mediator\n';
}

export function isAlive(pid: number): boolean {
  return /^State:\s+[^ZX]/m.test(readProcess(`${pid}/status`));
}

/** Empty for a process that has just gone. */
function readProcess(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, 'latin1');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) return '';
    throw error;
  }
}

/** None of a process that has just gone: other tests have mediators too. */
export function descriptorsOf(pid: number | string): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((name) => readlinkSync(`/proc/${pid}/fd/${name}`));
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) return [];
    throw error;
  }
}
