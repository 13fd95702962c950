import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runNono } from '../support/nono.ts';
import { listSessions, readProject, rollback, writeProject } from '../support/rollback.ts';
import { createWorld, type World } from '../support/world.ts';

const RUNS = 20;
const KEPT = 3;
const TIMEOUT_MS = 180_000;

function limitSessions(world: World, maximum: number): void {
  const directory = join(world.home, '.config/nono');
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'config.toml'), `[rollback]\nmax_sessions = ${maximum}\n`);
}

/** Twenty commands that begin together, each of which changes a file of its own and one that all change. */
async function runMany(world: World): Promise<void> {
  writeProject(world, {
    shared: 'before\n',
    ...Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`sub-${index % 7}/f${index}`, `content ${index}\n`])),
  });
  const outcomes = await Promise.all(
    Array.from({ length: RUNS }, (_, index) => {
      const script = `echo ${index} > own-${index}; echo ${index} >> shared`;
      return runNono(world, ['run', '--rollback', '--allow-cwd', '--', 'sh', '-c', script], { timeoutMs: TIMEOUT_MS });
    }),
  );
  for (const { status, stderr } of outcomes) {
    expect([status, stderr]).toEqual([0, expect.not.stringMatching(/FAILED|Error|internal/i)]);
  }
}

describe('twenty runs on one tree at once', () => {
  test('each keep a session of their own, whole and restorable', { timeout: TIMEOUT_MS }, async () => {
    using world = createWorld();
    limitSessions(world, RUNS);
    await runMany(world);
    const sessions = await listSessions(world);
    expect(sessions).toHaveLength(RUNS);
    expect(sessions.every(({ status }) => status === 'exited')).toBe(true);
    expect(await rollback(world, ['verify', '--all'])).toMatchObject({ status: 0 });
    const first = sessions.at(-1)?.session_id ?? '';
    // What others changed at the same time is theirs as much as its own.
    expect(await rollback(world, ['restore', first])).toMatchObject({ status: 3 });
    expect(await rollback(world, ['restore', first, '--force'])).toMatchObject({ status: 0 });
    expect(readProject(world, 'shared').startsWith('before\n')).toBe(true);
  });

  test('at the limit of sessions do not remove each other while they run, nor what they share', {
    timeout: TIMEOUT_MS,
  }, async () => {
    using world = createWorld();
    limitSessions(world, KEPT);
    await runMany(world);
    // One more, alone, brings what ended together within the limit.
    await runNono(world, ['run', '--rollback', '--allow-cwd', '--', 'sh', '-c', 'echo last > shared']);
    const sessions = await listSessions(world);
    expect(sessions.length).toBeLessThanOrEqual(KEPT);
    expect(sessions.length).toBeGreaterThan(0);
    expect(await rollback(world, ['verify', '--all'])).toMatchObject({ status: 0 });
    expect(await rollback(world, ['restore', sessions[0]?.session_id ?? ''])).toMatchObject({ status: 0 });
    expect(readdirSync(join(world.state, 'rollbacks')).filter((name) => name.startsWith('removing-'))).toEqual([]);
  });
});
