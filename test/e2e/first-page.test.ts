import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runNono, runProgram } from '../support/nono.ts';
import { startDetached } from '../support/sessions.ts';
import { openTerminal } from '../support/tmux.ts';
import { needCommands, needOtherUser } from '../support/tools.ts';
import { waitFor } from '../support/wait.ts';
import { BUILT_EXECUTABLE, createWorld, type World } from '../support/world.ts';

describe('nono alone', () => {
  test('says that nothing runs, and the three next things to type', async () => {
    using world = createWorld();

    const { status, stdout, stderr } = await runNono(world, []);

    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^Nothing is running\.\n\nNext:\n(?: {2}nono .*\n){3}$/);
    expect(stdout).toContain('nono run --rollback --allow-cwd -- COMMAND');
  });

  test('shows what runs and what nobody has reviewed, and how to join and to review it', async () => {
    using world = createWorld();
    await runNono(world, ['run', '--rollback', '--silent', '--allow-cwd', '--', 'sh', '-c', 'echo x > made']);
    const id = await startDetached(world, '--name', 'calm-node', '--', 'sleep', '1000');

    const { stdout } = await runNono(world, []);

    expect(stdout).toMatch(new RegExp(`^Running:\n  ${id}  calm-node  running, detached  .*sleep 1000\n`));
    expect(stdout).toMatch(/^Not reviewed:\n {2}\d{8}-\d{6}-\d+ {2}just now {2}.* {2}\+1 file\n/m);
    expect(stdout).toContain('  nono attach calm-node ');
    expect(stdout).toMatch(/ {2}nono rollback review \d{8}-/);
    await runNono(world, ['stop', '--force', id]);
  });
});

describe('nono help --man', () => {
  test('is a manual page without a mistake, where the home is unknown too', async (context) => {
    needCommands(context, 'mandoc');
    using world = createWorld();

    const { stdout } = await runNono(world, ['help', '--man'], { environment: { HOME: undefined } });
    const lint = await runProgram(world, ['mandoc', '-T', 'lint', '-W', 'error'], { input: stdout });

    expect(stdout).toMatch(/^\.TH NONO 1 /);
    expect(lint).toMatchObject({ status: 0, stdout: '' });
  });
});

describe('nono doctor', () => {
  test('names what another nono has left, and leaves it', async () => {
    using world = createWorld();
    mkdirSync(join(world.home, '.local/state/nono'), { recursive: true });
    mkdirSync(join(world.home, '.config/nono/profiles'), { recursive: true });
    writeFileSync(join(world.home, '.config/nono/profiles/mine.json'), '{');

    const { stdout, status } = await runNono(world, ['doctor', '--json'], { environment: { NONO_PROFILE: 'developer' } });

    const { checks } = JSON.parse(stdout) as { readonly checks: readonly { readonly name: string; readonly detail: string }[] };
    const detail = (name: string) => checks.find((check) => check.name === name)?.detail;
    expect(detail('older state')).toContain('neither reads nor changes');
    expect(detail('older profiles')).toContain('mine.json');
    expect(detail('older variables')).toContain('NONO_PROFILE');
    expect(detail('disk')).toMatch(/^[\d.]+ [KMGT]?i?B free/);
    expect(detail('pseudo-terminals')).toBe('/dev/ptmx');
    expect(status).toBe(0);
  });
});

describe('nono doctor in a home with directories that are closed to its user', () => {
  test('looks at all else', async (context) => {
    needOtherUser(context);
    using world = createWorld({ ordinaryUser: true });
    await runProgram(world, ['mkdir', '-m', '0', join(world.home, '.local')]);

    const { stdout, stderr } = await runNono(world, ['doctor']);

    expect(stderr).toBe('');
    expect(stdout).toMatch(/^ok +profiles +the built-in ones$/m);
  });
});

describe('a machine without pseudo-terminals', () => {
  test('is told how to mend that, by the run and by doctor, and keeps nothing of the session', async (context) => {
    needCommands(context, 'unshare', 'mount');
    needOtherUser(context);
    using world = createWorld();
    const within = ['unshare', '--mount', 'sh', '-c', 'mount --bind /dev/full /dev/ptmx && exec "$@"', 'sh'] as const;

    const run = await runProgram(world, [...within, world.executable, 'run', '--detached', '--allow-cwd', '--', 'true']);
    expect(run.stderr).toContain('Cannot make a terminal for the command [E_TERMINAL]');
    expect(run.stderr).toContain('Hint: Mount devpts');
    expect(run.status).toBe(125);
    expect((await runNono(world, ['ps', '--all', '--json'])).stdout).toBe('[]\n');
    const doctor = await runProgram(world, [...within, world.executable, 'doctor']);
    expect(doctor.stdout).toMatch(/^limited +pseudo-terminals +none can be made .*\n +→ mount devpts/m);
  });
});

describe('a machine whose /tmp cannot be written', () => {
  test('is told so by doctor, as by the run', async (context) => {
    needCommands(context, 'unshare', 'mount');
    needOtherUser(context);
    using world = createWorld({ place: '/dev/shm', ownExecutable: BUILT_EXECUTABLE });
    const within = ['unshare', '--mount', 'sh', '-c', 'mount -t tmpfs -o ro none /tmp && exec "$@"', 'sh'] as const;

    const run = await runProgram(world, [...within, world.executable, 'wrap', '--allow-cwd', '--', 'true']);
    expect(run).toMatchObject({ status: 125, stderr: expect.stringContaining('[E_TEMPORARY]') });
    const doctor = await runProgram(world, [...within, world.executable, 'doctor']);
    expect(doctor).toMatchObject({ status: 1, stdout: expect.stringMatching(/^missing +temporary files +.*\/tmp \(EROFS\)$/m) });
  });
});

describe('colours', () => {
  test.for([
    { name: 'none without a terminal', environment: {}, colour: false },
    { name: 'some with CLICOLOR_FORCE', environment: { CLICOLOR_FORCE: '1' }, colour: true },
    { name: 'none with NO_COLOR, whatever else', environment: { CLICOLOR_FORCE: '1', NO_COLOR: '1' }, colour: false },
    { name: 'none where the terminal is dumb', environment: { CLICOLOR_FORCE: '1', TERM: 'dumb' }, colour: false },
    { name: 'none for a screen reader', environment: { CLICOLOR_FORCE: '1', NONO_PLAIN: '1' }, colour: false },
  ])('$name', async ({ environment, colour }) => {
    using world = createWorld();

    const { stdout } = await runNono(world, [], { environment });

    expect(stdout.includes('\u001b[')).toBe(colour);
  });
});

/** What was traced may still be waiting for its slow disk. */
function untilNothingRuns(world: World): Promise<boolean> {
  const read = (pid: string, name: string) => {
    try {
      return readFileSync(`/proc/${pid}/${name}`, 'latin1');
    } catch {
      return ''; // Gone since, or somebody else's.
    }
  };
  return waitFor('the sessions to end', () =>
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .every((pid) => !/\0__\w/.test(read(pid, 'cmdline')) || !read(pid, 'environ').includes(`HOME=${world.home}\0`)),
  );
}

describe('a line of progress', () => {
  /** A disk that takes three seconds: the line comes after one. */
  const slowDisk = ['strace', '-f', '-qq', '-o', '/dev/null', '-e', 'trace=syncfs', '-e', 'inject=syncfs:delay_enter=3000000'];

  test('goes as a whole when somebody presses Ctrl-C', async (context) => {
    needCommands(context, 'strace', 'tmux');
    using world = createWorld();
    await using terminal = await openTerminal(world);
    const words = [...slowDisk, world.executable, 'run', '--rollback', '--durable', '--allow-cwd', '--', 'true'];
    await terminal.type(`clear; ${words.join(' ')}`);
    await terminal.press('Enter');
    await terminal.waitFor('Writing the baseline to the disk');
    await terminal.press('C-c');

    const screen = await terminal.waitFor(/^\$$/m);
    expect(screen).not.toContain('Writing the baseline');
    await untilNothingRuns(world);
  });

  test('is a line of its own, and stays, where nothing may be drawn over', async (context) => {
    needCommands(context, 'strace', 'tmux');
    using world = createWorld();
    await using terminal = await openTerminal(world, { environment: { NONO_PLAIN: '1' } });
    const words = [
      ...slowDisk,
      world.executable,
      'run',
      '--rollback',
      '--durable',
      '--no-rollback-prompt',
      '--allow-cwd',
      '--',
      'echo',
      'ended',
    ];
    await terminal.type(`clear; ${words.join(' ')}`);
    await terminal.press('Enter');

    const screen = await terminal.waitFor(/^ended$[^]*^\$$/m);
    await untilNothingRuns(world);
    expect(screen).toMatch(/^\[nono\] Writing the baseline to the disk …$/m);
  });
});
