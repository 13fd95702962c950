import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { runNono } from '../support/nono.ts';
import { type RawTerminal, startOnTerminal } from '../support/raw-terminal.ts';
import { readRecord, startDetached } from '../support/sessions.ts';
import { openTerminal } from '../support/tmux.ts';
import { needCommands, needOtherUser } from '../support/tools.ts';
import { waitFor } from '../support/wait.ts';
import { createWorld, type World } from '../support/world.ts';

/** Some moment about the one at which the terminal is joined to the connection. */
const MOMENTS_MS = [0, 45, 50, 60] as const;
const ECHO = ['--', 'sh', '-c', 'stty -echo; printf \'ready> \'; while read -r line; do echo "<$line>"; done'];
const USERS = [
  { user: 'the caller', ordinaryUser: false },
  { user: 'an ordinary user, on a terminal that is not theirs', ordinaryUser: true },
];

async function leave(terminal: RawTerminal): Promise<void> {
  terminal.type('\x1d');
  terminal.type('d');
  expect(await terminal.ended).toBe(0);
}

/** Attaches, types, and leaves. */
async function typeFor(world: World, id: string, lines: number): Promise<void> {
  using terminal = startOnTerminal(world, ['attach', id]);
  await waitFor('a prompt', () => terminal.output().includes('ready>'));
  for (let line = 0; line < lines; line++) {
    terminal.type(`line ${line}\r`);
    await waitFor('an answer', () => terminal.output().includes(`<line ${line}>`));
  }
  await leave(terminal);
}

/** Terminals, permits, and what tells how a client fares. */
function descriptorsOf(pid: number): number {
  const links = readdirSync(`/proc/${pid}/fd`).map((descriptor) => linkOf(`/proc/${pid}/fd/${descriptor}`));
  return links.filter((link) => /^\/dev\/(?:pts|ptmx)|\/stat$|nono-permit/.test(link)).length;
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch (error) {
    // It was closed since.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}

describe('A terminal that is attached', () => {
  test.for(USERS)('of $user types in order what was typed in the moment of joining', async ({ ordinaryUser }, context) => {
    if (ordinaryUser) needOtherUser(context);
    using world = createWorld({ ordinaryUser });
    const id = await startDetached(world, ...ECHO);
    for (const [at, momentMs] of MOMENTS_MS.entries()) {
      using terminal = startOnTerminal(world, ['attach', id]);
      await waitFor('a prompt', () => terminal.output().includes('ready>'));
      await sleep(momentMs);
      const line = `typed ${at} abcdefghijklmnopqrstuvwxyz`;
      for (const key of line) terminal.type(key);
      terminal.type('\x1b[D\x1b');
      terminal.type('x\r');
      await waitFor('all of it', () => terminal.output().includes('x>'));
      expect(terminal.output()).toContain(`<${line}\x1b[D\x1bx>`);
      await leave(terminal);
    }
    await runNono(world, ['stop', '--force', id]);
  });

  test('is drawn nothing on while its client is stopped, whatever the command writes', async (context) => {
    needCommands(context, 'tmux', 'bash');
    using world = createWorld();
    const ticks = 'i=0; while :; do i=$((i+1)); printf "\\rtick $i "; read -r -t 0.02 line; done';
    const id = await startDetached(world, '--', 'bash', '-c', `stty -echo; ${ticks}`);
    const shell = ['env', 'PS1=$ ', 'bash', '--norc', '--noprofile', '-i'];
    await using terminal = await openTerminal(world, { command: shell, environment: { HISTFILE: '' } });
    await terminal.type(`${world.executable} attach ${id}`);
    await terminal.press('Enter');
    await terminal.waitFor(/tick \d+/);
    const client = await waitFor('the client', async () => childOf(await terminal.query('#{pane_pid}')));
    const ticksOn = (screen: string) => Number(/tick (\d+)\s*$/.exec(screen)?.[1] ?? 0);
    const ticksNow = async () => ticksOn((await runNono(world, ['screen', id])).stdout);
    // By then all of it goes without the client, or as much as ever will.
    const begun = await ticksNow();
    await waitFor('some output', async () => (await ticksNow()) > begun + 10);

    process.kill(client, 'SIGSTOP');
    await terminal.waitFor(/Stopped/);
    const shown = await waitFor('a prompt', async () => {
      const screen = await terminal.screen();
      return screen.trimEnd().endsWith('$') && screen;
    });
    const stopped = await ticksNow();
    await waitFor('more output', async () => (await ticksNow()) > stopped + 10);

    expect(await terminal.screen()).toBe(shown);
    await terminal.type('fg');
    await terminal.press('Enter');
    await waitFor('what has come since', async () => ticksOn(await terminal.screen()) > stopped + 10);
    await runNono(world, ['stop', '--force', id]);
  });

  test('leaves the terminal to a shell that continues its client in the background, and is drawn when it is back', async (context) => {
    needCommands(context, 'tmux', 'bash');
    using world = createWorld();
    const id = await startDetached(world, ...ECHO);
    const shell = ['env', 'PS1=$ ', 'bash', '--norc', '--noprofile', '-i'];
    await using terminal = await openTerminal(world, { command: shell, environment: { HISTFILE: '' } });
    const line = async (text: string) => {
      await terminal.type(text);
      await terminal.press('Enter');
    };
    // What is typed ahead is there to be read when it goes on.
    await line(`${world.executable} attach ${id} & echo "ready$((1+1))"`);
    await terminal.waitFor(/ready2/);
    const client = await waitFor('the client', async () => childOf(await terminal.query('#{pane_pid}')));
    // A shell is told when the last thread has stopped; what it believes to run it does not continue.
    const tasks = `/proc/${client}/task`;
    const isStopped = () =>
      readdirSync(tasks).every((thread) => readFileSync(`${tasks}/${thread}/stat`, 'latin1').includes(') T '));
    await waitFor('it to be stopped before it takes the terminal', isStopped);
    await line('jobs');
    await terminal.waitFor(/^\[1\]\+ +Stopped/m);
    await line('fg');
    await terminal.waitFor(/ready>/);
    await line('one');
    await terminal.waitFor(/<one>/);

    for (const ahead of ['two', 'three']) {
      process.kill(client, 'SIGSTOP');
      await terminal.waitFor(/Stopped/);
      await terminal.press('clear; bg', 'Enter', `echo "${ahead}$((1+1))"`, 'Enter');
      await terminal.waitFor(new RegExp(`^${ahead}2`, 'm'));
      await waitFor('it to be stopped in the background', isStopped);
      await line("stty -a | grep -o '[-]*icanon'");
      await terminal.waitFor(/^icanon/m);
      await line('fg');
      await line(`after ${ahead}`);
      await terminal.waitFor(new RegExp(`<after ${ahead}>`));
    }
    process.kill(client, 'SIGSTOP');
    await terminal.waitFor(/Stopped/);
    await line('kill %1');
    await waitFor('its end', async () => childOf(await terminal.query('#{pane_pid}')) === undefined);
    await runNono(world, ['stop', '--force', id]);
  });

  test('is served by a supervisor that has no descriptor left for a way beside the loop', async (context) => {
    needCommands(context, 'prlimit');
    for (const left of [3, 4, 5]) {
      using world = createWorld();
      const id = await startDetached(world, ...ECHO);
      const supervisor = readRecord(world, id).supervisor_pid;
      await waitFor('the model', async () => (await runNono(world, ['screen', id])).stdout.includes('ready>'));
      // The connection takes one, and the log two as soon as it is written.
      const limit = lowestFree(supervisor, left);
      spawnSync('prlimit', ['--pid', String(supervisor), `--nofile=${limit}:`]);
      await typeFor(world, id, 3);
      spawnSync('prlimit', ['--pid', String(supervisor), '--nofile=1024:']);
      expect(await runNono(world, ['stop', '--force', id])).toMatchObject({ status: 0 });
    }
  });

  test('leaves nothing of its own with the supervisor when it goes', async () => {
    using world = createWorld();
    const id = await startDetached(world, ...ECHO);
    const supervisor = readRecord(world, id).supervisor_pid;
    const isGone = () => readRecord(world, id).attachment === 'detached';
    await typeFor(world, id, 1);
    await waitFor('it to be gone', () => isGone() && descriptorsOf(supervisor) <= 2);
    const before = descriptorsOf(supervisor);
    for (let times = 0; times < 4; times++) await typeFor(world, id, 3);
    await waitFor('its descriptors to be gone', () => isGone() && descriptorsOf(supervisor) <= before);
    expect(isGone()).toBe(true);
    await runNono(world, ['stop', '--force', id]);
  });
});

/** The limit under which so many descriptors can be made. */
function lowestFree(pid: number, count: number): number {
  const open = new Set(readdirSync(`/proc/${pid}/fd`).map(Number));
  let limit = 0;
  for (let free = 0; free < count; limit++) if (!open.has(limit)) free++;
  return limit;
}

/** The child of a shell. */
function childOf(shell: string): number | undefined {
  const [child] = readFileSync(`/proc/${shell}/task/${shell}/children`, 'latin1').split(' ').filter(Boolean);
  return child === undefined ? undefined : Number(child);
}
