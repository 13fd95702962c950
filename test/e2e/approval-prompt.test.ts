import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runNono } from '../support/nono.ts';
import { openTerminal, type Terminal } from '../support/tmux.ts';
import { needCommands } from '../support/tools.ts';
import { waitFor } from '../support/wait.ts';
import { createWorld, type World } from '../support/world.ts';

const QUESTION = /wants to read/;

/** An alternate screen with colours, a scroll region, mouse, keypad and origin mode, and the cursor where the prompt will be. */
const DRAWER = String.raw`printf '\033[?1049h\033[?1000h\033[?1006h\033[?2004h\033[1;5H\033[44;1mhead\033[0m\033[3;22r\033[?6h\033[?1h\033=';
for row in $(seq 1 20); do printf '\033[%d;3H\033[3%dmrow %d \033[7mx\033[0m' $row $((row % 8)) $row; done; printf '\033[?6l\033[23;9H\033[35mend'; cat > typed`;

describe('the prompt on the terminal that is attached', () => {
  let world: World;
  let out: string;
  beforeEach(() => {
    world = createWorld();
    out = join(world.home, 'out');
    mkdirSync(out);
    writeFileSync(join(out, 'f'), 'allowed');
    writeFileSync(join(world.project, 'text'), Array.from({ length: 90 }, (_, at) => `${at + 1} the quick brown fox\n`).join(''));
  });
  afterEach(async () => {
    // A terminal that is closed leaves its session running.
    const { stdout } = await runNono(world, ['ps', '--json']);
    const ids = (JSON.parse(stdout) as readonly { readonly session_id: string }[]).map(({ session_id: id }) => id);
    if (ids.length > 0) await runNono(world, ['stop', '--force', ...ids]);
    world[Symbol.dispose]();
  });

  /** A program on the terminal, and one beside it that asks when the file `go` is there. */
  const begin = async (terminal: Terminal, program: string, files: readonly string[] = ['f']): Promise<void> => {
    const reads = files.map((file) => `(cat ${join(out, file)} > got-${file}; echo $? > status-${file}) &`).join(' ');
    writeFileSync(
      join(world.project, 'script'),
      `(while [ ! -e go ]; do sleep 0.05; done; ${reads} wait) < /dev/null 2> /dev/null & ${program}`,
    );
    await terminal.type(`${world.executable} run --ask --allow-cwd -- sh script\n`);
  };
  const go = () => writeFileSync(join(world.project, 'go'), '');
  const statusOf = (file = 'f') => {
    const path = join(world.project, `status-${file}`);
    return existsSync(path) && readFileSync(path, 'utf8').trim() !== '' ? readFileSync(path, 'utf8').trim() : undefined;
  };
  const answered = (file = 'f') => waitFor(`an answer for ${file}`, () => statusOf(file));
  /** Keys are taken once nothing was typed for a moment: the row of keys is no longer dim then. */
  const armed = (terminal: Terminal) =>
    waitFor('the prompt to take keys', async () => {
      const cells = await terminal.cells();
      return /a once|a s f w yes|y write|^\S*read \/\S+\/f/.test(cells) && !/\x1b\[(?:[0-9;]*;)?2m/.test(cells);
    });
  const settled = async (terminal: Terminal): Promise<string> => {
    let last = '';
    return await waitFor('a screen that stays', async () => {
      const before = last;
      last = await terminal.cells();
      return before === last && last;
    });
  };

  test.for([
    { name: 'less', program: 'less text', shows: '20 the quick', sizes: [24, 80] },
    {
      name: 'vim',
      program: 'vim -u NONE -N -c "syntax off" -c "set ruler mouse=a" -c "normal 40Gzt" text',
      shows: '60 the quick',
      sizes: [24, 80],
    },
    { name: 'a program in the alternate screen', program: DRAWER, shows: 'row 20', sizes: [24, 80] },
    {
      name: 'a shell that waits for input',
      program: 'seq 40; printf "\\033[33mname: "; cat > typed',
      shows: 'name:',
      sizes: [24, 80],
    },
    {
      name: 'what is above a program that began in the midst of the screen',
      program: 'printf "one\ntwo\nname: "; cat > typed',
      shows: 'name:',
      sizes: [24, 80],
    },
    { name: 'less on two rows', program: 'less text', shows: '1 the', sizes: [2, 40] },
    { name: 'less on three rows', program: 'less text', shows: '1 the', sizes: [3, 30] },
  ])('leaves $name exactly as it was', async ({ program, shows, sizes: [rows = 24, columns = 80] }, context) => {
    needCommands(context, 'vim', 'less');
    await using terminal = await openTerminal(world, { rows, columns });
    await begin(terminal, program);
    await terminal.waitFor(shows);
    const before = await settled(terminal);

    go();
    await terminal.waitFor(/out\/f/);
    await armed(terminal);
    await terminal.press('a');
    await answered();

    expect(readFileSync(join(world.project, 'got-f'), 'utf8')).toBe('allowed');
    expect(await waitFor('the screen as before', async () => (await terminal.cells()) === before)).toBe(true);
  });

  test('takes no key that was typed ahead, and none that is pasted; the command gets what was typed before', async () => {
    await using terminal = await openTerminal(world);
    await begin(terminal, 'printf ready; cat > typed');
    await terminal.waitFor('ready');
    go();
    await terminal.waitFor(QUESTION);
    await terminal.type('a');
    expect(await terminal.screen()).toMatch(QUESTION);
    await armed(terminal);
    await terminal.type('axd and more of a paste');
    await terminal.waitFor('What is pasted does not answer');
    expect(statusOf()).toBeUndefined();
    await armed(terminal);
    await terminal.press('d');

    expect(await answered()).toBe('1');
    await terminal.press('Enter', 'C-d');
    await waitFor('what was typed', () => readFileSync(join(world.project, 'typed'), 'utf8') === 'a\n');
  });

  test('stays away after Esc, while the question waits, and lists several', async () => {
    writeFileSync(join(out, 'g'), 'second');
    await using terminal = await openTerminal(world);
    await begin(terminal, 'printf ready; cat > typed', ['f', 'g']);
    await terminal.waitFor('ready');
    go();
    await terminal.waitFor(/1 of 2/);
    await armed(terminal);
    await terminal.press('Down');
    await terminal.waitFor(/2 of 2/);
    await terminal.press('Escape');
    await waitFor('the prompt to go', async () => !QUESTION.test(await terminal.screen()));
    const { stdout } = await runNono(world, ['approvals', '--json']);
    const { approvals: questions } = JSON.parse(stdout) as { readonly approvals: readonly { readonly id: string }[] };

    expect(questions).toHaveLength(2);
    await runNono(world, ['allow', ...questions.map(({ id }) => id)]);
    expect([await answered('f'), await answered('g')]).toEqual(['0', '0']);
  });

  test('shows what an answer for good would write, and writes it after a second yes', async () => {
    const profile = join(world.home, '.config/nono/profiles/default.toml');
    await using terminal = await openTerminal(world);
    await begin(terminal, 'printf ready; cat > typed');
    await terminal.waitFor('ready');
    go();
    await terminal.waitFor(QUESTION);
    await armed(terminal);
    await terminal.press('w');
    await terminal.waitFor(`read_file = ["${out}/f"]`);
    await terminal.press('n');
    await terminal.waitFor(QUESTION);
    expect(existsSync(profile)).toBe(false);
    await terminal.press('w');
    await terminal.waitFor('y write this');
    await armed(terminal);
    await terminal.press('y');

    expect(await answered()).toBe('0');
    expect(readFileSync(profile, 'utf8')).toBe(`extends = "default"\n\n[filesystem]\nread_file = ["${out}/f"]\n`);
    expect((await runNono(world, ['run', '--allow-cwd', '--', 'cat', join(out, 'f')])).stdout).toBe('allowed');
  });

  test('goes with the terminal that it is on, and is there again for the next one', async () => {
    await using terminal = await openTerminal(world);
    await begin(terminal, 'printf ready; cat > typed');
    await terminal.waitFor('ready');
    go();
    await terminal.waitFor(QUESTION);
    await terminal.press('C-]', 'd');
    await terminal.waitFor(/Detached|\$ $/);
    await waitFor('the prompt of the shell', async () => /\$ ?$/.test(await terminal.screen()));
    const id = /[0-9a-f]{6}/.exec((await runNono(world, ['ps'])).stdout)?.[0] ?? '';
    expect((await runNono(world, ['ps'])).stdout).toContain('waiting(1)');
    await terminal.type(`clear; ${world.executable} attach ${id}\n`);
    await terminal.waitFor(QUESTION);
    await terminal.resize({ columns: 60, rows: 10 });
    await terminal.waitFor(/\n[^\n]*wants to read[^\n]*\n[^\n]*\n[^\n]*once[^\n]*$/);
    await armed(terminal);
    await terminal.press('a');

    expect(await answered()).toBe('0');
    await terminal.press('C-d');
    await waitFor('the end', async () => !(await runNono(world, ['ps'])).stdout.includes(id));
  });

  test('stays whole while the command writes without end, which goes on and loses nothing', async () => {
    await using terminal = await openTerminal(world);
    const flood = 'for i in $(seq 40000); do echo "line $i of a flood"; done; echo > flooded; cat > typed';
    await begin(terminal, `while [ ! -e go ]; do sleep 0.05; done; ${flood}`);
    await waitFor('the command', async () => (await runNono(world, ['ps'])).stdout.includes('running'));
    go();
    await terminal.waitFor(QUESTION);
    await waitFor('the end of the flood', () => existsSync(join(world.project, 'flooded')), 60_000);
    // What is behind the prompt are the last three rows.
    const covered = await terminal.waitFor(/line 39998 of a flood\n/);
    const shown = covered.split('\n');
    expect(shown.slice(-3)).toEqual([expect.stringMatching(QUESTION), join(out, 'f'), expect.stringContaining('a once')]);
    expect(shown.slice(0, -3).filter((row) => row !== '' && !/^line \d+ of a flood$/.test(row))).toEqual([]);
    await armed(terminal);
    await terminal.press('a');

    expect(await answered()).toBe('0');
    const lines = await waitFor('the history', async () => {
      const rows = (await terminal.screen({ history: true })).split('\n').filter((row) => row.startsWith('line '));
      return rows.at(-1000) === 'line 39001 of a flood' && rows;
    });
    expect(lines.slice(-1000)).toEqual(Array.from({ length: 1000 }, (_, at) => `line ${39_001 + at} of a flood`));
  });

  test('is a row on a terminal of one row, and fits one of 20 by 5; keys answer there too', async () => {
    await using terminal = await openTerminal(world, { rows: 5, columns: 20 });
    await begin(terminal, 'stty -echo; printf ready; cat > typed', ['f']);
    await terminal.waitFor('ready');
    go();
    await terminal.waitFor(/read\?/);
    expect((await terminal.screen()).split('\n').slice(-3)).toEqual([
      expect.stringMatching(/^ nono: read\? \d:\d\d$/),
      expect.stringMatching(/^.{6}….*out\/f$/),
      'asfw yes dx no Esc',
    ]);
    await terminal.resize({ columns: 40, rows: 1 });
    await terminal.waitFor(/^read \S+out\/f$/);
    await armed(terminal);
    await terminal.press('d');

    expect(await answered()).toBe('1');
  });

  test('leaves the question when its terminal is closed', async () => {
    const terminal = await openTerminal(world);
    await begin(terminal, 'sleep 60');
    await waitFor('the command', async () => (await runNono(world, ['ps'])).stdout.includes('running'));
    go();
    await terminal.waitFor(QUESTION);
    await terminal[Symbol.asyncDispose]();
    await waitFor('nobody to be attached', async () => (await runNono(world, ['ps'])).stdout.includes('detached'));

    expect(await runNono(world, ['allow', '1'])).toMatchObject({ status: 0 });
    expect(await answered()).toBe('0');
  });

  test('goes when somebody else has answered', async () => {
    await using terminal = await openTerminal(world);
    await begin(terminal, 'less text');
    await terminal.waitFor('20 the quick');
    const before = await settled(terminal);
    const title = await terminal.query('#{pane_title}');
    expect(await terminal.query('#{window_bell_flag}')).toBe('0');
    go();
    await terminal.waitFor(QUESTION);
    expect(await terminal.query('#{pane_title}')).toBe('nono: waiting for your answer');
    // The one that is looked at is never marked: another window is in front.
    expect(await waitFor('the bell', async () => (await terminal.query('#{window_bell_flag}')) === '1')).toBe(true);
    await runNono(world, ['deny', '1']);

    expect(await answered()).toBe('1');
    expect(await waitFor('the title as before', async () => (await terminal.query('#{pane_title}')) === title)).toBe(true);
    expect(await waitFor('the screen as before', async () => (await terminal.cells()) === before)).toBe(true);
  });
});
