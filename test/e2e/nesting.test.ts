import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runNono } from '../support/nono.ts';
import { readRecord, startDetached, startScript, untilStatus } from '../support/sessions.ts';
import { openTerminal, type Terminal } from '../support/tmux.ts';
import { needCommands } from '../support/tools.ts';
import { waitFor } from '../support/wait.ts';
import { createWorld, type World } from '../support/world.ts';

const SIZE = { columns: 80, rows: 20 };
/** Emoji of one and several characters, flags, wide characters, what is written from right to left, accents. */
const SCRIPTS = ['a👍b👩‍👩‍👧‍👦d', 'x🇩🇪y🇯🇵z', '日本語 한국어 中文', 'שלום עולם مرحبا', 'e\u0301 a\u0301\u0327 ก็ 각'];

async function enter(terminal: Terminal, text: string): Promise<void> {
  await terminal.type(text);
  await terminal.press('Enter');
}

async function untilDetached(world: World, id: string): Promise<void> {
  await waitFor(`${id} to be detached`, () => readRecord(world, id).attachment === 'detached');
}

describe('nono', () => {
  test('runs tmux, which runs shells: two panes, detach and attach', async (context) => {
    needCommands(context, 'tmux');
    using world = createWorld();
    const inner = 'TMUX_TMPDIR=$TMPDIR exec tmux -f /dev/null new-session "echo left pane; exec cat"';
    const id = await startScript(world, `unset TMUX; ${inner}`);
    await using terminal = await openTerminal(world, SIZE);
    await enter(terminal, `${world.executable} attach ${id}`);
    await terminal.waitFor('left pane');
    await terminal.press('C-b', '%');
    await terminal.waitFor('│');

    await terminal.press('C-]', 'd');
    await untilDetached(world, id);
    await terminal.waitFor('Detached from session');
    await enter(terminal, `clear; ${world.executable} attach ${id}`);

    await terminal.waitFor(/^left pane +│/m);
    expect((await terminal.screen()).match(/│/g)?.length).toBe(SIZE.rows - 1);
    await runNono(world, ['stop', '--force', id]);
  });

  test('runs nono, with its own state in what it may write; both are detached and attached', async (context) => {
    needCommands(context, 'tmux');
    using world = createWorld();
    const { executable, project } = world;
    mkdirSync(join(project, 'work'));
    writeFileSync(
      join(project, 'inner.sh'),
      `cd work; export HOME=${project} NONO_HOME=${project}/state
id=$(${executable} run --detached --allow-cwd -- sh -c 'stty -echo; echo innermost; exec cat' | grep -o '[0-9a-f]\\{6\\}' | head -n 1)
while :; do ${executable} attach $id; echo "inner left"; read again; done\n`,
    );
    const id = await startDetached(world, '--read', dirname(executable), '--', 'sh', 'inner.sh').catch(async (error: unknown) => {
      // It says what it leaves to the outer one.
      if (!String(error).includes('Started detached')) throw error;
      return /session (?<id>[0-9a-f]{6})/.exec(String(error))?.groups?.['id'] ?? '';
    });
    // While the inner one draws for the size that the outer one has by itself.
    await using terminal = await openTerminal(world, SIZE);
    await enter(terminal, `${executable} attach ${id}`);
    await terminal.waitFor('innermost');
    await enter(terminal, 'typed twice through');
    await terminal.waitFor('typed twice through');

    // The first that sees the keys is the outer one.
    await terminal.press('C-]', 'd');
    await untilDetached(world, id);
    await terminal.waitFor('Detached from session');
    await enter(terminal, `clear; ${executable} attach ${id}`);
    await terminal.waitFor(/^innermost\ntyped twice through$/m);
    await runNono(world, ['send', id, '--key', 'ctrl-]']);
    await runNono(world, ['send', id, 'd']);
    await terminal.waitFor('inner left');
    await enter(terminal, '');
    await waitFor('the inner one again', async () => /^innermost\ntyped twice through\n*$/.test(await terminal.screen()));
    await runNono(world, ['stop', '--force', id]);
  });

  test('works in GNU screen and under script', async (context) => {
    needCommands(context, 'tmux', 'script', 'screen');
    using world = createWorld();
    const id = await startScript(world, "stty -echo; seq -f 'line %g' 1 40; printf 'ready> '; cat");
    const attach = `${world.executable} attach ${id}`;
    for (const command of [
      ['script', '-qec', attach, '/dev/null'],
      ['screen', '-c', '/dev/null', ...attach.split(' ')],
    ]) {
      const environment = { SCREENDIR: join(world.directory, 'screens') };
      mkdirSync(environment.SCREENDIR, { recursive: true, mode: 0o700 });
      await using terminal = await openTerminal(world, { ...SIZE, command, environment });
      await terminal.waitFor(/line 40\nready>/);
      await enter(terminal, `by ${command[0] ?? ''}`);
      await terminal.waitFor(`by ${command[0] ?? ''}`);
      await terminal.press('C-]', 'd');
      await untilDetached(world, id);
    }
    await runNono(world, ['stop', '--force', id]);
  });

  test('follows a storm of sizes: the command has the last one, and the screen is what it would be', async (context) => {
    needCommands(context, 'tmux');
    using world = createWorld();
    const program = "stty -echo; seq -f 'line %g of some length' 1 60; printf 'ready> '; while read line; do stty size; done";
    const id = await startScript(world, program);
    await using terminal = await openTerminal(world, SIZE);
    await enter(terminal, `${world.executable} attach ${id}`);
    await terminal.waitFor('ready>');
    for (let step = 0; step < 40; step++)
      await terminal.resize({ columns: 20 + ((step * 37) % 100), rows: 3 + ((step * 11) % 40) });
    await terminal.resize({ columns: 70, rows: 15 });

    await waitFor('the last size', async () => {
      await enter(terminal, '');
      return (await runNono(world, ['screen', id])).stdout.trimEnd().endsWith('15 70');
    });
    const shown = (await runNono(world, ['screen', id])).stdout;
    expect(shown).toContain('line 60 of some length\n');
    await terminal.press('C-]', 'd');
    await untilDetached(world, id);
    await terminal.waitFor('Detached from session');
    await enter(terminal, `clear; ${world.executable} attach ${id}`);
    await terminal.waitFor(/^(?![^]*Detached)[^]*ready>/);
    expect((await terminal.screen()).trim()).toBe(shown.trim());
    await runNono(world, ['stop', '--force', id]);
  });

  test('shows emoji, flags, wide characters and what is written from right to left as the terminal itself does', async (context) => {
    needCommands(context, 'tmux');
    using world = createWorld();
    writeFileSync(join(world.project, 'scripts.txt'), `${SCRIPTS.join('\n')}\nend\n`);
    const id = await startScript(world, 'cat scripts.txt; exec cat');
    await using direct = await openTerminal(world, { ...SIZE, command: ['sh', '-c', 'cat scripts.txt; exec cat'] });
    await direct.waitFor('end');
    await using terminal = await openTerminal(world, { ...SIZE, command: [world.executable, 'attach', id] });

    await terminal.waitFor('end');

    expect(await terminal.screen()).toBe(await direct.screen());
    expect((await runNono(world, ['screen', id])).stdout).toBe(`${SCRIPTS.join('\n')}\nend\n`);
    await runNono(world, ['stop', '--force', id]);
    await untilStatus(world, id, 'exited');
  });
});
