import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readProject, rollback, runTracked, writeProject } from '../support/rollback.ts';
import { waitFor } from '../support/wait.ts';
import { createWorld, type World } from '../support/world.ts';

describe('the undo of a restore', () => {
  const inodeOf = (world: World, name: string) => fs.statSync(join(world.project, name)).ino;
  /** Older than what comes by more than a file system may round its times to. */
  const untilOlder = async () => {
    const made = Date.now();
    await waitFor('a clock that has gone on', () => Date.now() - made > 100);
  };

  async function restore(world: World, session: string, ...paths: readonly string[]): Promise<string> {
    const { status, stdout } = await rollback(world, ['restore', session, ...paths]);
    expect(status).toBe(0);
    const [, undo = ''] = /^Undo with: nono rollback restore (\S+)$/m.exec(stdout) ?? [];
    return undo;
  }

  test('makes names that the command had given to a file names of that file again', async () => {
    using world = createWorld();
    writeProject(world, { one: 'old\n', 'sub/plain': 'old\n' });
    await runTracked(world, 'ln one two; ln one sub/three; ln sub/plain four');
    const [one, plain] = [inodeOf(world, 'one'), inodeOf(world, 'sub/plain')];
    const all = await restore(world, 'latest');
    expect(fs.readdirSync(world.project).sort()).toEqual(['one', 'sub']);

    await restore(world, all);
    expect(['one', 'two', 'sub/three'].map((name) => inodeOf(world, name))).toEqual([one, one, one]);
    expect(['sub/plain', 'four'].map((name) => inodeOf(world, name))).toEqual([plain, plain]);
    expect(await rollback(world, ['verify', '--all'])).toMatchObject({ status: 0 });

    // What somebody makes of the other name is not taken for the session's.
    const alone = await restore(world, 'latest', 'two');
    fs.writeFileSync(join(world.project, 'one'), 'theirs\n');
    await restore(world, alone);
    expect(['one', 'two'].map((name) => readProject(world, name))).toEqual(['theirs\n', 'old\n']);
  });

  test('takes away a name that the restore has given to an older file, also where that has no other name any more', async () => {
    using world = createWorld();
    writeProject(world, { one: 'old\n' });
    fs.linkSync(join(world.project, 'one'), join(world.project, 'two'));
    await untilOlder();
    await runTracked(world, 'rm two; echo new > two');
    const undo = await restore(world, 'latest');
    expect(inodeOf(world, 'two')).toBe(inodeOf(world, 'one'));
    fs.copyFileSync(join(world.project, 'one'), join(world.project, 'copy'));
    fs.renameSync(join(world.project, 'copy'), join(world.project, 'one'));

    await restore(world, undo);
    expect(['one', 'two'].map((name) => readProject(world, name))).toEqual(['old\n', 'new\n']);
  });
});
