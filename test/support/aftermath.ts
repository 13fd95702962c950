import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { runNono } from './nono.ts';
import { processesOf } from './processes.ts';
import { waitFor } from './wait.ts';
import type { World } from './world.ts';

export function killAll(world: Pick<World, 'directory'>): void {
  for (const pid of processesOf(world)) spawnSync('kill', ['-9', String(pid)]);
}

/**
 * Whatever was done to sessions: all can be listed, verified, ended and cleaned up, nothing of them is left, and the next one starts.
 *
 * @param between What is to be looked at when all has ended and nothing is cleaned up yet.
 * @returns what is wrong, in words.
 */
export async function lookAfterwards(
  world: World,
  between: () => Promise<readonly string[]> = async () => [],
): Promise<string[]> {
  const wrong: string[] = [];
  const must = async (...next: readonly string[]) => {
    const { status, stdout, stderr } = await runNono(world, next);
    if (status !== 0) wrong.push(`nono ${next.join(' ')}: ${status} ${stdout}${stderr}`);
    return stdout;
  };
  const listed = JSON.parse((await must('ps', '--all', '--json')) || '[]') as readonly { session_id: string; status: string }[];
  for (const { session_id: id, status } of listed)
    if (status !== 'exited' && status !== 'lost') await must('stop', '--force', id);
  wrong.push(...(await whoStays(world)));
  const audit = await runNono(world, ['audit', 'verify', '--all']);
  if (audit.stdout.includes('broken')) wrong.push(`audit verify: ${audit.stdout}`);
  await must('rollback', 'verify', '--all');
  wrong.push(...(await between()));
  await must('rollback', 'cleanup', '--keep', '0');
  await must('prune');
  for (const place of ['sessions', 'names']) {
    const path = join(world.state, place);
    const stay = fs.existsSync(path) ? fs.readdirSync(path) : [];
    if (stay.length > 0) wrong.push(`what stays in ${place}: ${stay.join(' ')}`);
  }
  await must('run', '--rollback', '--allow-cwd', '--name', 'mine', '--', 'true');
  const ids = listed.map(({ session_id: id }) => `nono-${id}-`);
  const temporary = fs.readdirSync('/tmp').filter((name) => ids.some((id) => name.startsWith(id)));
  if (temporary.length > 0) wrong.push(`what stays in /tmp: ${temporary.join(' ')}`);
  return wrong;
}

async function whoStays(world: World): Promise<readonly string[]> {
  try {
    await waitFor('all processes to be gone', () => processesOf(world).length === 0);
    return [];
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const lines = processesOf(world).map((pid) => `${pid} ${readCommand(pid)}`);
    return [`who stays: ${lines.join(', ')}`];
  }
}

function readCommand(pid: number): string {
  const path = `/proc/${pid}/cmdline`;
  return fs.existsSync(path) ? fs.readFileSync(path, 'latin1').replaceAll('\0', ' ') : 'gone';
}
