import { describe, expect, test } from 'vitest';
import { runNono, runProgram } from '../support/nono.ts';
import { createWorld } from '../support/world.ts';

describe('nono', () => {
  test.for(
    [
      {
        words: ['frobnicate'],
        stderr: 'Error: Cannot run "nono frobnicate": there is no such command [E_USAGE]\nHint: See `nono help`\n',
      },
      {
        words: ['rnu'],
        stderr: 'Error: Cannot run "nono rnu": there is no such command [E_USAGE]\nHint: Did you mean `nono run`?\n',
      },
      {
        words: ['rollback'],
        stderr: 'Error: Cannot run "nono rollback": it needs a verb [E_USAGE]\nHint: See `nono rollback --help`\n',
      },
      {
        words: ['run'],
        stderr: 'Error: Cannot run without a command: write it after "--" [E_USAGE]\nHint: See `nono run --help`\n',
      },
      {
        words: ['run', 'ls'],
        stderr:
          'Error: Cannot use the extra argument "ls": write the command after "--" [E_USAGE]\nHint: See `nono run --help`\n',
      },
      {
        words: ['wrap', '--', ''],
        stderr: 'Error: Cannot wrap without a command: write it after "--" [E_USAGE]\nHint: See `nono wrap --help`\n',
      },
      {
        words: ['run', '--allow', '--', 'ls'],
        stderr: 'Error: Cannot use --allow without DIR [E_USAGE]\nHint: See `nono run --help`\n',
      },
      {
        words: ['rollback', 'show'],
        stderr: 'Error: Cannot run "nono rollback show" without ID [E_USAGE]\nHint: See `nono rollback show --help`\n',
      },
      {
        words: ['run', '--ask', '--no-ask', '--allow-cwd', '--', 'true'],
        stderr: 'Error: Cannot use --ask with --no-ask: they say different things [E_USAGE]\n',
      },
      {
        words: ['allow', '--always', '--folder', '1'],
        stderr:
          'Error: Cannot use --folder with --always: what is written is what was asked about, and no folder [E_USAGE]\nHint: Leave one of them out\n',
      },
      {
        words: ['rollback', 'cleanup', '--yes'],
        stderr: 'Error: Cannot use --yes without --all: nothing else asks [E_USAGE]\nHint: Leave it out\n',
      },
      {
        words: ['attach', 'nobody', '--history', '-1'],
        stderr: 'Error: Cannot use --history "-1": expected a whole number of 0 or more [E_USAGE]\n',
      },
      {
        words: ['run', '--ask-timeout', '0', '--allow-cwd', '--', 'true'],
        stderr: 'Error: Cannot wait "0" for an answer: --ask-timeout takes seconds from 1 to 604800 [E_USAGE]\n',
      },
      {
        words: ['run', '--dry-run', '--durable', '--allow-cwd', '--', 'true'],
        stderr: 'Error: Cannot use --durable without --rollback: no snapshot is taken [E_USAGE]\nHint: Add --rollback\n',
      },
      {
        words: ['rollback', 'list', '--recent', '-1'],
        stderr: 'Error: Cannot use --recent "-1": expected a whole number of 0 or more [E_USAGE]\n',
      },
    ].map((call) => ({ ...call, written: call.words.join(' ') })),
  )('exits 2 and does nothing for nono $written', async ({ words, stderr }) => {
    using world = createWorld();

    const outcome = await runNono(world, words);

    expect(outcome).toEqual({ status: 2, signal: null, stdout: '', stderr });
    expect((await runProgram(world, ['find', world.home, world.project, '-mindepth', '1'])).stdout).toBe('');
  });

  test.for(['help', '--help', 'run -h', 'rollback --help', 'undo list --help'])('prints help for nono %s', async (written) => {
    using world = createWorld();

    const { status, stdout, stderr } = await runNono(world, written.split(' '));

    expect(stdout).toContain('Usage: nono ');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  test('shows words that are no text as escapes', async () => {
    using world = createWorld();

    const { status, stderr } = await runProgram(world, [
      'sh',
      '-c',
      `exec "$1" "$(printf 'caf\\351\\033[31m')"`,
      'sh',
      world.executable,
    ]);

    expect(stderr).toContain('Cannot run "nono caf\\xe9\\x1b[31m": there is no such command');
    expect(status).toBe(2);
  });

  test.for([
    { name: 'HOME', words: ['ps'], code: 'E_HOME', status: 125 },
    { name: 'NONO_HOME', words: ['ps'], code: 'E_PATH', status: 1 },
    { name: 'XDG_CONFIG_HOME', words: ['profile', 'list'], code: 'E_PATH', status: 1 },
    { name: 'XDG_CONFIG_HOME', words: ['run', '--allow-cwd', '--', 'true'], code: 'E_PATH', status: 125 },
  ])('explains to nono $words.0 that $name is too long', async ({ name, words, code, status }) => {
    using world = createWorld();
    const environment = { [name]: `/${'x'.repeat(300)}` };
    const outcome = await runNono(world, words, { environment });
    expect(outcome).toMatchObject({ status, stdout: '' });
    expect(outcome.stderr).toMatch(new RegExp(`^Error: .* \\[${code}\\]\nCaused by: .*: ENAMETOOLONG\nHint: `));
  });

  test('ends quietly when nobody reads its output', async () => {
    using world = createWorld();
    // The reader closes the pipe before nono starts to write.
    const script = `{ sleep 0.2; "$1" help; echo "status $?" >&2; } | :`;

    const { stderr } = await runProgram(world, ['sh', '-c', script, 'sh', world.executable]);

    expect(stderr).toBe('status 0\n');
  });

  test('exits 1 with a message when its output cannot be written', async () => {
    using world = createWorld();

    const { status, stderr } = await runProgram(world, ['sh', '-c', '"$1" help >/dev/full', 'sh', world.executable]);

    expect(stderr).toContain('Error: Cannot write the output: ENOSPC [E_OUTPUT]');
    expect(status).toBe(1);
  });
});
