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

/** The child of a shell. */
function childOf(shell: string): number | undefined {
  const [child] = readFileSync(`/proc/${shell}/task/${shell}/children`, 'latin1').split(' ').filter(Boolean);
  return child === undefined ? undefined : Number(child);
}
