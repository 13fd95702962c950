import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runNono } from '../support/nono.ts';
import { readRecord, startDetached, startScript, untilStatus } from '../support/sessions.ts';
import { openTerminal, type Terminal } from '../support/tmux.ts';
import { needCommands } from '../support/tools.ts';
import { waitFor } from '../support/wait.ts';
import { createWorld, type World } from '../support/world.ts';

const SIZE = { columns: 80, rows: 12 };

/** Writes, and then shows what it is sent. */
const writing = (text: string) => ['--', 'sh', '-c', `stty -echo; printf '${text}'; cat`];

async function attach(terminal: Terminal, world: World, id: string, ...words: readonly string[]): Promise<void> {
  await terminal.type(`${world.executable} attach ${words.join(' ')} ${id}`);
  await terminal.press('Enter');
}

async function leave(terminal: Terminal, world: World, id: string): Promise<void> {
  await terminal.press('C-]', 'd');
  await waitFor('the detach', () => readRecord(world, id).attachment === 'detached');
  await terminal.waitFor('Detached from session');
}

describe('nono attach draws', () => {
  test('the screen and its history into the scrollback of the terminal, which keeps what it had', async (context) => {
    needCommands(context, 'tmux');
    using world = createWorld();
    const id = await startScript(world, 'stty -echo; seq -f "line %g" 1 40; printf "\\033[31mred> "; cat');
    await using terminal = await openTerminal(world, SIZE);
    await terminal.type("printf 'mine %s\\n' one two");
    await terminal.press('Enter');
    await terminal.waitFor('mine two');

    await attach(terminal, world, id);
    await terminal.waitFor('red>');

    const all = await terminal.screen({ history: true });
    expect(all).toContain('mine one\nmine two\n');
    expect(all).toMatch(/mine two[^]*line 1\nline 2\n[^]*line 39\nline 40\nred>$/);
    expect(all.match(/line 1$/gm)).toHaveLength(1);
    expect(await terminal.query('#{cursor_x},#{cursor_y}')).toBe(`5,${SIZE.rows - 1}`);
    await leave(terminal, world, id);
    expect(await terminal.screen()).toMatch(/line 40\nred>\n\[nono\] Detached/);
    await runNono(world, ['stop', '--force', id]);
  });

  test('the alternate screen over the normal one, with the modes that the program set, and puts them back', async (context) => {
    needCommands(context, 'tmux');
    using world = createWorld();
    const modes =
      '\\033[?1049h\\033[2J\\033[3;5Hfull screen\\033[?1002;1006;2004h\\033[?1h\\033[?25l\\033]2;its title\\007\\033[2;9r';
    const id = await startDetached(world, ...writing(`behind it\\n${modes}`));
    // The size that it has already: a change of it takes the scroll region away.
    await using terminal = await openTerminal(world, { columns: 80, rows: 24 });
    const query = () =>
      terminal.query(
        '#{alternate_on} #{mouse_button_flag} #{mouse_sgr_flag} #{keypad_cursor_flag} #{cursor_flag} #{scroll_region_upper}',
      );
    const before = await query();

    await attach(terminal, world, id);

    await terminal.waitFor(/^ {4}full screen$/m);
    expect(await query()).toBe('1 1 1 1 0 1');
    expect(await terminal.query('#{pane_title}')).toBe('its title');
    // The screen behind it comes back when the program leaves.
    await runNono(world, ['send', id, '\u001b[?1049l', '--enter']);
    await terminal.waitFor('behind it');
    await leave(terminal, world, id);
    expect(await query()).toBe(before);
    await runNono(world, ['stop', '--force', id]);
  });

  test('what a program has drawn of a synchronized update, and the rest of it when it comes, however late', async (context) => {
    needCommands(context, 'tmux');
    using world = createWorld();
    const program =
      "stty -echo; printf '\\033[?2026h\\033[H\\033[2Jthe first half'; read line; printf ', the second\\033[?2026l'; sleep 1000";
    const id = await startScript(world, program);
    await using terminal = await openTerminal(world, SIZE);

    await attach(terminal, world, id);

    await terminal.waitFor(/^the first half$/m);
    await terminal.press('Enter');
    await terminal.waitFor(/^the first half, the second$/m);
    await runNono(world, ['stop', '--force', id]);
  });

  test('so much of the history as is wanted', async (context) => {
    needCommands(context, 'tmux');
    using world = createWorld();
    const id = await startScript(world, 'stty -echo; seq -f "line %g" 1 60; printf "ready> "; cat');
    await using terminal = await openTerminal(world, { columns: 80, rows: 24 });

    await attach(terminal, world, id, '--history', '5');
    await terminal.waitFor('ready>');

    // The last 23 lines are on the screen.
    const all = await terminal.screen({ history: true });
    expect(all).toMatch(/^line 33$/m);
    expect(all).not.toMatch(/^line 32$/m);
    await leave(terminal, world, id);
    expect((await runNono(world, ['attach', '--history', 'some', id])).status).toBe(2);
    await runNono(world, ['stop', '--force', id]);
    await untilStatus(world, id, 'exited');
    expect(await runNono(world, ['attach', '--view', id])).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/line 60\nready>/),
    });
  });

  test('what vim and less show, as they show it themselves', async (context) => {
    needCommands(context, 'tmux', '/usr/bin/vim', 'less');
    using world = createWorld();
    writeFileSync(
      join(world.project, 'text.c'),
      `/* comment */\nint main(void) { return 0; }\n${'long line '.repeat(20)}\n日本語\n`,
    );
    for (const command of [
      ['/usr/bin/vim', '-n', '-u', 'NONE', '-i', 'NONE', '-c', 'syntax on', '-c', 'set number', 'text.c'],
      ['less', '-N', '-S', 'text.c'],
    ]) {
      const size = { columns: 80, rows: 24 };
      await using direct = await openTerminal(world, { ...size, command });
      await direct.waitFor('comment');
      const id = await startDetached(world, '--', 'env', 'TERM=screen', ...command);
      await waitFor('the program', async () => (await runNono(world, ['screen', id])).stdout.includes('comment'));
      await using terminal = await openTerminal(world, size);
      await attach(terminal, world, id);
      await terminal.waitFor('comment');

      expect(await terminal.screen()).toBe(await direct.screen());
      const state = '#{cursor_x},#{cursor_y} #{alternate_on} #{keypad_cursor_flag} #{keypad_flag}';
      expect(await terminal.query(state)).toBe(await direct.query(state));
      await runNono(world, ['stop', '--force', id]);
    }
  });

  test('a viewer of another size without changing the size of the command', async (context) => {
    needCommands(context, 'tmux');
    using world = createWorld();
    const id = await startDetached(world, ...writing('\\033[1;1Htop left\\033[24;70Hfar corner'));
    await using viewer = await openTerminal(world, { columns: 40, rows: 10 });

    await attach(viewer, world, id, '--view');
    await waitFor('the alternate screen', async () => (await viewer.query('#{alternate_on}')) === '1');
    await runNono(world, ['send', id, '\u001b[20;3Hseen', '--enter']);

    await viewer.waitFor('seen');
    expect(await viewer.screen()).not.toContain('far');
    await viewer.resize({ columns: 100, rows: 30 });
    await viewer.waitFor(/^top left[^]*far corner$/m);
    await viewer.press('C-]', 'd');
    await viewer.waitFor('Detached from session');
    expect(await viewer.query('#{alternate_on}')).toBe('0');
    await runNono(world, ['stop', '--force', id]);
  });

  test('nothing for a program that asks its terminal while nobody is there: the model answers', async (context) => {
    needCommands(context, 'tmux');
    using world = createWorld();
    const ask = 'stty raw -echo; printf "\\033[6n\\033[c"; dd bs=1 count=13 2>/dev/null | od -An -c; stty sane; cat';
    const id = await startScript(world, ask);
    await using terminal = await openTerminal(world, SIZE);

    await attach(terminal, world, id);

    await terminal.waitFor(/033 +\[ +1 +; +1 +R +033 +\[ +\? +6 +2 +;/);
    await runNono(world, ['stop', '--force', id]);
    await untilStatus(world, id, 'exited');
  });
});
