import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runNono } from '../support/nono.ts';
import { readProject, rollback, writeProject } from '../support/rollback.ts';
import { createWorld, type World } from '../support/world.ts';

interface Shown {
  readonly rules: readonly { readonly path: string; readonly names: readonly string[]; readonly patterns: readonly string[] }[];
  readonly changes: readonly { readonly path: string; readonly type: string }[];
  readonly skipped: readonly { readonly path: string; readonly reason: string; readonly snapshot: number }[];
}

async function show(world: World): Promise<Shown> {
  return JSON.parse((await rollback(world, ['show', 'latest', '--json'])).stdout) as Shown;
}

const EDIT = 'for f in a.dat b.txt node_modules/x; do echo changed > $f; done';

function makeProject(world: World): void {
  writeProject(world, { 'a.dat': 'a', 'b.txt': 'b', 'node_modules/x': 'x' });
}

async function runWith(world: World, words: readonly string[]): Promise<void> {
  makeProject(world);
  const outcome = await runNono(world, ['run', '--rollback', '--allow-cwd', ...words, '--', 'sh', '-c', EDIT]);
  expect(outcome).toMatchObject({ status: 0 });
}

describe('nono run --rollback-exclude and its relatives', () => {
  test('decide what is tracked; the session keeps the rules, and a restore goes by them', async () => {
    using world = createWorld();
    await runWith(world, ['--rollback-exclude', '*.dat', '--rollback-include', 'node_modules']);

    const { rules, changes } = await show(world);
    expect(rules).toMatchObject([{ path: world.project, patterns: ['*.dat', '!node_modules'] }]);
    expect(rules[0]?.names).toContain('node_modules');
    expect(changes.map(({ path }) => path)).toEqual([join(world.project, 'b.txt'), join(world.project, 'node_modules/x')]);

    // What comes to be ignored now changes nothing in a session that exists.
    writeFileSync(join(world.project, '.gitignore'), '*\n');
    expect(await rollback(world, ['restore', 'latest'])).toMatchObject({ status: 0 });
    expect(['a.dat', 'b.txt', 'node_modules/x'].map((path) => readProject(world, path))).toEqual(['changed\n', 'b', 'x']);
  });

  test('track everything with --rollback-all', async () => {
    using world = createWorld();
    mkdirSync(join(world.project, '.git'));
    await runWith(world, ['--rollback-all']);
    const { rules, changes, skipped } = await show(world);
    expect(rules).toMatchObject([{ names: [], patterns: [] }]);
    expect(changes.filter(({ type }) => type === '~')).toHaveLength(3);
    expect(skipped).toEqual([]);
  });

  test('go by what the profile leaves out', async () => {
    using world = createWorld();
    const profile = join(world.directory, 'mine.toml');
    writeFileSync(profile, '[rollback]\nexclude_globs = ["*.dat"]\nexclude_patterns = ["/b.*", "!node_modules"]\n');
    await runWith(world, ['--profile', profile]);
    const { changes } = await show(world);
    expect(changes.map(({ path }) => path)).toEqual([join(world.project, 'node_modules/x')]);
  });

  test('without --rollback are wrong usage, and nothing is started', async () => {
    using world = createWorld();
    const outcome = await runNono(world, ['run', '--allow-cwd', '--rollback-exclude', 'a', '--', 'touch', 'started']);
    expect(outcome.status).toBe(2);
    expect(outcome.stderr).toContain('Add --rollback');
    expect(existsSync(join(world.project, 'started'))).toBe(false);
  });
});
