import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runNono } from './nono.ts';
import { waitFor } from './wait.ts';
import type { World } from './world.ts';

const STARTED_REGEXP = /^Started detached session (?<id>[0-9a-f]{6})\.\nAttach with: nono attach \k<id>\n$/;

/** What tests look at of `sessions/<id>.json`. */
export interface RecordFields {
  readonly name: string;
  readonly status: string;
  readonly host: string;
  readonly attachment: string;
  readonly supervisor_pid: number;
  readonly child_pid: number;
  readonly exit_code: number | null;
  readonly signal: string | null;
}

export function recordPath(world: World, id: string): string {
  return join(world.state, 'sessions', `${id}.json`);
}

export function readRecord(world: World, id: string): RecordFields {
  return JSON.parse(readFileSync(recordPath(world, id), 'utf8')) as RecordFields;
}

/** Starts a detached session that may use the project. @returns its id. @throws {Error} when it said anything else. */
export async function startDetached(world: World, ...words: readonly string[]): Promise<string> {
  const { stdout, stderr, status } = await runNono(world, ['run', '--detached', '--allow-cwd', ...words]);
  const id = STARTED_REGEXP.exec(stdout)?.groups?.['id'];
  if (id === undefined || stderr !== '' || status !== 0) throw new Error(`Not started (${status}): ${stdout}${stderr}`);
  return id;
}

/** The same with a script for sh(1). */
export function startScript(world: World, script: string): Promise<string> {
  return startDetached(world, '--', 'sh', '-c', script);
}

export function untilStatus(world: World, id: string, status: string): Promise<boolean> {
  return waitFor(`session ${id} to be ${status}`, () => readRecord(world, id).status === status);
}

/** False also for a zombie, which is dead. */
export function isAlive(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch (error) {
    // It may go between opening and reading.
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) return false;
    throw error;
  }
}

export function untilGone(pid: number): Promise<boolean> {
  return waitFor(`process ${pid} to be gone`, () => !isAlive(pid));
}
