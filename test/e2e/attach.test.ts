import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runNono } from '../support/nono.ts';
import { startOnTerminal } from '../support/raw-terminal.ts';
import { isAlive, readRecord, startDetached, startScript, untilStatus } from '../support/sessions.ts';
import { openTerminal, type Terminal } from '../support/tmux.ts';
import { needCommands } from '../support/tools.ts';
import { waitFor } from '../support/wait.ts';
import { createWorld, type World } from '../support/world.ts';

const ECHO = ['--', 'sh', '-c', 'stty -echo; echo ready; while read -r line; do echo "<$line>"; done'];

const untilAttachment = (world: World, id: string, attachment: string) =>
  waitFor(attachment, () => readRecord(world, id).attachment === attachment);

async function enter(terminal: Terminal, line: string): Promise<void> {
  await terminal.type(line);
  await terminal.press('Enter');
}

describe('nono attach', () => {
  test('types into the session and shows what it writes; the detach keys give the prompt back, again and again', async (context) => {
    needCommands(context, 'tmux');
    using world = createWorld();
    const id = await startDetached(world, ...ECHO);
    await using terminal = await openTerminal(world);
    for (const word of ['first', 'second']) {
      await enter(terminal, `clear; ${world.executable} attach ${id}; echo status $?`);
      await untilAttachment(world, id, 'attached');
      await enter(terminal, word);
      await terminal.waitFor(`<${word}>`);
      await terminal.press('C-]', 'd');
      await terminal.waitFor(/status 0/);
      await untilAttachment(world, id, 'detached');
    }

    const screen = await terminal.screen();
    expect(screen).toContain(`[nono] Detached from session ${id}. Attach with: nono attach ${id}`);
    expect(isAlive(readRecord(world, id).child_pid)).toBe(true);
    await runNono(world, ['stop', '--force', id]);
  });

  test('gives the terminal back as it was', async (context) => {
    needCommands(context, 'tmux');
    using world = createWorld();
    const id = await startScript(world, "printf '\\033[?1049h\\033[?25l\\033[?1000hdrawn'; cat");
    await using terminal = await openTerminal(world);
    await enter(terminal, 'stty -g > before; echo here');
    await terminal.waitFor(/^here$/m);
    await enter(terminal, `${world.executable} attach ${id}; stty -g > after; cmp before after && echo same`);
    await untilAttachment(world, id, 'attached');
    await runNono(world, ['send', id, '\u001b[?1049h\u001b[?1000h', '--enter']);
    await waitFor('the alternate screen', async () => (await terminal.query('#{alternate_on}')) === '1');

    await terminal.press('C-]', 'd');

    await terminal.waitFor(/^same$/m);
    expect(await terminal.query('#{alternate_on} #{mouse_any_flag} #{cursor_flag}')).toBe('0 0 1');
    await runNono(world, ['stop', '--force', id]);
  });

  test('ends with the status of a command that ends while it is attached', async (context) => {
    needCommands(context, 'tmux');
    using world = createWorld();
    const id = await startScript(world, 'read -r line; exit 42');
    await using terminal = await openTerminal(world);
    await enter(terminal, `${world.executable} attach ${id}; echo status $?`);
    await untilAttachment(world, id, 'attached');

    await terminal.press('Enter');

    await terminal.waitFor(/status 42/);
    await untilStatus(world, id, 'exited');
  });

  test('gives the command the size of the terminal, at once and when it changes', async (context) => {
    needCommands(context, 'tmux');
    using world = createWorld();
    const id = await startScript(world, 'while read -r line; do stty size; done');
    await using terminal = await openTerminal(world, { columns: 91, rows: 31 });
    await enter(terminal, `${world.executable} attach ${id}`);
    await untilAttachment(world, id, 'attached');
    await waitFor('the size', async () => {
      await terminal.press('Enter');
      return (await terminal.screen()).includes('31 91');
    });

    await terminal.resize({ columns: 70, rows: 20 });

    await waitFor('the other size', async () => {
      await terminal.press('Enter');
      return (await terminal.screen()).includes('20 70');
    });
    await runNono(world, ['stop', '--force', id]);
    expect(readRecord(world, id).exit_code).toBe(137);
  });

  test('refuses a second terminal, which may look in or take over', async (context) => {
    needCommands(context, 'tmux');
    using world = createWorld();
    const id = await startDetached(world, ...ECHO);
    await using first = await openTerminal(world);
    await using second = await openTerminal(world);
    await using viewer = await openTerminal(world, { columns: 60, rows: 10 });
    await enter(first, `${world.executable} attach ${id}; echo status $?`);
    await untilAttachment(world, id, 'attached');

    await enter(second, `${world.executable} attach ${id}; echo status $?`);
    await second.waitFor(/already attached[^]*status 255/);
    await enter(viewer, `clear; ${world.executable} attach --view ${id}; echo status $?`);
    await enter(second, `clear; ${world.executable} attach --steal ${id}; echo status $?`);
    await first.waitFor(/another terminal took over[^]*status 254/);
    await viewer.type('not for the command');
    await enter(second, 'stolen');
    await second.waitFor('<stolen>');
    await viewer.waitFor('<stolen>');

    await viewer.press('C-]', 'd');
    await viewer.waitFor(/status 0/);
    expect(readRecord(world, id).attachment).toBe('attached');
    expect(await second.screen()).not.toContain('not for the command');
    await runNono(world, ['detach', id]);
    await second.waitFor(/status 0/);
    await runNono(world, ['stop', '--force', id]);
  });

  test('leaves the session to itself when the terminal is closed', async (context) => {
    needCommands(context, 'tmux');
    using world = createWorld();
    const id = await startDetached(world, ...ECHO);
    {
      await using terminal = await openTerminal(world);
      await enter(terminal, `${world.executable} attach ${id}`);
      await untilAttachment(world, id, 'attached');
    }

    await untilAttachment(world, id, 'detached');
    expect(isAlive(readRecord(world, id).child_pid)).toBe(true);
    await runNono(world, ['stop', '--force', id]);
  });

  test('stops and goes on with the command, as Ctrl-Z and fg want it', async (context) => {
    needCommands(context, 'tmux', 'bash', '/usr/bin/vim');
    using world = createWorld();
    writeFileSync(join(world.project, 'text'), 'a line to edit\n');
    const id = await startDetached(world, '--', '/usr/bin/vim', '-u', 'NONE', '-i', 'NONE', 'text');
    await using terminal = await openTerminal(world, {
      command: ['bash', '--norc', '--noprofile', '-i'],
      environment: { HISTFILE: '' },
    });
    await enter(terminal, `${world.executable} attach ${id}; echo status $?`);
    await terminal.waitFor(/a line to edit/);

    await terminal.press('C-z');
    await terminal.waitFor(/Stopped/);
    await untilStatus(world, id, 'paused');
    await enter(terminal, 'clear; fg; echo status $?');
    await terminal.waitFor(/^a line to edit/m);
    await untilStatus(world, id, 'running');
    await enter(terminal, ':q');

    await terminal.waitFor(/status 0/);
    expect(readRecord(world, id)).toMatchObject({ status: 'exited', exit_code: 0 });
  });

  test('draws anew, and takes the terminal again, when its client was stopped from outside', async (context) => {
    needCommands(context, 'tmux', 'bash', 'pgrep');
    using world = createWorld();
    const id = await startDetached(world, '--', 'bash', '--norc', '--noprofile', '-i');
    // It would write its history at its end, when its home is being removed.
    await using terminal = await openTerminal(world, { command: ['env', 'HISTFILE=', 'bash', '--norc', '--noprofile', '-i'] });
    await enter(terminal, `${world.executable} attach ${id}`);
    await enter(terminal, 'echo in the $((1 + 1))nd shell');
    await terminal.waitFor(/^in the 2nd shell/m);
    process.kill(Number(execFileSync('pgrep', ['-of', `attach ${id}`])), 'SIGSTOP');
    await terminal.waitFor(/Stopped/);

    await enter(terminal, 'clear; echo outside; fg');
    await terminal.waitFor(/^outside\n.* attach .*\n.*[#$]$/m);
    // No line of it is shown twice, as by a terminal that echoes by itself.
    await enter(terminal, 'echo on the $((2 + 1))rd line');
    await terminal.waitFor(/^on the 3rd line/m);
    expect((await terminal.screen()).match(/echo on the/g)).toHaveLength(1);
    await runNono(world, ['stop', '--force', id]);
  });

  test('says of a command that a signal has stopped why nothing moves', async () => {
    using world = createWorld();
    const id = await startScript(world, 'cat');
    const { child_pid: pid } = readRecord(world, id);
    process.kill(pid, 'SIGSTOP');
    await untilStatus(world, id, 'paused');
    using terminal = startOnTerminal(world, ['attach', id]);
    await untilAttachment(world, id, 'attached');

    terminal.type('\x1dd');

    expect(await terminal.ended).toBe(0);
    await waitFor('what lets it go on', () => terminal.output().includes(`kill -CONT ${pid}`));
    await runNono(world, ['stop', '--force', id]);
  });

  test('has detached, or seen the end, also where the session is pruned before its client can look at the record', async () => {
    for (const [verb, status] of [
      ['detach', 0],
      ['stop', 143],
    ] as const) {
      using world = createWorld();
      const id = await startScript(world, 'cat');
      using terminal = startOnTerminal(world, ['attach', id]);
      await untilAttachment(world, id, 'attached');

      process.kill(terminal.pid, 'SIGSTOP');
      for (const words of [[verb, id], ['stop', id], ['prune']]) expect((await runNono(world, words)).status).toBe(0);
      process.kill(terminal.pid, 'SIGCONT');

      expect(await terminal.ended).toBe(status);
      expect(terminal.output()).not.toContain('E_NOT_FOUND');
    }
  });

  test('says why it cannot', async () => {
    using world = createWorld();
    const id = await startDetached(world, '--', 'true');
    await untilStatus(world, id, 'exited');

    expect(await runNono(world, ['attach', 'nobody'])).toMatchObject({ status: 4 });
    const ended = await runNono(world, ['attach', id]);
    expect({ status: ended.status, stderr: ended.stderr }).toMatchObject({
      status: 255,
      stderr: expect.stringContaining('it has ended'),
    });
    const running = await startDetached(world, '--', 'cat');
    const noTerminal = await runNono(world, ['attach', running]);
    expect(noTerminal).toMatchObject({ status: 255, stderr: expect.stringContaining('no terminal') });
    expect((await runNono(world, ['attach', '--view', '--steal', running])).status).toBe(2);
    await runNono(world, ['stop', '--force', running]);
  });
});
