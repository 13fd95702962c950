import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { listSessions, rollback, runTracked, writeProject } from '../support/rollback.ts';
import { createWorld, type World } from '../support/world.ts';

const BLOCK_BYTES = 512;

/** What the contents of all sessions take on the disk, each counted once. */
function storedBytes(world: World): number {
  const blocks = new Map<number, number>();
  const visit = (path: string): void => {
    for (const entry of fs.readdirSync(path, { withFileTypes: true })) {
      const at = join(path, entry.name);
      if (entry.isDirectory()) visit(at);
      else if (at.includes('/objects/')) blocks.set(fs.statSync(at).ino, fs.statSync(at).blocks);
    }
  };
  visit(join(world.state, 'rollbacks'));
  return [...blocks.values()].reduce((sum, count) => sum + count, 0) * BLOCK_BYTES;
}

interface Cleanup {
  readonly dry_run: boolean;
  readonly removed: readonly { readonly session_id: string; readonly freed_bytes: number }[];
  readonly freed_bytes: number;
}

async function cleanup(world: World, ...words: readonly string[]): Promise<Cleanup> {
  const { stdout, stderr, status } = await rollback(world, ['cleanup', ...words, '--json']);
  expect([status, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as Cleanup;
}

/** Three sessions that share most of what they hold. */
async function createSessions(): Promise<World> {
  const world = createWorld();
  writeProject(world, { shared: 'x'.repeat(300_000), own: 'a'.repeat(20_000) });
  for (const letter of ['b', 'c', 'd']) {
    await runTracked(world, `head -c 50000 /dev/zero | tr '\\0' ${letter} > own; rm -f hole; truncate -s 10M hole`);
  }
  return world;
}

describe('nono rollback cleanup', () => {
  test.for([
    ['--keep', '2'],
    ['--keep', '1'],
    ['--keep', '0'],
    ['--all', '--yes'],
  ])('with %s frees what --dry-run says, and that is what the disk gets back', async (words) => {
    using world = await createSessions();
    const before = storedBytes(world);
    const planned = await cleanup(world, ...words, '--dry-run');
    expect(storedBytes(world)).toBe(before);
    const done = await cleanup(world, ...words);
    expect(done).toEqual({ ...planned, dry_run: false });
    expect(before - storedBytes(world)).toBe(done.freed_bytes);
    expect(done.freed_bytes).toBeGreaterThan(0);
    expect(await listSessions(world)).toHaveLength(3 - done.removed.length);
  });

  test('says sizes to people too', async () => {
    using world = await createSessions();
    const dry = await rollback(world, ['cleanup', '--keep', '1', '--dry-run']);
    expect(dry.stdout).toMatch(
      /^(?:\d{8}-\d{6}-\d+ {2}\d+(?:\.\d)? [KM]?i?B\n){2}Would remove 2 sessions, [\d.]+ KiB would be free\n$/,
    );
    const done = await rollback(world, ['cleanup', '--keep', '1']);
    expect(done.stdout).toBe(dry.stdout.replace('Would remove', 'Removed').replace('would be free', 'freed'));
  });

  test.for([
    ['--keep', '0'],
    ['--all', '--yes'],
  ])('with %s leaves alone what a newer nono has written, and says so; what is damaged goes', async (words) => {
    using world = await createSessions();
    const [newer = '', damaged = ''] = (await listSessions(world)).map(({ session_id }) => session_id);
    const manifestOf = (id: string) => join(world.state, 'rollbacks', id, 'manifest.json');
    fs.writeFileSync(manifestOf(newer), fs.readFileSync(manifestOf(newer), 'utf8').replace('"format": 1', '"format": 2'));
    fs.appendFileSync(manifestOf(damaged), ' ');
    const { stderr, status } = await rollback(world, ['cleanup', ...words]);

    expect(status).toBe(0);
    expect(stderr).toContain(
      `Passed over session ${newer}: Cannot read "${newer}/manifest.json": its format is 2, this nono knows 1`,
    );
    expect(fs.readdirSync(join(world.state, 'rollbacks'))).toEqual([newer]);
    const verified = await rollback(world, ['verify', '--all']);
    expect(verified).toMatchObject({ status: 3, stdout: expect.stringMatching(/  not checked  [^]*its format is 2/) });
  });
});
