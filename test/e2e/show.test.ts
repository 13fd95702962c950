import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runProgram } from '../support/nono.ts';
import { listSessions, readProject, rollback, runTracked, sessionDirectory, writeProject } from '../support/rollback.ts';
import { openTerminal, type Terminal } from '../support/tmux.ts';
import { needCommands } from '../support/tools.ts';
import { waitFor } from '../support/wait.ts';
import { createWorld, type World } from '../support/world.ts';

const LINES = Array.from({ length: 60 }, (_, at) => `line ${at + 1} of the file\n`).join('');

async function createSession(): Promise<World> {
  const world = createWorld();
  writeProject(world, { 'src/main.ts': LINES, 'src/deep/other.ts': 'a\n', 'docs/x.md': 'old\n', gone: 'gone\n' });
  await runTracked(
    world,
    `sed -i 's/line 7 of/line seven of/' src/main.ts; echo b > src/deep/other.ts; printf 'new \\033[31mred\\007 \\342\\200\\256\\n' > docs/x.md; mv gone moved; printf '\\0' > bin`,
  );
  return world;
}

async function enter(terminal: Terminal, line: string): Promise<void> {
  await terminal.type(line);
  await terminal.press('Enter');
}

describe('nono rollback show, narrowed', () => {
  test.for([
    { what: 'a directory', words: ['src'], names: ['src/deep/other.ts', 'src/main.ts'] },
    { what: 'a file', words: ['docs/x.md'], names: ['docs/x.md'] },
    { what: 'a glob', words: ['src/*.ts'], names: ['src/main.ts'] },
    { what: 'a glob over directories', words: ['src/**/*.ts'], names: ['src/deep/other.ts', 'src/main.ts'] },
    { what: 'two', words: ['docs', './bin'], names: ['bin', 'docs/x.md'] },
    { what: 'what has not changed', words: ['nothing'], names: [] },
  ])('to $what shows that and no more, and restore does the same', async ({ words, names }) => {
    using world = await createSession();
    const { stdout } = await rollback(world, ['show', 'latest', ...words, '--json']);
    const { changes, git } = JSON.parse(stdout) as { changes: readonly { path: string; metadata?: boolean }[]; git: unknown };
    const shown = changes.filter(({ metadata }) => metadata !== true).map(({ path }) => path.slice(world.project.length + 1));
    expect([shown, git]).toEqual([names, []]);
    const dry = await rollback(world, ['restore', 'latest', ...words, '--dry-run', '--json']);
    const done = await rollback(world, ['restore', 'latest', ...words, '--json']);
    const pathsOf = (text: string) =>
      (JSON.parse(text) as { actions: readonly { path: string }[] }).actions.map(({ path }) => path).sort();
    expect(pathsOf(done.stdout)).toEqual(pathsOf(dry.stdout));
    expect(readProject(world, 'src/main.ts') === LINES).toBe(names.includes('src/main.ts'));
  });

  test('to two snapshots compares these', async () => {
    using world = await createSession();
    for (const range of ['0..1', '0..', '..1', '1']) {
      const { stdout, status } = await rollback(world, ['show', 'latest', '--snapshot', range]);
      expect([status, stdout.includes('~ src/main.ts')]).toEqual([0, true]);
    }
    expect((await rollback(world, ['show', 'latest', '--snapshot', '1..1'])).stdout).toContain('No changes');
  });

  test.for([
    { words: ['--snapshot', '0..7'], error: 'there is no snapshot 7' },
    { words: ['--snapshot', '1..0'], error: '0 is before 1' },
    { words: ['--snapshot', '0'], error: 'the baseline changed nothing' },
    { words: ['--snapshot', '..'], error: 'expected A..B' },
    { words: ['--snapshot', 'a..b'], error: 'expected A..B' },
    { words: ['--snapshot', '-1..1'], error: 'expected A..B' },
    { words: ['--snapshot', '0..99999999999999999999'], error: 'there is no snapshot' },
    { words: ['--diff', '--json'], error: 'choose one' },
    { words: ['--side-by-side', '--full'], error: 'choose one' },
    { words: ['--diff', '--diff'], error: 'twice' },
    { words: ['/etc'], error: 'tracks' },
    { words: ['../outside'], error: 'tracks' },
    { words: ['*.none'], error: 'matches nothing' },
    { words: ['[', '--diff'], error: 'matches nothing' },
    { words: [''], error: 'empty' },
  ])('refuses $words with status 2', async ({ words, error }) => {
    using world = await createSession();
    const outcome = await rollback(world, ['show', 'latest', ...words]);
    expect(outcome).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining(error) });
  });

  test.for([
    { words: ['latest', '--patch', '--force'], status: 2, error: '--patch with --force' },
    { words: ['latest', '--patch', '--dry-run'], status: 2, error: '--patch with --dry-run' },
    { words: ['latest', '--patch', '--snapshot', '1'], status: 2, error: '--patch with --snapshot' },
    { words: ['latest', '--patch'], status: 1, error: 'E_NO_TERMINAL' },
    { words: ['latest', '*.none'], status: 2, error: 'matches nothing' },
    { words: ['nosuch'], status: 4, error: 'E_NOT_FOUND' },
    { words: ['../../etc'], status: 4, error: 'E_NOT_FOUND' },
  ])('restore refuses $words with status $status and changes nothing', async ({ words, status, error }) => {
    using world = await createSession();
    const outcome = await rollback(world, ['restore', ...words]);
    expect(outcome).toMatchObject({ status, stderr: expect.stringContaining(error) });
    expect(readProject(world, 'src/main.ts')).toContain('line seven');
  });
});

describe('nono rollback show on a terminal', () => {
  test('prints what fits, and pages what does not until the reader leaves', async (context) => {
    needCommands(context, 'tmux', 'less');
    using world = await createSession();
    await using terminal = await openTerminal(world, { columns: 90, rows: 20 });
    await enter(terminal, `${world.executable} rollback show latest docs --diff; echo status $?`);
    expect(await terminal.waitFor('status 0')).toContain('+new \\x1b[31mred\\x07 \\u202e');
    await enter(terminal, `clear; ${world.executable} rollback show latest src --full; echo status $?`);
    expect(await terminal.waitFor(/^:$/m)).toMatch(/^ +7 \+ line seven of the file$/m);
    await terminal.press('C-c');
    // What the reader has not read yet when it is interrupted it throws away.
    await waitFor('the reader has left', async () => {
      await terminal.press('q');
      return (await terminal.screen()).includes('status 0');
    });
  });

  test('uses PAGER, leaves it out where it is cat or nothing, and where the terminal is dumb', async (context) => {
    needCommands(context, 'tmux');
    using world = await createSession();
    await using terminal = await openTerminal(world, { columns: 90, rows: 15 });
    const show = `${world.executable} rollback show latest src --full`;
    await enter(
      terminal,
      `PAGER='sed s/seven/PAGED/' ${show} | cat; PAGER='sed s/seven/PAGED/' ${show} | grep -c PAGED; echo end`,
    );
    expect(await terminal.waitFor(/0\nend/)).not.toContain('PAGED of');
    await enter(terminal, `clear; PAGER='sed s/seven/PAGED/' ${show}; echo end`);
    await terminal.waitFor(/60.*line 60 of the file\nend/);
    expect(await terminal.screen({ history: true })).toContain('line PAGED of');
    for (const setting of ['PAGER=', 'PAGER=cat', 'TERM=dumb', 'PAGER=false', 'PATH=/nowhere']) {
      const option = setting === 'PAGER=false' ? ' --no-pager' : '';
      await enter(terminal, `clear; ${setting} ${show}${option}; echo status $?`);
      await terminal.waitFor(/line 60 of the file\nstatus 0/);
    }
  });

  test.for(['no-such-pager', 'false', 'exit 3'])('names a pager that is broken: %s', async (pager, context) => {
    needCommands(context, 'tmux');
    using world = await createSession();
    await using terminal = await openTerminal(world, { columns: 120, rows: 15 });
    await enter(terminal, `PAGER='${pager}' ${world.executable} rollback show latest src --full; echo status $?`);
    expect(await terminal.waitFor('status 1')).toContain(`Cannot show the output: the pager "${pager}" ended with`);
  });

  test('shows side by side at the width that the terminal has', async (context) => {
    needCommands(context, 'tmux');
    using world = await createSession();
    for (const columns of [40, 80, 200]) {
      await using terminal = await openTerminal(world, { columns, rows: 40 });
      await enter(terminal, `${world.executable} rollback show latest src/main.ts --side-by-side; echo status $?`);
      const screen = await terminal.waitFor('status 0');
      expect(screen).toMatch(/^ +7 line 7 of.* \| +7 line seven/m);
      expect(Math.max(...screen.split('\n').map((line) => line.length))).toBeLessThanOrEqual(columns);
    }
  });
});

describe('output that nobody reads', () => {
  test('ends quietly when the reader goes', async () => {
    using world = createWorld();
    writeProject(world, { big: '' });
    await runTracked(world, 'seq 1000000 > big');
    const script = `set -o pipefail; "$0" rollback show latest --diff | head -n 3; echo status $?`;
    const outcome = await runProgram(world, ['bash', '-c', script, world.executable]);
    expect(outcome).toMatchObject({ stdout: 'diff --git a/big b/big\n--- a/big\n+++ b/big\nstatus 0\n', stderr: '' });
  });
});

describe('sessions below ~/.nono/undo', () => {
  test('are listed, shown and restored when they are in our form, and named when they are not', async () => {
    using world = await createSession();
    const [session] = await listSessions(world);
    const id = session?.session_id ?? '';
    const older = join(world.state, 'undo');
    fs.mkdirSync(older, { mode: 0o700 });
    fs.renameSync(sessionDirectory(world, id), join(older, id));
    fs.mkdirSync(join(older, '20250101-000000-1'), { mode: 0o700 });
    fs.writeFileSync(join(older, '20250101-000000-1', 'session.json'), '{}');
    const list = await rollback(world, ['list']);
    expect(list.stdout).toContain(`  ${id}  just now  sh  `);
    expect(list.stderr).toBe('[nono] Passed over session undo/20250101-000000-1: it is not in a form that this nono reads\n');
    const before = fs.readdirSync(join(older, id)).sort();
    expect(await rollback(world, ['show', id])).toMatchObject({ status: 0, stderr: '' });
    expect(await rollback(world, ['restore', id])).toMatchObject({ status: 0, stderr: '' });
    expect(readProject(world, 'src/main.ts')).toBe(LINES);
    expect(fs.readdirSync(join(older, id)).sort()).toEqual(before);
    expect((await listSessions(world)).map(({ kind }) => kind)).toEqual(['restore', 'run']);
  });
});
