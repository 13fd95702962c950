import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { killAll, lookAfterwards } from '../support/aftermath.ts';
import { openWorkshop, type Workshop } from '../support/fault-matrix.ts';
import { runNono } from '../support/nono.ts';
import { COMMAND_STATUS, type Part, startTalk, status, type Talk, type Way } from '../support/session-parts.ts';
import { isAlive } from '../support/sessions.ts';
import { waitFor } from '../support/wait.ts';
import { createWorld, type World } from '../support/world.ts';

const END_OF_FILE = '\x04';
const LONG_MS = 30_000;
let workshop: Workshop;

beforeAll(() => {
  workshop = openWorkshop();
});
afterAll(() => workshop[Symbol.dispose]());

interface Stage extends AsyncDisposable {
  readonly world: World;
  readonly talk: Talk;
}

async function setStage(way: Way): Promise<Stage> {
  const world = createWorld({ place: workshop.place, ownExecutable: workshop.executable });
  const talk = await startTalk(world, way);
  return {
    world,
    talk,
    async [Symbol.asyncDispose]() {
      talk[Symbol.dispose]();
      killAll(world);
      world[Symbol.dispose]();
    },
  };
}

function pidOf({ talk }: Stage, part: Part): number {
  const pid = talk.pid[part];
  if (pid === undefined) throw new Error(`There is no ${part}`);
  return pid;
}

const WAYS: readonly (readonly [Way, Part])[] = [
  ['terminal', 'client'],
  ['terminal', 'stand-by'],
  ['terminal', 'supervisor'],
  ['terminal', 'guardian'],
  ['terminal', 'command'],
  ['pipe', 'nono'],
  ['pipe', 'stand-by'],
  ['pipe', 'command'],
  ['wrap', 'mediator'],
  ['wrap', 'command'],
];

describe('a process that is stopped by a signal and goes on', () => {
  test.for(WAYS)('(%s: %s) loses nothing, and keeps nobody from looking at the session', async ([way, part]) => {
    await using stage = await setStage(way);
    const { world, talk } = stage;
    const pid = pidOf(stage, part);
    process.kill(pid, 'SIGSTOP');
    await waitFor('the stop', () => status(pid).state === 'T');

    talk.terminal.type('one\n');
    const listed = await runNono(world, ['ps', '--json']);
    expect(listed).toMatchObject({ status: 0, stderr: '' });
    expect(JSON.parse(listed.stdout)).toHaveLength(way === 'wrap' ? 0 : 1);
    process.kill(pid, 'SIGCONT');
    talk.terminal.type('two\n');
    await waitFor('both answers', () => /got one[^]*got two/.test(talk.terminal.output()), LONG_MS);
    talk.terminal.type(END_OF_FILE);
    await waitFor('the end', () => talk.status() !== undefined, LONG_MS);

    // In the pipe it is the status of cat.
    expect(talk.status()).toBe(way === 'pipe' ? 0 : COMMAND_STATUS);
    expect(await lookAfterwards(world)).toEqual([]);
  });

  test.for(WAYS.filter(([way]) => way !== 'wrap'))('(%s: %s) does not keep `nono stop` from ending all', async ([way, part]) => {
    await using stage = await setStage(way);
    const pid = pidOf(stage, part);
    process.kill(pid, 'SIGSTOP');
    await waitFor('the stop', () => status(pid).state === 'T');

    expect(await runNono(stage.world, ['stop', '--force', 'mine'])).toMatchObject({ status: 0 });
    await waitFor('the command to be gone', () => !isAlive(pidOf(stage, 'command')));
    // A terminal's client belongs to whoever has stopped it.
    if (isAlive(pid) && (part === 'client' || part === 'stand-by')) process.kill(pid, 'SIGCONT');
    await waitFor('the end', () => stage.talk.status() !== undefined, LONG_MS);
    expect(await lookAfterwards(stage.world)).toEqual([]);
  });
});

const NAMES: Readonly<Record<Way, string>> = { terminal: 'run on a terminal', pipe: 'run without one', wrap: 'wrap' };

const KILLS: readonly {
  readonly way: Way;
  readonly part: Part;
  readonly what: string;
  readonly gives: number | string | null;
}[] = [
  { way: 'terminal', part: 'client', what: 'the session goes on, and somebody else can attach', gives: 'SIGKILL' },
  { way: 'terminal', part: 'stand-by', what: 'nobody notices', gives: COMMAND_STATUS },
  { way: 'terminal', part: 'supervisor', what: 'the tree dies, the client says so, the session is lost', gives: 255 },
  { way: 'terminal', part: 'guardian', what: 'the tree dies, and the session ends', gives: 137 },
  { way: 'terminal', part: 'command', what: 'the session ends', gives: 137 },
  { way: 'pipe', part: 'nono', what: 'the tree dies, the session is lost', gives: 0 },
  { way: 'pipe', part: 'stand-by', what: 'nobody notices', gives: 0 },
  { way: 'pipe', part: 'command', what: 'the session ends', gives: 0 },
  { way: 'wrap', part: 'mediator', what: 'the command goes on without what is mediated', gives: COMMAND_STATUS },
  { way: 'wrap', part: 'command', what: 'all ends', gives: 'SIGKILL' },
];

test('the table of processes says what is tried here', () => {
  const page = readFileSync(join(import.meta.dirname, 'README.md'), 'utf8');
  const rows = KILLS.map(({ way, part, what }) => `| ${NAMES[way]} | ${part} | ${what} |`);
  expect(rows.filter((row) => !page.includes(row))).toEqual([]);
});

describe('a process that is killed', () => {
  test.for(KILLS)('($way: $part): $what', async ({ way, part, gives }) => {
    await using stage = await setStage(way);
    const { world, talk } = stage;
    process.kill(pidOf(stage, part), 'SIGKILL');

    const isUnnoticed = part === 'stand-by' || part === 'mediator';
    if (isUnnoticed) {
      talk.terminal.type('one\n');
      await waitFor('the answer', () => talk.terminal.output().includes('got one'), LONG_MS);
      talk.terminal.type(END_OF_FILE);
    }
    await waitFor('the end', () => talk.status() !== undefined, LONG_MS);
    expect(talk.status()).toBe(gives);
    if (part === 'client') {
      expect(isAlive(pidOf(stage, 'command'))).toBe(true);
      expect((await runNono(world, ['send', '--enter', 'mine', 'one'])).status).toBe(0);
      await waitFor('the answer', async () => (await runNono(world, ['screen', 'mine'])).stdout.includes('got one'), LONG_MS);
    } else await waitFor('the command to be gone', () => !isAlive(pidOf(stage, 'command')), LONG_MS);
    expect(await lookAfterwards(world)).toEqual([]);
  });
});
