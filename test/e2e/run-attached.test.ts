import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runNono } from '../support/nono.ts';
import { isAlive, readRecord, untilGone } from '../support/sessions.ts';
import { openTerminal, type Terminal } from '../support/tmux.ts';
import { needCommands, needOtherUser } from '../support/tools.ts';
import { waitFor } from '../support/wait.ts';
import { createWorld, type World } from '../support/world.ts';

const ECHO = `sh -c 'stty -echo; echo ready; while read -r line; do echo "<$line>"; done'`;

async function enter(terminal: Terminal, line: string): Promise<void> {
  await terminal.type(line);
  await terminal.press('Enter');
}

/** The id of the only session, once it is as attached as that. */
function onlySession(world: World, attachment: string): Promise<string> {
  const sessions = join(world.state, 'sessions');
  return waitFor(`a session that is ${attachment}`, () => {
    const file = existsSync(sessions) && readdirSync(sessions).find((name) => /^[0-9a-f]{6}\.json$/.test(name));
    const id = typeof file === 'string' ? file.slice(0, 6) : '';
    return id !== '' && readRecord(world, id).attachment === attachment && readRecord(world, id).status === 'running' && id;
  });
}

describe('nono run on a terminal, as a session', () => {
  test('gives the prompt back after the detach keys, and attach finds the command again', async (context) => {
    needCommands(context, 'tmux');
    using world = createWorld();
    await using terminal = await openTerminal(world);
    await enter(terminal, `${world.executable} run --allow-cwd -- ${ECHO}; echo status $?`);
    await terminal.waitFor(/^ready$/m);
    const id = await onlySession(world, 'attached');

    await terminal.press('C-]', 'd');
    await terminal.waitFor(/status 0/);
    await onlySession(world, 'detached');
    await enter(terminal, `clear; ${world.executable} attach ${id}; echo status $?`);
    await onlySession(world, 'attached');
    await enter(terminal, 'found');
    await terminal.waitFor('<found>');
    await runNono(world, ['stop', '--force', id]);

    await terminal.waitFor(/status 137/);
    expect(readRecord(world, id)).toMatchObject({ status: 'exited', exit_code: 137 });
  });

  test('gives a program that draws all of its screen its keys and its size, and the terminal back after it', async (context) => {
    needCommands(context, 'tmux', 'htop');
    using world = createWorld();
    await using terminal = await openTerminal(world);
    await enter(terminal, `clear; echo before; ${world.executable} run --allow-cwd -- htop; echo status $?`);
    await terminal.waitFor(/F1Help.*F10Quit/);
    await terminal.press('F1');
    await terminal.waitFor(/Released under the GNU GPL/);
    await terminal.press('Space');
    await terminal.waitFor(/F1Help.*F10Quit/);
    await terminal.resize({ columns: 60, rows: 20 });
    await terminal.waitFor(/^(?:.*\n){19}F1Help/);
    await terminal.press('F10');

    expect(await terminal.waitFor(/status 0/)).toContain('before');
  });

  test('goes on when the terminal is closed', async (context) => {
    needCommands(context, 'tmux');
    using world = createWorld();
    {
      await using terminal = await openTerminal(world);
      await enter(terminal, `${world.executable} run --allow-cwd -- ${ECHO}`);
      await terminal.waitFor(/^ready$/m);
    }

    const id = await onlySession(world, 'detached');
    expect(isAlive(readRecord(world, id).child_pid)).toBe(true);
    await runNono(world, ['stop', '--force', id]);
  });

  test('is told when the supervisor is killed, which takes the command with it', async (context) => {
    needCommands(context, 'tmux');
    using world = createWorld();
    await using terminal = await openTerminal(world);
    await enter(terminal, `${world.executable} run --allow-cwd -- ${ECHO}; echo status $?; stty -a | grep -c ' icanon'`);
    await terminal.waitFor(/^ready$/m);
    const { supervisor_pid: supervisor, child_pid: child } = readRecord(world, await onlySession(world, 'attached'));

    process.kill(supervisor, 'SIGKILL');

    await terminal.waitFor(/its supervisor was killed[^]*status 255\n1$/m);
    await untilGone(child);
  });

  test('shows all of the output of a command that ends at once, with the size and settings of the terminal', async (context) => {
    needCommands(context, 'tmux');
    using world = createWorld();
    await using terminal = await openTerminal(world, { columns: 93, rows: 30 });
    await enter(
      terminal,
      `stty erase ^H; ${world.executable} run --allow-cwd -- sh -c 'stty size; stty -a | grep -o "erase = ^H"; seq 20; exit 9'; echo status $?`,
    );

    const screen = await terminal.waitFor(/status 9/);
    expect(screen).toMatch(/30 93\nerase = \^H\n1\n2\n[^]*\n20\nstatus 9/);
  });

  test('shows the end of much output, though the terminal is slower than the command', async (context) => {
    needCommands(context, 'tmux');
    using world = createWorld();
    await using terminal = await openTerminal(world);
    await enter(terminal, `${world.executable} run --allow-cwd -- sh -c 'seq 2000000; echo the end'; echo status $?`);

    expect(await terminal.waitFor(/status \d+/, 40_000)).toMatch(/1999999\n2000000\nthe end\nstatus 0/);
  });

  test('says why on the terminal when the command cannot be started, and leaves nothing behind', async (context) => {
    needCommands(context, 'tmux');
    using world = createWorld();
    writeFileSync(join(world.project, 'text'), 'no program');
    await using terminal = await openTerminal(world, { columns: 120 });
    await enter(terminal, `${world.executable} run --allow-cwd -- no-such-command; echo status $?`);
    await terminal.waitFor(/E_COMMAND_NOT_FOUND[^]*status 127/);
    await enter(terminal, `clear; ${world.executable} run --allow-cwd -- ./text; echo status $?`);
    await terminal.waitFor(/E_CANNOT_EXECUTE[^]*status 126/);

    expect((await runNono(world, ['ps', '--all', '--json'])).stdout).toBe('[]\n');
  });

  test('tells what was changed when the command has ended', async (context) => {
    needCommands(context, 'tmux');
    using world = createWorld();
    await using terminal = await openTerminal(world, { columns: 120 });
    await enter(terminal, `${world.executable} run --rollback --allow-cwd -- sh -c 'echo x > made'; echo status $?`);
    await terminal.waitFor(/\[1\/1\] \+ made/);
    await terminal.press('q');

    await terminal.waitFor(/Tracking[^]*Changed: 1 created\n\[nono\] Undo with: nono rollback restore [^]*status 0/);
  });

  test('keeps a stderr that leads elsewhere apart', async (context) => {
    needCommands(context, 'tmux');
    using world = createWorld();
    await using terminal = await openTerminal(world);
    await enter(
      terminal,
      `${world.executable} run --allow-cwd -- sh -c 'tty -s && echo out; echo err >&2' 2> errors; echo status $?`,
    );

    expect(await terminal.waitFor(/status 0/)).toMatch(/^out\nstatus 0/m);
    expect(readFileSync(join(world.project, 'errors'), 'utf8')).toBe('err\n');
  });

  test('works for an ordinary user', async (context) => {
    needCommands(context, 'tmux');
    needOtherUser(context);
    using world = createWorld({ ordinaryUser: true });
    await using terminal = await openTerminal(world);
    await enter(terminal, `${world.executable} run --allow-cwd -- sh -c 'id -u; tty -s && echo terminal'; echo status $?`);

    await terminal.waitFor(/65534\nterminal\nstatus 0/);
  });
});
