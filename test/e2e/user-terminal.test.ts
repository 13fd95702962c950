import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { runNono } from '../support/nono.ts';
import { readRecord, startDetached, startScript, untilStatus } from '../support/sessions.ts';
import { openTerminal, type Terminal } from '../support/tmux.ts';
import { needCommands, needOtherUser } from '../support/tools.ts';
import { waitFor } from '../support/wait.ts';
import { createWorld, type World } from '../support/world.ts';

const BUN = join(dirname(createRequire(import.meta.url).resolve('bun/package.json')), 'bin', 'bun.exe');
const RELAY = fileURLToPath(new URL('../support/relay.ts', import.meta.url));
/** As a line across half the world. */
const DELAY_MS = 300;
const FLAGS = '#{alternate_on} #{mouse_button_flag} #{keypad_cursor_flag} #{cursor_flag} #{bracket_paste_flag}';
const MODES = '\\033[?1049h\\033[2J\\033[?1002;1006;2004h\\033[?1h\\033[?25lfull screen';
const SHELL = { command: ['bash', '--norc', '--noprofile', '-i'], environment: { HISTFILE: '' } };

async function enter(terminal: Terminal, text: string): Promise<void> {
  await terminal.type(text);
  await terminal.press('Enter');
}

async function untilAttached(world: World, id: string, attachment = 'attached'): Promise<void> {
  await waitFor(`${id} to be ${attachment}`, () => readRecord(world, id).attachment === attachment);
}

describe("The user's terminal", () => {
  test.for([
    { user: 'the caller', ordinaryUser: false },
    { user: 'an ordinary user', ordinaryUser: true },
  ])('of $user is put back when the client is killed, and says how to go on', async ({ ordinaryUser }, context) => {
    needCommands(context, 'tmux', 'bash');
    if (ordinaryUser) needOtherUser(context);
    using world = createWorld({ ordinaryUser });
    const id = await startScript(world, `stty -echo; printf '${MODES}'; cat`);
    await using terminal = await openTerminal(world, SHELL);
    const before = await terminal.query(FLAGS);
    // The shell keeps settings of its own; what is left behind is looked at by a command, when whoever stands by has put it back.
    const until = 'until [ -e put-back ]; do sleep 0.05; done';
    await enter(terminal, `${world.executable} attach ${id}; ${until}; stty -a | grep -o '.\\?icanon'`);
    await terminal.waitFor('full screen');
    expect(await terminal.query(FLAGS)).not.toBe(before);
    const client = await waitFor('somebody to stand by', async () => {
      const pid = clientOf(await terminal.query('#{pane_pid}'));
      return pid !== undefined && standBysOf(pid).length > 0 && pid;
    });

    process.kill(client, 'SIGKILL');

    await terminal.waitFor(`[nono] The client was killed. Attach again with: nono attach ${id}`);
    writeFileSync(join(world.project, 'put-back'), '');
    await terminal.waitFor(/^ ?icanon/m);
    await waitFor('the modes', async () => (await terminal.query(FLAGS)).replace(/ 1$/, ' 0') === before.replace(/ 1$/, ' 0'));
    expect(standBysOf(client)).toEqual([]);
    await runNono(world, ['stop', '--force', id]);
  });

  test('is put back when the supervisor is killed', async (context) => {
    needCommands(context, 'tmux', 'bash');
    using world = createWorld();
    const id = await startScript(world, `stty -echo; printf '${MODES}'; cat`);
    await using terminal = await openTerminal(world, SHELL);
    const before = await terminal.query(FLAGS);
    await enter(terminal, `${world.executable} attach ${id}; echo status $?; stty -a | grep -o '.\\?icanon'`);
    await terminal.waitFor('full screen');

    process.kill(readRecord(world, id).supervisor_pid, 'SIGKILL');

    await terminal.waitFor(/status 255\n ?icanon/);
    await waitFor('the modes', async () => (await terminal.query(FLAGS)).replace(/ 1$/, ' 0') === before.replace(/ 1$/, ' 0'));
  });

  test('is put back when another one takes over, and that one when the session is ended', async (context) => {
    needCommands(context, 'tmux');
    using world = createWorld();
    const id = await startScript(world, `stty -echo; printf '${MODES}'; cat`);
    await using first = await openTerminal(world);
    await using second = await openTerminal(world);
    const before = await first.query(FLAGS);
    await enter(first, `${world.executable} attach ${id}; echo first $?`);
    await first.waitFor('full screen');
    await enter(second, `${world.executable} attach --steal ${id}; echo second $?`);
    await second.waitFor('full screen');

    await first.waitFor('first 254');
    expect(await first.query(FLAGS)).toBe(before);
    await runNono(world, ['stop', '--force', id]);
    await second.waitFor('second 137');
    expect(await second.query(FLAGS)).toBe(before);
  });

  test('has the modes again after Ctrl-Z and fg, also of a program that does not set them again', async (context) => {
    needCommands(context, 'tmux', 'bash');
    using world = createWorld();
    const id = await startScript(world, "stty -echo; printf 'one\\ntwo\\n\\033[?1002h> '; exec cat");
    await using terminal = await openTerminal(world, SHELL);
    await enter(terminal, `${world.executable} attach ${id}`);
    await terminal.waitFor(/^>$/m);
    const mouse = () => terminal.query('#{mouse_button_flag}');
    await waitFor('the mouse', async () => (await mouse()) === '1');

    await terminal.press('C-z');
    await terminal.waitFor(/Stopped/);
    await untilStatus(world, id, 'paused');
    expect(await mouse()).toBe('0');
    await enter(terminal, 'fg');

    await waitFor('the mouse again', async () => (await mouse()) === '1');
    await enter(terminal, 'goes on');
    await terminal.waitFor(/Stopped[^]*\n> goes on$/);
    expect((await terminal.screen({ history: true })).match(/^two$/gm)).toHaveLength(1);
    await runNono(world, ['stop', '--force', id]);
  });

  test('is drawn no line a second time when it comes again', async (context) => {
    needCommands(context, 'tmux');
    using world = createWorld();
    const id = await startScript(world, "stty -echo; seq -f 'line %g' 1 60; printf 'ready> '; cat");
    await using terminal = await openTerminal(world, { rows: 12 });
    for (const more of ['first', 'second', 'third']) {
      await enter(terminal, `${world.executable} attach ${id}`);
      await untilAttached(world, id);
      await terminal.waitFor('ready>');
      await enter(terminal, more);
      await terminal.waitFor(more);
      await terminal.press('C-]', 'd');
      await untilAttached(world, id, 'detached');
      await terminal.waitFor('Detached from session');
    }

    const all = await terminal.screen({ history: true });
    for (const number of [1, 25, 48])
      expect([number, all.match(new RegExp(`^line ${number}$`, 'gm'))?.length]).toEqual([number, 1]);
    await runNono(world, ['stop', '--force', id]);
  });

  test('that answers late, when it was left with a question on its way: no answer reaches the shell', async (context) => {
    needCommands(context, 'tmux');
    using world = createWorld();
    const asking = "stty raw -echo; printf 'waits '; head -c 1 >/dev/null; printf 'asked\\033[6n\\033]11;?\\033\\\\'; sleep 1000";
    const id = await startScript(world, asking);
    const reading = "stty raw -echo; printf 'left '; timeout --foreground 2 cat -v; stty sane; echo over; sleep 1000";
    const afterwards = `${world.executable} attach ${id}; ${reading}`;
    await using terminal = await openTerminal(world, {
      command: [BUN, RELAY, String(DELAY_MS), 'sh', '-c', afterwards],
    });
    await untilAttached(world, id);
    await terminal.waitFor('waits');

    await runNono(world, ['send', id, 'x']);
    await terminal.waitFor('asked');
    // Not by keys, which would come behind the answers.
    await runNono(world, ['detach', id]);

    const shown = await terminal.waitFor(/over/);
    expect(shown).toMatch(/left +over/);
    await runNono(world, ['stop', '--force', id]);
  });

  test('that looks: several at once, each of its size, with a line about the session where one is wanted', async (context) => {
    needCommands(context, 'tmux');
    using world = createWorld();
    const id = await startDetached(world, '--name', 'watched', '--', 'sh', '-c', "stty -echo; printf 'ready> '; cat");
    await using typist = await openTerminal(world, { columns: 80, rows: 20 });
    await using small = await openTerminal(world, { columns: 60, rows: 8 });
    await using titled = await openTerminal(world, { columns: 100, rows: 30 });

    await enter(small, `${world.executable} attach --view --status-line row watched`);
    await enter(titled, `${world.executable} attach --view --status-line title watched`);
    await small.waitFor(new RegExp(`nono ${id} watched running detached 80x24`));
    await enter(typist, `${world.executable} attach watched`);
    await small.waitFor(new RegExp(`nono ${id} watched running attached 80x20`));
    await typist.waitFor('ready>');
    await enter(typist, 'typed by one');

    for (const viewer of [small, titled]) await viewer.waitFor('typed by one');
    await waitFor('the title', async () => (await titled.query('#{pane_title}')) === `nono ${id} watched running attached 80x20`);
    await runNono(world, ['stop', '--force', id]);
    await untilStatus(world, id, 'exited');
    expect((await runNono(world, ['attach', '--view', id])).stdout).toContain('ready> typed by one');
    expect(await runNono(world, ['attach', '--status-line', 'row', id])).toMatchObject({ status: 2 });
    expect(await runNono(world, ['attach', '--view', '--status-line', 'left', id])).toMatchObject({ status: 2 });
  });
});

/** The child of a shell. */
function clientOf(shell: string): number | undefined {
  return childrenOf(Number(shell))[0];
}

function standBysOf(pid: number): readonly number[] {
  return childrenOf(pid).filter((child) => nameOf(child) === 'nono-stand-by');
}

function childrenOf(pid: number): readonly number[] {
  const children = readUnlessGone(`/proc/${pid}/task/${pid}/children`);
  return children.split(' ').filter(Boolean).map(Number);
}

function nameOf(pid: number): string {
  return readUnlessGone(`/proc/${pid}/comm`).trim();
}

function readUnlessGone(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) return '';
    throw error;
  }
}
