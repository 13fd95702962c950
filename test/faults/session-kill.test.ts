import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isThorough } from '../support/effort.ts';
import { memoryDirectory } from '../support/memory.ts';
import { isAlive } from '../support/sessions.ts';
import { needCommands } from '../support/tools.ts';
import { waitFor } from '../support/wait.ts';
import { createWorld as createWorldIn, type World } from '../support/world.ts';

/** System calls of a start and an end that leave a trace, and some that only take time, as places to die at. */
const CALLS = [
  'renameat2',
  'unlinkat',
  'linkat',
  'mkdirat',
  'fsync',
  'flock',
  'bind',
  'listen',
  'execve',
  'write',
  'clone3',
  'clone',
  'landlock_restrict_self',
  'seccomp',
] as const;
/** A command that ends at once is over before its session has a socket. */
const CALLS_WITHOUT_SOCKET = CALLS.filter((call) => call !== 'bind' && call !== 'listen');
/** Killed in the last call before it is the command, the child counts for the command. */
const CALLS_BEFORE_COMMAND = CALLS.filter((call) => call !== 'seccomp');

/** A kill leaves to the kernel what it has taken: what reached a disk is not asked here. */
function createWorld(): World {
  return createWorldIn({ place: memoryDirectory() });
}

/** Every call at first, then fewer and fewer; by `npm run prove` every single one. */
function nextTurn(turn: number): number {
  return isThorough || turn < 6 ? turn + 1 : turn + 9;
}

function nono(world: World, words: readonly string[], killAt?: { readonly call: string; readonly turn: number }) {
  const strace = ['strace', '-f', '-o', '/dev/null', '-e'];
  const kill = killAt && [...strace, `trace=${killAt.call}`, '-e', `inject=${killAt.call}:signal=KILL:when=${killAt.turn}`];
  const [file = '', ...rest] = [...(kill ?? []), world.executable, ...words];
  const { status, stdout, stderr } = spawnSync(file, rest, {
    cwd: world.project,
    env: { ...world.environment },
    encoding: 'utf8',
    timeout: 60_000,
    killSignal: 'SIGKILL',
  });
  return { status, stdout, stderr };
}

/** Everything that a session of this world runs has the project as its working directory. */
function processesIn(world: World): readonly number[] {
  const pids = fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => workingDirectory(pid) === world.project && isAlive(pid));
}

function workingDirectory(pid: number): string {
  try {
    return fs.readlinkSync(`/proc/${pid}/cwd`);
  } catch (error) {
    if (error instanceof Error) return ''; // It has just ended.
    throw error;
  }
}

interface Listed {
  readonly session_id: string;
  readonly status: string;
}

/** What must hold whatever was killed: all can be listed and cleaned up, and the name can be had again. */
async function expectSound(world: World, what: string): Promise<readonly Listed[]> {
  const listed = nono(world, ['ps', '--all', '--json']);
  expect({ what, ...listed }).toMatchObject({ what, status: 0, stderr: '' });
  const sessions = JSON.parse(listed.stdout) as readonly Listed[];
  expect({ what, stdout: nono(world, ['audit', 'verify', '--all']).stdout }).not.toMatchObject({
    stdout: expect.stringContaining('broken'),
  });
  for (const { session_id: id, status } of sessions) {
    if (status === 'exited' || status === 'lost') continue;
    expect({ what, ...nono(world, ['stop', '--force', id]) }).toMatchObject({ what, status: 0 });
  }
  await waitFor(`nothing to be left (${what})`, () => processesIn(world).length === 0);
  const again = nono(world, ['run', '--allow-cwd', '--name', 'mine', '--', 'true']);
  expect({ what, ...again }).toMatchObject({ what, status: 0, stderr: '' });
  expect({ what, ...nono(world, ['prune']) }).toMatchObject({ what, status: 0 });
  expect({ what, left: fs.readdirSync(join(world.state, 'sessions')) }).toEqual({ what, left: [] });
  return sessions;
}

async function killAtEach(attempt: (turn: number) => Promise<boolean>): Promise<number> {
  let kills = 0;
  for (let turn = 1; turn < 200 && (await attempt(turn)); turn = nextTurn(turn)) kills += 1;
  return kills;
}

describe('a kill at any system call', () => {
  test.for(CALLS_WITHOUT_SOCKET)(
    'of a start without a terminal (%s) leaves no process, and a session that is over',
    async (call, context) => {
      needCommands(context, 'strace');
      const kills = await killAtEach(async (turn) => {
        using world = createWorld();
        const { status } = nono(world, ['run', '--allow-cwd', '--name', 'mine', '--', 'sh', '-c', 'setsid sleep 1000 & :'], {
          call,
          turn,
        });
        await waitFor(`the tree to end (${call} ${turn})`, () => processesIn(world).length === 0);
        await expectSound(world, `${call} ${turn}`);
        return status !== 0;
      });
      expect(kills).toBeGreaterThan(0);
    },
  );

  test.for(['clone', 'landlock_restrict_self', 'seccomp', 'close_range', 'write', 'execve'])(
    'of a wrap (%s) leaves no process, its mediator neither',
    async (call, context) => {
      needCommands(context, 'strace');
      const kills = await killAtEach(async (turn) => {
        using world = createWorld();
        const { status } = nono(world, ['wrap', '--allow-cwd', '--', 'sh', '-c', ':'], { call, turn });
        await waitFor(`nothing to be left (${call} ${turn})`, () => processesIn(world).length === 0);
        return status !== 0;
      });
      expect(kills).toBeGreaterThan(0);
    },
  );

  test.for(CALLS_BEFORE_COMMAND)(
    'of a start in the background (%s) is told, or leaves a session that can be stopped',
    async (call, context) => {
      needCommands(context, 'strace');
      const kills = await killAtEach(async (turn) => {
        using world = createWorld();
        // The end of strace is the end of all that it follows: the session is stopped from outside meanwhile.
        const script = `"$0" run --detached --allow-cwd --name mine -- sleep 1000; code=$?; "$0" stop --force mine >/dev/null 2>&1; exit $code`;
        const strace = ['-f', '-o', '/dev/null', '-e', `trace=${call}`, '-e', `inject=${call}:signal=KILL:when=${turn}`];
        const { status } = spawnSync('strace', [...strace, 'sh', '-c', script, world.executable], {
          cwd: world.project,
          env: { ...world.environment },
          timeout: 60_000,
          killSignal: 'SIGKILL',
        });
        await expectSound(world, `${call} ${turn}`);
        return status !== 0;
      });
      expect(kills).toBeGreaterThan(0);
    },
  );
});
