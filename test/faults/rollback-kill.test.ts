import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isThorough } from '../support/effort.ts';
import { memoryDirectory } from '../support/memory.ts';
import { makeTree } from '../support/small-tree.ts';
import { needCommands } from '../support/tools.ts';
import { dumpTree } from '../support/tree.ts';
import { createWorld as createWorldIn, type World } from '../support/world.ts';

/** System calls that leave a trace on the disk, and some that only take time, as places to die at. */
const CALLS = [
  'renameat2',
  'unlinkat',
  'openat',
  'write',
  'linkat',
  'mkdirat',
  'fchmod',
  'utimensat',
  'symlinkat',
  'fsync',
  'syncfs',
  'fchmodat',
  'ftruncate',
  'close',
  'read',
  'statx',
  'getdents64',
  'flock',
] as const;
/** What a run never calls: it changes no file of the user's, and the link is made by the command. */
const CALLS_OF_A_RESTORE: readonly string[] = ['fchmod', 'fchmodat', 'utimensat', 'symlinkat'];
const CALLS_OF_A_RUN = CALLS.filter((call) => !CALLS_OF_A_RESTORE.includes(call));

/** What the program does to the tree that makeTree() made. */
const EDITS =
  'echo changed > a; rm -rf gone link empty; mkdir -p new/er; echo n > new/er/f; chmod 600 sub/b; rm sub/hard; rm -r sub/deep; echo file > sub/deep; ln -s / link';

/** A kill leaves to the kernel what it has taken: what reached a disk is not asked here. */
function createWorld(): World {
  return createWorldIn({ place: memoryDirectory() });
}

/** Every call at first, then fewer and fewer; by `npm run prove` every single one. */
function nextTurn(turn: number): number {
  if (isThorough || turn < 6) return turn + 1;
  return turn < 60 ? turn + 9 : turn + 71;
}

/** Each attempt is long, and one file is like the other. */
function nextTurnAmongHundreds(turn: number): number {
  if (isThorough) return turn + 1;
  return turn < 3 ? turn + 1 : turn + 97;
}

interface Ended {
  readonly status: number | null;
  readonly text: string;
}

function nono(world: World, words: readonly string[], killAt?: { readonly call: string; readonly turn: number }): Ended {
  const kill =
    killAt === undefined
      ? []
      : [
          'strace',
          '-f',
          '-o',
          '/dev/null',
          '-e',
          `trace=${killAt.call}`,
          '-e',
          `inject=${killAt.call}:signal=KILL:when=${killAt.turn}`,
        ];
  const [file = '', ...rest] = [...kill, world.executable, ...words];
  const { status, stdout, stderr } = spawnSync(file, rest, {
    cwd: world.project,
    env: { ...world.environment },
    encoding: 'utf8',
    timeout: 30_000,
    killSignal: 'SIGKILL',
  });
  return { status, text: `${stdout}${stderr}` };
}

/** Runs `attempt` with a kill at one turn after the other, until it ends before the kill. @returns the kills. */
function killAtEach(attempt: (turn: number) => boolean, next = nextTurn): number {
  let kills = 0;
  for (let turn = 1; attempt(turn); turn = next(turn)) kills += 1;
  return kills;
}

function withoutTimes(lines: readonly string[]): string[] {
  return lines.map((line) => line.replace(/ mtime=\d+/, ''));
}

describe('L6: a kill at any system call', () => {
  test.for(CALLS)('of a restore (%s) leaves a restore that runs to its end, or is taken back', (call, context) => {
    needCommands(context, 'strace');
    const kills = killAtEach((turn) => {
      using world = createWorld();
      makeTree(world.project);
      const before = dumpTree(world.project);
      expect(nono(world, ['run', '--rollback', '--allow-cwd', '--', 'sh', '-c', EDITS]).status).toBe(0);
      const left = dumpTree(world.project);
      if (nono(world, ['rollback', 'restore', 'latest'], { call, turn }).status === 0) return false;

      const isAbort = turn % 2 === 0;
      const second = nono(world, ['rollback', 'restore', 'latest', ...(isAbort ? ['--abort'] : [])]);
      expect(second, `${call} ${turn}`).toMatchObject({ status: 0 });
      const after = dumpTree(world.project);
      // The kill may have come after the last step: then there is nothing to take back.
      const wasComplete = isAbort && second.text.includes('Nothing to abort') && after.join() === before.join();
      expect(wasComplete ? left : after, `${call} ${turn}\n${second.text}`).toEqual(isAbort ? left : before);
      expect(nono(world, ['rollback', 'verify', '--all']), `${call} ${turn}`).toMatchObject({ status: 0 });
      return true;
    });
    expect(kills).toBeGreaterThan(0);
  });

  test('of a restore of hundreds of files, which other threads make, leaves one that runs to its end', (context) => {
    needCommands(context, 'strace');
    // What gives a file its name.
    const call = 'linkat';
    const kills = killAtEach((turn) => {
      using world = createWorld();
      makeTree(world.project);
      for (let index = 0; index < 400; index++) fs.writeFileSync(join(world.project, 'sub', `f${index}`), `${index}\n`);
      const before = dumpTree(world.project);
      expect(nono(world, ['run', '--rollback', '--allow-cwd', '--', 'sh', '-c', 'rm -r sub']).status).toBe(0);
      if (nono(world, ['rollback', 'restore', 'latest'], { call, turn }).status === 0) return false;
      expect(nono(world, ['rollback', 'restore', 'latest']), `${turn}`).toMatchObject({ status: 0 });
      expect(dumpTree(world.project), `${turn}`).toEqual(before);
      expect(nono(world, ['rollback', 'verify', '--all']), `${turn}`).toMatchObject({ status: 0 });
      return true;
    }, nextTurnAmongHundreds);
    expect(kills).toBeGreaterThan(3);
  });

  test('of a restore with --touch leaves one that gives the rest the time that it began with', (context) => {
    needCommands(context, 'strace');
    const kills = killAtEach((turn) => {
      using world = createWorld();
      makeTree(world.project);
      const before = withoutTimes(dumpTree(world.project));
      expect(nono(world, ['run', '--rollback', '--allow-cwd', '--', 'sh', '-c', EDITS]).status).toBe(0);
      const begunMs = Date.now();
      const killed = nono(world, ['rollback', 'restore', 'latest', '--touch'], { call: 'renameat2', turn });
      if (killed.status === 0) return false;
      const endedMs = Date.now();
      const second = nono(world, ['rollback', 'restore', 'latest', '--touch']);
      expect(second, `${turn}`).toMatchObject({ status: 0 });
      expect(withoutTimes(dumpTree(world.project)), `${turn}`).toEqual(before);
      // Once the restore is listed the rest has the time of the first try, before that of the second.
      const isResumed = second.text.includes('Completed an interrupted restore');
      const times = ['a', 'gone/inner/f', 'sub/deep/c'].map((path) => fs.statSync(join(world.project, path)).mtimeMs);
      expect(Math.min(...times), `${turn}`).toBeGreaterThanOrEqual(begunMs);
      expect(Math.max(...times), `${turn}`).toBeLessThanOrEqual(isResumed ? endedMs : Date.now());
      expect(nono(world, ['rollback', 'verify', '--all']), `${turn}`).toMatchObject({ status: 0 });
      return true;
    });
    expect(kills).toBeGreaterThan(3);
  });

  test.for(CALLS_OF_A_RUN)(
    'of a run (%s) changes nothing but what the command did, and what is listed restores',
    (call, context) => {
      needCommands(context, 'strace');
      const kills = killAtEach((turn) => {
        using world = createWorld();
        makeTree(world.project);
        const before = dumpTree(world.project);
        const run = nono(world, ['run', '--rollback', '--allow-cwd', '--', 'sh', '-c', EDITS], { call, turn });
        if (run.status === 0) return false;

        const listed = JSON.parse(nono(world, ['rollback', 'list', '--all', '--json']).text) as readonly { session_id: string }[];
        expect(listed.length, `${call} ${turn}`).toBeLessThanOrEqual(1);
        for (const { session_id: id } of listed) {
          const restored = nono(world, ['rollback', 'restore', id]);
          expect(restored, `${call} ${turn}`).toMatchObject({ status: 0 });
          expect(nono(world, ['rollback', 'verify', '--all']), `${call} ${turn}`).toMatchObject({ status: 0 });
        }
        // Without a listed session the command was never started.
        expect(dumpTree(world.project), `${call} ${turn}\n${run.text}`).toEqual(before);
        expect(nono(world, ['rollback', 'cleanup', '--keep', '0']), `${call} ${turn}`).toMatchObject({ status: 0 });
        return true;
      });
      expect(kills).toBeGreaterThan(0);
    },
  );

  test.for(['unlinkat', 'renameat2', 'flock', 'getdents64', 'close'] as const)(
    'of a clean-up (%s) leaves whole sessions',
    (call, context) => {
      needCommands(context, 'strace');
      const kills = killAtEach((turn) => {
        using world = createWorld();
        makeTree(world.project);
        for (const content of ['1', '2', '3'])
          nono(world, ['run', '--rollback', '--allow-cwd', '--', 'sh', '-c', `echo ${content} > a`]);
        if (nono(world, ['rollback', 'cleanup', '--keep', '1'], { call, turn }).status === 0) return false;
        expect(nono(world, ['rollback', 'verify', '--all']), `${call} ${turn}`).toMatchObject({ status: 0 });
        expect(nono(world, ['rollback', 'cleanup', '--keep', '1']), `${call} ${turn}`).toMatchObject({ status: 0 });
        expect(fs.readdirSync(join(world.state, 'rollbacks')), `${call} ${turn}`).toHaveLength(1);
        return true;
      });
      expect(kills).toBeGreaterThan(0);
    },
  );
});
