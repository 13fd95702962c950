import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runNono } from '../support/nono.ts';
import { listSessions, readProject, rollback, runTracked, writeProject } from '../support/rollback.ts';
import { openTerminal, type Terminal } from '../support/tmux.ts';
import { needCommands, needOtherUser } from '../support/tools.ts';
import { createWorld, type World } from '../support/world.ts';

const LINES = Array.from({ length: 40 }, (_, at) => `line ${at + 1}\n`).join('');
const EDIT =
  'sed -i "s/^line 7$/line seven/; s/^line 33$/line xxx/" main.txt; rm gone; echo new > made; printf "a\\0c" > bin; echo done';
const KEYS = /\[d,o,r,h,n,p,a,k,u,q,\s*\?\]\s*$/;

function createProject(world: World): void {
  writeProject(world, { 'main.txt': LINES, gone: 'gone\n', bin: 'a\0b' });
}

async function enter(terminal: Terminal, line: string): Promise<void> {
  await terminal.type(line);
  await terminal.press('Enter');
}

/**
 * Presses a key at the menu and waits for the next menu, of the file in that place.
 *
 * @param shown What the key shows before that: the menu that it answers stands there already.
 */
async function press(terminal: Terminal, key: string, shown: RegExp, place: number): Promise<void> {
  await terminal.press(key);
  await terminal.waitFor(new RegExp(`${shown.source}[^]*\\[${place}/4\\] [^]*${KEYS.source}`, 'm'));
}

describe('the review when the command has ended', () => {
  test('shows, restores, undoes and keeps by single keys, and leaves the exit status alone', async (context) => {
    needCommands(context, 'tmux');
    using world = createWorld();
    createProject(world);
    await using terminal = await openTerminal(world, { columns: 100, rows: 60 });
    await enter(terminal, `${world.executable} run --rollback --allow-cwd -- sh -c '${EDIT}; exit 7'; echo status $?`);

    const first = await terminal.waitFor(/\[1\/4\] ~ bin /);
    expect(first).toMatch(
      /~ bin {6}\| Bin 3 B → 3 B\n {2}- gone {5}\| 1 -\n {2}\+ made {5}\| 1 \+\n {2}~ main\.txt \| 4 \+\+--\n/,
    );
    await press(terminal, 'd', /Binary: 3 B → 3 B/, 1);
    await press(terminal, 'n', /\] n/, 2);
    await terminal.press('r');
    expect(await terminal.waitFor('Restore gone? [y/N]')).toContain('  + gone');
    expect(existsSync(join(world.project, 'gone'))).toBe(false);
    await terminal.press('y');
    await terminal.waitFor(/\[3\/4\] \+ made/);
    expect(readProject(world, 'gone')).toBe('gone\n');

    await terminal.press('u');
    await terminal.waitFor('Undo the last restore? [y/N]');
    await terminal.press('y');
    await terminal.waitFor('Undone');
    expect(existsSync(join(world.project, 'gone'))).toBe(false);

    await press(terminal, 'n', /\] n/, 4);
    await press(terminal, 'o', /7 line 7 +\| +7 line seven/, 4);
    await terminal.press('h');
    await terminal.waitFor('Take back change 1 of 2? [y,n,a,d,q,?]');
    await terminal.press('n');
    await terminal.waitFor('Take back change 2 of 2? [y,n,a,d,q,?]');
    await terminal.press('y');
    await terminal.waitFor('Take back 1 of 2 changes? [y/N]');
    expect(readProject(world, 'main.txt')).toContain('line xxx\n');
    await terminal.press('y');
    await terminal.waitFor(/1 of 2 changes\? \[y\/N\] y\nRestored\. [^]*\[4\/4\]/);
    expect(readProject(world, 'main.txt')).toBe(LINES.replace('line 7\n', 'line seven\n'));

    await terminal.press('k');
    await terminal.waitFor(/status 7/);
    expect(readProject(world, 'made')).toBe('new\n');
    expect((await listSessions(world)).find(({ kind }) => kind === 'run')).toMatchObject({ reviewed: true });
  });

  test('restores everything, also the rest of a file of which it has taken a change back', async (context) => {
    needCommands(context, 'tmux');
    using world = createWorld();
    writeProject(world, { 'main.txt': LINES, other: 'old\n' });
    await runTracked(world, 'sed -i "s/^line 7$/line seven/; s/^line 33$/line xxx/" main.txt; echo new > other');
    await using terminal = await openTerminal(world, { columns: 100, rows: 60 });
    await enter(terminal, `${world.executable} rollback review latest; echo status $?`);
    await terminal.waitFor(/\[1\/2\] ~ main\.txt /);
    await terminal.press('h');
    await terminal.waitFor('Take back change 1 of 2?');
    await terminal.press('y');
    await terminal.waitFor('Take back change 2 of 2?');
    await terminal.press('n');
    await terminal.waitFor('Take back 1 of 2 changes? [y/N]');
    await terminal.press('y');
    await terminal.waitFor(/Restored\. [^]*\[2\/2\] ~ other /);
    expect(readProject(world, 'main.txt')).toBe(LINES.replace('line 33\n', 'line xxx\n'));
    await terminal.press('a');
    expect(await terminal.waitFor(/Restore all \d paths?\? \[y\/N\]/)).toContain('Restore all 2 paths?');
    await terminal.press('y');
    await terminal.waitFor(/Restore all 2 paths\? \[y\/N\] y\n[^]*Restored\. /);
    expect([readProject(world, 'main.txt'), readProject(world, 'other')]).toEqual([LINES, 'old\n']);
    await terminal.press('k');
    await terminal.waitFor(/status 0/);
  });

  test('restores everything after a hunk was restored, and it can be undone', async (context) => {
    needCommands(context, 'tmux');
    using world = createWorld();
    createProject(world);
    await runTracked(world, EDIT);
    const changed = readProject(world, 'main.txt');
    await using terminal = await openTerminal(world, { columns: 100, rows: 40 });
    await enter(terminal, `${world.executable} rollback restore latest main.txt --patch; echo status $?`);
    await terminal.waitFor('Take back change 1 of 2?');
    await terminal.press('a');
    await terminal.waitFor('Take back all 2 changes? [y/N]');
    await terminal.press('n');
    await terminal.waitFor('status 0');
    expect(readProject(world, 'main.txt')).toBe(changed);
    await enter(terminal, `clear; ${world.executable} rollback restore latest main.txt --patch; echo status $?`);
    await terminal.waitFor('Take back change 1 of 2?');
    await terminal.press('y');
    await terminal.waitFor('Take back change 2 of 2?');
    await terminal.press('q');
    await terminal.waitFor('status 0');
    expect(readProject(world, 'main.txt')).toBe(changed);
    await enter(terminal, `clear; ${world.executable} rollback restore latest main.txt --patch; echo status $?`);
    await terminal.waitFor('Take back change 1 of 2?');
    await terminal.press('y');
    await terminal.waitFor('Take back change 2 of 2?');
    await terminal.press('d');
    await terminal.waitFor('Take back 1 of 2 changes?');
    await terminal.press('y');
    const [, undo = ''] = /Undo with: nono rollback restore (\S+)/.exec(await terminal.waitFor('status 0')) ?? [];
    expect(readProject(world, 'main.txt')).toBe(LINES.replace('line 33\n', 'line xxx\n'));

    const run = (await listSessions(world)).find(({ kind }) => kind === 'run')?.session_id ?? '';
    expect(await rollback(world, ['restore', run])).toMatchObject({ status: 0 });
    expect(readProject(world, 'main.txt')).toBe(LINES);
    expect(await rollback(world, ['restore', undo, '--force'])).toMatchObject({ status: 0 });
    expect(readProject(world, 'main.txt')).toBe(changed);
    expect(await rollback(world, ['verify', '--all'])).toMatchObject({ status: 0, stderr: '' });
  });

  test('of one path restores all of that, and nothing else', async (context) => {
    needCommands(context, 'tmux');
    using world = createWorld();
    createProject(world);
    writeProject(world, { 'src/a': 'a\n', 'src/b': 'b\n' });
    await runTracked(world, `${EDIT}; echo x > src/a; rm src/b`);
    await using terminal = await openTerminal(world, { columns: 100, rows: 40 });
    await enter(terminal, `${world.executable} rollback review latest src; echo status $?`);
    await terminal.waitFor(/\[1\/2\] ~ src\/a /);
    await terminal.press('a');
    await terminal.waitFor('Restore all 2 paths? [y/N]');
    await terminal.press('y');
    await terminal.waitFor('Restored.');
    await terminal.press('q');
    await terminal.waitFor('status 0');

    expect([readProject(world, 'src/a'), readProject(world, 'src/b')]).toEqual(['a\n', 'b\n']);
    expect(readProject(world, 'main.txt')).toContain('line seven\n');
    expect(existsSync(join(world.project, 'made'))).toBe(true);
  });

  test.for([
    { how: 'started in the background', keys: [' &', 'Enter'] },
    { how: 'continued there', keys: ['Enter', /\[1\/4\] [^]*\?\]\s*$/, 'C-z', /Stopped/, 'bg', 'Enter'] },
  ])('waits until it has the terminal when it is $how', async ({ keys }, context) => {
    needCommands(context, 'tmux', 'bash');
    using world = createWorld();
    createProject(world);
    await runTracked(world, EDIT);
    const command = ['bash', '--norc', '--noprofile', '-i'] as const;
    await using terminal = await openTerminal(world, { columns: 100, rows: 40, command, environment: { HISTFILE: '' } });
    await enter(terminal, 'stty -g > before');
    await terminal.type(`${world.executable} rollback review latest`);
    for (const key of keys) {
      if (typeof key === 'string') await terminal.press(key);
      else await terminal.waitFor(key);
    }
    await enter(terminal, 'clear; echo the $((1 + 1))nd');
    await terminal.waitFor(/the 2nd/);
    await enter(terminal, 'clear; fg');
    await terminal.waitFor(/\[1\/4\] ~ bin [^]*\?\]\s*$/);
    await terminal.press('n');
    await terminal.waitFor(/\[2\/4\] - gone [^]*\?\]\s*$/);
    await terminal.press('q');
    await terminal.waitFor(/Kept\. Undo with/);
    await enter(terminal, 'clear; stty -g | cmp - before && echo the same');
    await terminal.waitFor(/^the same$/m);
  });

  test('refuses to take a change out of a file that was changed since, with status 3', async (context) => {
    needCommands(context, 'tmux');
    using world = createWorld();
    createProject(world);
    await runTracked(world, EDIT);
    writeFileSync(join(world.project, 'main.txt'), 'mine\n');
    await using terminal = await openTerminal(world, { columns: 100, rows: 40 });
    await enter(terminal, `${world.executable} rollback restore latest main.txt --patch; echo status $?`);
    await terminal.waitFor('Take back change 1 of 2?');
    await terminal.press('y');
    await terminal.waitFor('Take back change 2 of 2?');
    await terminal.press('d');
    await terminal.waitFor('[y/N]');
    await terminal.press('y');
    expect(await terminal.waitFor('status 3')).toContain('Left main.txt: it was changed since the session');
    expect(readProject(world, 'main.txt')).toBe('mine\n');
  });

  test('restores all after one yes, at 40 columns, resized in the middle, stopped and continued', async (context) => {
    needCommands(context, 'tmux');
    using world = createWorld();
    createProject(world);
    await using terminal = await openTerminal(world, { columns: 100, rows: 40 });
    await enter(terminal, `${world.executable} run --rollback --allow-cwd -- sh -c '${EDIT}'; echo status $?`);
    await terminal.waitFor(/\[1\/4\] ~ bin /);
    await terminal.resize({ columns: 40, rows: 30 });
    await terminal.press('C-z');
    await terminal.waitFor(/Stopped/i);
    await enter(terminal, 'clear; fg');
    await terminal.waitFor(/\[1\/4\] ~ bin /);
    await terminal.press('s');
    const narrow = await terminal.waitFor(/made {5}\| 1 \+[^]*\[1\/4\] ~ bin/);
    expect(narrow.split('\n').filter((line) => line.length > 40)).toEqual([]);
    await terminal.press('a');
    await terminal.waitFor('Restore all 4 paths? [y/N]');
    expect(existsSync(join(world.project, 'made'))).toBe(true);
    await terminal.press('y');
    await terminal.waitFor(/Restored\. Undo with u/);
    expect(existsSync(join(world.project, 'made'))).toBe(false);
    expect(readProject(world, 'main.txt')).toBe(LINES);
    await terminal.press('q');
    await terminal.waitFor(/\?\] q\n\$/);
  });

  test.for([
    { what: 'Ctrl-C', keys: ['C-c'] },
    { what: 'Ctrl-D', keys: ['C-d'] },
    { what: 'q', keys: ['q'] },
  ])('keeps everything at $what, and at any question', async ({ keys }, context) => {
    needCommands(context, 'tmux');
    using world = createWorld();
    createProject(world);
    await using terminal = await openTerminal(world, { columns: 100, rows: 40 });
    const start = `${world.executable} run --rollback --allow-cwd -- sh -c '${EDIT}; exit 5'; echo status $?`;
    await enter(terminal, start);
    await terminal.waitFor(/\[1\/4\] ~ bin /);
    await terminal.press('a');
    await terminal.waitFor('Restore all 4 paths? [y/N]');
    await terminal.press(...keys);
    if (keys[0] === 'q') {
      await terminal.waitFor('Nothing was changed');
      await terminal.press('q');
    } else await terminal.press(...keys);
    await terminal.waitFor('status 5');
    expect(readProject(world, 'made')).toBe('new\n');
  });

  test('asks by lines on a dumb terminal, without one escape sequence', async (context) => {
    needCommands(context, 'tmux', 'script');
    using world = createWorld();
    createProject(world);
    await runTracked(world, EDIT);
    await using terminal = await openTerminal(world, { columns: 80, rows: 50 });
    const log = join(world.directory, 'log');
    await enter(terminal, `TERM=dumb script -qec '${world.executable} rollback review latest' ${log}; echo status $?`);
    await terminal.waitFor(/\[1\/4\] ~ bin /);
    await enter(terminal, 'n');
    await terminal.waitFor(/\[2\/4\] - gone/);
    await enter(terminal, 'x');
    await terminal.waitFor(/One of d o r h/);
    await enter(terminal, 'r');
    await terminal.waitFor('Restore gone? [y/N]');
    await enter(terminal, 'yes');
    await terminal.waitFor(/\[3\/4\] \+ made/);
    await enter(terminal, 'q');
    await terminal.waitFor('status 0');
    expect(readProject(world, 'gone')).toBe('gone\n');
    expect(readFileSync(log, 'latin1')).not.toContain('\x1b');
  });

  test.for([['--no-rollback-prompt'], ['--no-undo-prompt'], ['--silent']])('asks nothing with %s', async ([option], context) => {
    needCommands(context, 'tmux');
    using world = createWorld();
    createProject(world);
    await using terminal = await openTerminal(world, { columns: 100, rows: 40 });
    await enter(terminal, `${world.executable} run ${option} --rollback --allow-cwd -- sh -c '${EDIT}'; echo status $?`);
    const screen = await terminal.waitFor(/status 0/);
    expect(screen.includes('[nono]')).toBe(option !== '--silent');
    expect((await rollback(world, ['list'])).stdout).toMatch(/, not reviewed$/m);
  });

  test('comes to the terminal that attached, not to a viewer', async (context) => {
    needCommands(context, 'tmux');
    using world = createWorld();
    createProject(world);
    const { stdout } = await runNono(world, [
      'run',
      '--detached',
      '--rollback',
      '--allow-cwd',
      '--',
      'sh',
      '-c',
      `read line; ${EDIT}`,
    ]);
    const [, id = ''] = /session ([0-9a-f]{6})/.exec(stdout) ?? [];
    await using viewer = await openTerminal(world, { columns: 100, rows: 40 });
    await using terminal = await openTerminal(world, { columns: 100, rows: 40 });
    await enter(viewer, `${world.executable} attach --view ${id}; echo viewer $?`);
    await enter(terminal, `${world.executable} attach ${id}; echo status $?`);
    await terminal.press('Enter');
    await terminal.waitFor(/\[1\/4\] ~ bin /);
    await viewer.waitFor('viewer 0');
    await terminal.press('q');
    await terminal.waitFor('status 0');
    expect((await runNono(world, ['inspect', id])).stdout).toMatch(/^Review: +reviewed$/m);
  });

  test('says not reviewed in inspect and list where nobody was asked', async () => {
    using world = createWorld();
    createProject(world);
    await runTracked(world, EDIT);
    const [session] = await listSessions(world);
    expect(session).toMatchObject({ reviewed: false });
    expect((await runNono(world, ['inspect', session?.run_id ?? ''])).stdout).toMatch(/^Review: +not reviewed$/m);
    expect(await rollback(world, ['review', 'latest'])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('E_NO_TERMINAL'),
    });
  });

  test('takes nothing for an answer that was typed before it asks', async (context) => {
    needCommands(context, 'tmux');
    using world = createWorld();
    createProject(world);
    await using terminal = await openTerminal(world, { columns: 100, rows: 40 });
    // It shares the terminal, and reads nothing of it.
    const command = `echo waits; while [ ! -e go ]; do sleep 0.05; done; ${EDIT}`;
    await enter(terminal, `${world.executable} run --rollback --allow-cwd -- sh -c '${command}' 2> /dev/null; echo status $?`);
    await terminal.waitFor(/^waits$/m);
    await terminal.press('k');
    await terminal.waitFor(/^k$/m);
    writeFileSync(join(world.project, 'go'), '');
    await terminal.waitFor(/\[1\/5\] [^]*\?\]$/);
    await terminal.press('n');
    expect(await terminal.waitFor(/\[2\/5\] [^]*\?\]$/)).not.toContain('Kept.');
    await terminal.press('k');
    await terminal.waitFor(/Kept\. [^]*status 0/);
  });

  test('works for an ordinary user', async (context) => {
    needCommands(context, 'tmux');
    needOtherUser(context);
    using world = createWorld({ ordinaryUser: true });
    createProject(world);
    await using terminal = await openTerminal(world, { columns: 100, rows: 40 });
    await enter(terminal, `${world.executable} run --rollback --allow-cwd -- sh -c '${EDIT}'; echo status $?`);
    await terminal.waitFor(/\[1\/4\] ~ bin /);
    await terminal.press('a');
    await terminal.waitFor('[y/N]');
    await terminal.press('y');
    await terminal.waitFor(/Restored\./);
    await terminal.press('q');
    await terminal.waitFor('status 0');
    expect(readProject(world, 'main.txt')).toBe(LINES);
  });
});
