import * as fs from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { killAll, lookAfterwards } from '../support/aftermath.ts';
import { openWorkshop, type Workshop } from '../support/fault-matrix.ts';
import { runNono, startNono } from '../support/nono.ts';
import { processesOf } from '../support/processes.ts';
import { status } from '../support/session-parts.ts';
import { readRecord } from '../support/sessions.ts';
import { waitFor } from '../support/wait.ts';
import { createWorld, type World } from '../support/world.ts';

/** So many that the process is found at work: it takes a tenth of a second. */
const FILES = 8000;
const LOOK_AGAIN_MS = 1;
const LONG_MS = 30_000;
let workshop: Workshop;

beforeAll(() => {
  workshop = openWorkshop();
});
afterAll(() => workshop[Symbol.dispose]());

function createLargeWorld(): World {
  const world = createWorld({ place: workshop.place, ownExecutable: workshop.executable });
  for (let count = 0; count < FILES; count += 1) {
    const directory = join(world.project, String(count % 100));
    if (count < 100) fs.mkdirSync(directory);
    fs.writeFileSync(join(directory, String(count)), '');
  }
  return {
    ...world,
    [Symbol.dispose]() {
      killAll(world);
      world[Symbol.dispose]();
    },
  };
}

interface Stopper extends AsyncDisposable {
  /** Waits until one is stopped. */
  readonly stopped: () => Promise<number>;
}

/** Stops the next process of this role that `parent` starts, `forEver` also when others have it go on. */
function stopNext(parent: () => number | undefined, role: string, { forEver }: { readonly forEver: boolean }): Stopper {
  const over = new AbortController();
  let stopped: number | undefined;
  const going = (async () => {
    while (!over.signal.aborted) {
      const pid = parent();
      const helper = pid === undefined ? undefined : childrenOf(pid).find((child) => commandOf(child).includes(role));
      if (helper !== undefined && (stopped === undefined || forEver) && status(helper).state !== 'T') {
        process.kill(helper, 'SIGSTOP');
        stopped = helper;
      }
      await sleep(LOOK_AGAIN_MS);
    }
  })();
  return {
    stopped: () => waitFor(`${role} to be stopped`, () => stopped, LONG_MS),
    async [Symbol.asyncDispose]() {
      over.abort();
      await going;
    },
  };
}

function childrenOf(pid: number): readonly number[] {
  return readQuietly(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);
}

function commandOf(pid: number): string {
  return readQuietly(`/proc/${pid}/cmdline`);
}

function readQuietly(path: string): string {
  try {
    return fs.readFileSync(path, 'latin1');
  } catch (error) {
    if (error instanceof Error && 'code' in error && ['ENOENT', 'ESRCH'].includes(String(error.code))) return '';
    throw error;
  }
}

const stopNow = (world: World, id: string) => runNono(world, ['stop', '--force', id], { timeoutMs: LONG_MS });

async function startLarge(world: World): Promise<string> {
  const words = ['run', '--detached', '--rollback', '--allow-cwd', '--', 'sh', '-c', 'echo changed >0/0; exec sleep 1000'];
  const { stdout } = await runNono(world, words);
  const id = /session (?<id>[0-9a-f]{6})\./.exec(stdout)?.groups?.['id'];
  if (id === undefined) throw new Error(`Not started: ${stdout}`);
  const { supervisor_pid: supervisor } = readRecord(world, id);
  // It has given its snapshot, and may still be ending.
  const isGone = () => childrenOf(supervisor).every((pid) => !commandOf(pid).includes('__take'));
  await waitFor('the process that took the baseline to be gone', isGone, LONG_MS);
  return id;
}

describe('the process that takes a snapshot, stopped by a signal,', () => {
  test('goes on when somebody wants the session to end, and nothing is lost', async () => {
    using world = createLargeWorld();
    const id = await startLarge(world);
    const { supervisor_pid: supervisor } = readRecord(world, id);
    await using stopper = stopNext(() => supervisor, '__take', { forEver: false });
    const [first] = [stopNow(world, id)];
    await stopper.stopped();
    expect(await stopNow(world, id)).toMatchObject({ status: 0, stderr: expect.stringContaining('1 modified') });
    expect(await first).toMatchObject({ status: 0 });
    expect(await runNono(world, ['rollback', 'show', 'latest'])).toMatchObject({ stdout: expect.stringContaining('0/0') });
    expect(await lookAfterwards(world)).toEqual([]);
  });

  test('and again whenever it goes on, keeps no session from ending: its baseline is kept, and the final snapshot is taken later', async () => {
    using world = createLargeWorld();
    const id = await startLarge(world);
    const { supervisor_pid: supervisor } = readRecord(world, id);
    await using stopper = stopNext(() => supervisor, '__take', { forEver: true });
    const first = stopNow(world, id);
    await stopper.stopped();
    const second = stopNow(world, id);
    await waitFor('the second to have asked', async () => countStops(world, id) === 2, LONG_MS);
    expect(await stopNow(world, id)).toMatchObject({ status: 0 });
    for (const outcome of [await first, await second])
      expect(outcome).toMatchObject({ status: 0, stderr: expect.stringContaining('its baseline is still there') });
    expect(readRecord(world, id)).toMatchObject({ status: 'exited', failure: expect.stringContaining('was killed') });
    expect(await runNono(world, ['rollback', 'restore', 'latest'])).toMatchObject({ status: 0 });
    expect(fs.readFileSync(join(world.project, '0/0'), 'utf8')).toBe('');
    expect(await lookAfterwards(world)).toEqual([]);
  });

  test('keeps nobody from ending a session before its command has begun', async () => {
    using world = createLargeWorld();
    const supervisor = () => processesOf(world).find((pid) => commandOf(pid).includes('__supervise'));
    await using stopper = stopNext(supervisor, '__take', { forEver: true });
    const starting = startNono(world, ['run', '--detached', '--rollback', '--allow-cwd', '--', 'touch', 'proof']);
    await stopper.stopped();
    const [{ session_id: id }] = JSON.parse((await runNono(world, ['ps', '--json'])).stdout);
    expect(await runNono(world, ['stop', id], { timeoutMs: LONG_MS })).toMatchObject({ status: 0 });
    expect(await starting.ended).toMatchObject({ status: 125, stdout: '' });
    expect(fs.existsSync(join(world.project, 'proof'))).toBe(false);
    expect(await lookAfterwards(world)).toEqual([]);
  });

  test('for a checkpoint, keeps nobody from ending the session', async () => {
    using world = createLargeWorld();
    const id = await startLarge(world);
    const { supervisor_pid: supervisor } = readRecord(world, id);
    await using stopper = stopNext(() => supervisor, '__checkpoint', { forEver: true });
    const checkpoint = startNono(world, ['rollback', 'checkpoint', id], { timeoutMs: LONG_MS });
    await stopper.stopped();
    const first = stopNow(world, id);
    await waitFor('the first to have asked', async () => countStops(world, id) === 1, LONG_MS);
    await waitFor('the command to be gone', () => childrenOf(supervisor).every((pid) => !commandOf(pid).includes('__guard')));
    const second = stopNow(world, id);
    await waitFor('the second to have asked', async () => countStops(world, id) === 2, LONG_MS);
    for (const outcome of await Promise.all([first, second, stopNow(world, id)])) expect(outcome).toMatchObject({ status: 0 });
    // It may have got through while it went on: then there is one checkpoint more.
    expect((await checkpoint.ended).status).not.toBeNull();
    expect(await lookAfterwards(world)).toEqual([]);
  });
});

/** As its audit log has it. */
function countStops(world: World, id: string): number {
  return readQuietly(join(world.state, 'sessions', `${id}.events.jsonl`)).split('"event":"stop"').length - 1;
}
