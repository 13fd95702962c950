import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runNono, runProgram } from '../support/nono.ts';
import { startScript } from '../support/sessions.ts';
import { openTerminal } from '../support/tmux.ts';
import { needCommands, needOtherUser } from '../support/tools.ts';
import { waitFor } from '../support/wait.ts';
import { createWorld } from '../support/world.ts';

/** Without a history file, which it would write into a home that is being removed. */
const BASH = { command: ['bash', '--norc', '--noprofile', '-i'], environment: { HISTFILE: '' } };

describe('nono run on a terminal', () => {
  test('stops and goes on with the command, as Ctrl-Z and fg want it', async (context) => {
    needCommands(context, 'tmux', 'bash');
    using world = createWorld();
    await using terminal = await openTerminal(world, BASH);
    await terminal.type(`${world.executable} run --allow-cwd -- sh -c 'echo up; exec cat'`);
    await terminal.press('Enter');
    await terminal.waitFor(/^up$/m);
    await terminal.type('first');
    await terminal.press('Enter');
    await terminal.waitFor(/first\nfirst/);

    await terminal.press('C-z');
    await terminal.waitFor(/Stopped/);
    await terminal.type('echo in the $((1 + 1))nd shell; fg');
    await terminal.press('Enter');
    await terminal.waitFor(/in the 2nd shell/);
    await terminal.type('second');
    await terminal.press('Enter');
    await terminal.waitFor(/second\nsecond/);
    await terminal.press('C-d');
    // What is typed before the prompt is there is still the command's.
    await terminal.waitFor(/second\n\$$/);
    await terminal.type('echo ended $?');
    await terminal.press('Enter');

    await terminal.waitFor(/ended 0/);
  });

  test.for([
    ['0 0', '24 80'],
    ['1 1', '1 1'],
    ['1000 1001', '999 1001'],
    ['65535 65535', '100 10000'],
  ] as const)('has as much as a session can have of a terminal of %s rows and columns: %s', async ([size, had], context) => {
    needCommands(context, 'script', 'stty');
    using world = createWorld();
    const [rows, columns] = size.split(' ');
    const line = `stty rows ${rows} cols ${columns}; ${world.executable} run --allow-cwd -- stty size`;
    const { stdout, status } = await runProgram(world, ['script', '-qec', line, '/dev/null']);
    // The end of its input `script` types, and the terminal may still show what is typed.
    expect(stdout).toMatch(new RegExp(`^(?:\\^.[\\b]*)?${had}\r\n`));
    expect(status).toBe(0);
  });

  test('says what it waits for in the background of a shell, once', async (context) => {
    needCommands(context, 'tmux', 'bash');
    using world = createWorld();
    await using terminal = await openTerminal(world, BASH);
    await terminal.type(`${world.executable} run --allow-cwd -- sh -c 'echo up; exec cat' &`);
    await terminal.press('Enter');
    await terminal.waitFor(/\[nono\] In the background of this terminal: `fg` brings it there/);
    await terminal.type('clear; fg');
    await terminal.press('Enter');
    await terminal.waitFor(/^up$/m);
    // Its terminal edits lines, and is not as the shell had it that did so itself.
    await terminal.type('typex');
    await terminal.press('BSpace');
    await terminal.type('d');
    await terminal.press('Enter');
    await terminal.waitFor(/^typed\ntyped$/m);
    await terminal.press('C-d');
    await terminal.waitFor(/^typed\n\$$/m);
  });

  test('stops with the script that it is called by, which gives the shell its prompt', async (context) => {
    needCommands(context, 'tmux', 'bash');
    using world = createWorld();
    const called = `${world.executable} run --allow-cwd -- sh -c 'echo up; exec cat'`;
    writeFileSync(join(world.project, 'agent.sh'), `${called}\necho ended $?\n`);
    await using terminal = await openTerminal(world, BASH);
    await terminal.type('sh agent.sh');
    await terminal.press('Enter');
    await terminal.waitFor(/^up$/m);

    await terminal.press('C-z');
    await terminal.waitFor(/Stopped +sh agent/);
    await terminal.type('fg');
    await terminal.press('Enter');
    await terminal.waitFor(/^sh agent.sh$/m);
    await terminal.type('typed');
    await terminal.press('Enter');
    await terminal.waitFor(/typed\ntyped/);
    await terminal.press('C-d');

    await terminal.waitFor(/ended 0/);
  });

  test.for([{ options: '' }, { options: '--detached ' }])(
    'opens the terminal of its own by its names, and that of the caller not: run $options',
    async ({ options }, context) => {
      needCommands(context, 'tmux', 'tty');
      using world = createWorld();
      const attempts = [
        '(: < "$(cat outer)") 2> denied && echo the caller is read >> tried',
        '(: >> "$(cat outer)") 2> denied && echo the caller is written to >> tried',
        '(echo shown > /dev/stderr) && echo stderr >> tried',
        '(: < /dev/stdin) && echo stdin >> tried',
        '(: <> "$(tty)") && echo its name >> tried',
        'echo all >> tried',
      ];
      writeFileSync(join(world.project, 'attempts.sh'), `${attempts.join('\n')}\n`);
      await using terminal = await openTerminal(world);
      await terminal.type(`tty > outer; ${world.executable} run ${options}--allow-cwd -- sh attempts.sh`);
      await terminal.press('Enter');
      const tried = join(world.project, 'tried');
      await waitFor('all attempts', () => existsSync(tried) && readFileSync(tried, 'utf8').includes('all\n'));

      expect(readFileSync(tried, 'utf8')).toBe('stderr\nstdin\nits name\nall\n');
    },
  );

  test('tells that the terminal of the caller is closed to it', async (context) => {
    needCommands(context, 'tmux', 'tty');
    using world = createWorld();
    await using terminal = await openTerminal(world, { columns: 160 });
    await terminal.type(
      `${world.executable} why --allow-cwd --op write "$(tty)"; ${world.executable} run --dry-run --allow-cwd -- true`,
    );
    await terminal.press('Enter');

    const shown = await terminal.waitFor(/^\/dev\/pts\/\d+: denied: no rule reaches it[^]*\n\$$/m);
    expect(shown).not.toContain('standard stream');
  });

  test('runs below timeout in a script, which puts it in the background', async (context) => {
    needCommands(context, 'tmux', 'bash', 'timeout');
    using world = createWorld();
    const id = await startScript(world, 'exec sleep 1000');
    const lines = [
      `timeout 60 ${world.executable} run --rollback --allow-cwd -- sh -c 'echo up; echo x > made; exit 3'`,
      'echo ended $?',
      // What wants the terminal is stopped, and timeout is not.
      `timeout 1 ${world.executable} attach ${id}`,
      'echo ended $?',
    ];
    writeFileSync(join(world.project, 'agent.sh'), `${lines.join('\n')}\n`);
    await using terminal = await openTerminal(world, BASH);
    await terminal.type('sh agent.sh');
    await terminal.press('Enter');

    await terminal.waitFor(/^up$[^]*^ended 3$[^]*^ended 124$/m);
    await runNono(world, ['stop', '--force', id]);
  });

  test('goes on with the command where no shell could continue it, as behind ssh', async (context) => {
    needCommands(context, 'tmux', 'setsid');
    using world = createWorld();
    await using terminal = await openTerminal(world);
    await terminal.type(`setsid -w ${world.executable} run --allow-cwd -- sh -c 'echo up; exec cat'`);
    await terminal.press('Enter');
    await terminal.waitFor(/^up$/m);

    await terminal.press('C-z');
    await terminal.waitFor('^Z');
    await terminal.type('typed');
    await terminal.press('Enter');

    await terminal.waitFor(/typed\n(\^Z)?typed/);
    await terminal.press('C-d');
    await terminal.waitFor(/typed\n\$$/);
  });

  test('can be used and left on a terminal that it cannot open, as behind su -c', async (context) => {
    needCommands(context, 'tmux', 'setsid');
    needOtherUser(context);
    using world = createWorld({ ordinaryUser: true });
    await using terminal = await openTerminal({ ...world, asUser: [] });
    const called = `setsid -w ${world.asUser.join(' ')} ${world.executable}`;
    await terminal.type(`${called} run --name left --allow-cwd -- sh -c 'echo up; exec cat'`);
    await terminal.press('Enter');
    await terminal.waitFor(/^up$/m);
    await terminal.type('first');
    await terminal.press('Enter');
    await terminal.waitFor(/first\nfirst/);
    await terminal.press('C-]', 'd');
    await terminal.waitFor('nono attach ');
    await terminal.type(`clear; ${called} attach left; stty -a | grep -o '.\\?icanon'; grep flags /proc/$$/fdinfo/0`);
    await terminal.press('Enter');
    await terminal.waitFor(/^first\nfirst$/m);
    await terminal.type('second');
    await terminal.press('Enter');
    await terminal.waitFor(/second\nsecond/);
    await terminal.press('C-d');

    // As it was: lines, and reads that block.
    await terminal.waitFor(/^ ?icanon\nflags:\s+0[01]*2$/m);
  });

  test('stops with a command that handles the key itself', async (context) => {
    needCommands(context, 'tmux', 'bash', '/usr/bin/vim');
    using world = createWorld();
    writeFileSync(join(world.project, 'text'), 'a line to edit\n');
    await using terminal = await openTerminal(world, BASH);
    await terminal.type(`${world.executable} run --allow-cwd -- vim -u NONE -i NONE text`);
    await terminal.press('Enter');
    await terminal.waitFor(/a line to edit/);

    await terminal.press('C-z');
    await terminal.waitFor(/Stopped/);
    await terminal.type('fg');
    await terminal.press('Enter');
    await terminal.waitFor(/^a line to edit/m);
    await terminal.type('ddione more');
    await terminal.press('Escape');
    await terminal.type(':wq');
    await terminal.press('Enter');
    await terminal.waitFor(/\n\$$/);
    await terminal.type('clear; cat text; echo ended $?');
    await terminal.press('Enter');

    await terminal.waitFor(/^one more\nended 0/m);
  });

  test('delivers Ctrl-C once', async (context) => {
    needCommands(context, 'tmux', 'bash');
    using world = createWorld();
    const script = 'n=0; trap "n=\\$((n + 1))" INT; echo up; until [ $n -gt 0 ]; do sleep 0.1; done; sleep 0.3; echo caught $n';
    writeFileSync(join(world.project, 'count.sh'), script.replaceAll('\\$', '$'));
    await using terminal = await openTerminal(world, BASH);
    await terminal.type(`${world.executable} run --allow-cwd -- bash count.sh; echo ended $?`);
    await terminal.press('Enter');
    await terminal.waitFor(/^up$/m);

    await terminal.press('C-c');

    await terminal.waitFor(/caught 1\nended 0/);
  });

  test('gives 130 for a command that Ctrl-C ends', async (context) => {
    needCommands(context, 'tmux', 'bash');
    using world = createWorld();
    await using terminal = await openTerminal(world, BASH);
    await terminal.type(`${world.executable} run --allow-cwd -- sh -c 'echo up; exec sleep 1000'; echo ended $?`);
    await terminal.press('Enter');
    await terminal.waitFor(/^up$/m);

    await terminal.press('C-c');

    await terminal.waitFor(/ended 130/);
  });

  test('lets a shell inside control its jobs, and takes the terminal back', async (context) => {
    needCommands(context, 'tmux', 'bash');
    using world = createWorld();
    await using terminal = await openTerminal(world, BASH);
    await terminal.type(`${world.executable} run --allow-cwd -- env PS1='inner> ' bash --norc --noprofile -i; echo ended $?`);
    await terminal.press('Enter');
    await terminal.waitFor(/inner>$/);
    await terminal.type("sh -c 'echo up $$; exec cat'");
    await terminal.press('Enter');
    const [, cat] = /^up (\d+)$/m.exec(await terminal.waitFor(/^up \d+$/m)) ?? [];
    await terminal.press('C-z');
    await terminal.waitFor(/\[1\]\+ +Stopped[^]*inner>$/);
    await terminal.type('fg');
    await terminal.press('Enter');
    // Until then the terminal is the shell's, and takes an Enter for something else than the end of a line.
    await waitFor('cat to go on', () => !readFileSync(`/proc/${cat}/stat`, 'latin1').includes(') T '));
    await terminal.type('again');
    await terminal.press('Enter');
    await terminal.waitFor(/again\nagain/);
    await terminal.press('C-d');
    await terminal.type('kill -9 $$');
    await terminal.press('Enter');
    await terminal.waitFor(/ended 137/);
    await terminal.type("sh -c 'echo ready; exec cat'; echo outer");
    await terminal.press('Enter');
    await terminal.waitFor(/^ready$/m);
    await terminal.press('C-d');

    await terminal.waitFor(/^outer$/m);
  });

  test.for([
    { answer: 'y', result: /made it\nended 0/ },
    { answer: 'n', result: /nothing is shared[^]*ended 125/ },
    { answer: '', result: /nothing is shared[^]*ended 125/ },
  ])('asks whether to share the working directory: "$answer"', async ({ answer, result }, context) => {
    needCommands(context, 'tmux');
    using world = createWorld();
    await using terminal = await openTerminal(world, { columns: 200 });
    await terminal.type(`${world.executable} run -- sh -c 'echo x > f && echo made it'; echo ended $?`);
    await terminal.press('Enter');
    await terminal.waitFor(/Share .*project with the command, for reading and writing\? \[y\/N\]/);

    await terminal.type(answer);
    await terminal.press('Enter');

    await terminal.waitFor(result);
  });
});
