import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runNono, runProgram } from '../support/nono.ts';
import { needCommands, needOtherUser } from '../support/tools.ts';
import { createWorld } from '../support/world.ts';

const top = resolve(import.meta.dirname, '../..');
const { version } = JSON.parse(readFileSync(resolve(top, 'package.json'), 'utf8')) as { readonly version: string };

/** The product's promise for each executable. */
const MAX_SIZE_BYTES = 120_000_000;

describe('nono --version', () => {
  test.for(['--version', '-V'])('%s prints version and commit', async (option) => {
    using world = createWorld();

    const { status, stdout, stderr } = await runNono(world, [option]);

    expect(stdout).toMatch(new RegExp(`^nono ${version.replaceAll('.', '\\.')}( \\([0-9a-f]{10}\\))?\n$`));
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  test('ends quietly when nobody reads it, and says what keeps it from being written', async () => {
    using world = createWorld();
    const script = (call: string) => runProgram(world, ['sh', '-c', call, 'sh', world.executable]);

    const unread = await script('rm -f pipe; mkfifo pipe; : <pipe & exec 3>pipe; wait; "$1" --version >&3');
    const full = await script('"$1" --version >/dev/full');

    expect(unread).toMatchObject({ status: 0, stderr: '' });
    expect(full).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^Error: Cannot write the output: ENOSPC \[E_OUTPUT\]\n/),
    });
  });

  test('opens no file of the home, the working directory or the temporary directory', async (context) => {
    needCommands(context, 'strace');
    using world = createWorld();

    const { stderr } = await runProgram(world, [
      'strace',
      '-f',
      '-e',
      'trace=open,openat,openat2,mkdir,mkdirat',
      world.executable,
      '--version',
    ]);

    expect(stderr).not.toContain(world.directory);
  });

  test('works for an ordinary user without any environment', async (context) => {
    needOtherUser(context);
    using world = createWorld({ ordinaryUser: true });

    const { status, stdout, stderr } = await runProgram(world, ['env', '-i', world.executable, '--version']);

    expect(stdout).toContain(`nono ${version}`);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  // The runtime looks for its directory before it runs a line of ours, so the words and the status are its own.
  test('says so when the working directory is gone', async () => {
    using world = createWorld();
    const script = 'mkdir gone && cd gone && rmdir ../gone && exec "$1" --version';

    const { status, stderr } = await runProgram(world, ['sh', '-c', script, 'sh', world.executable]);

    expect(stderr).toContain('current working directory was deleted');
    expect(status).toBe(1);
  });
});

describe('the executable', () => {
  test('keeps its size below the promised one', () => {
    using world = createWorld();

    expect(statSync(world.executable).size).toBeLessThan(MAX_SIZE_BYTES);
  });

  test('runs through ./scripts/nono from any directory and through a link', async () => {
    using world = createWorld();
    const link = `${world.directory}/linked`;
    const script = `ln -s "$1" "$2" && ls -A && "$2" --version && "$2" wrap --allow-cwd -- pwd`;

    const { status, stdout, stderr } = await runProgram(world, ['sh', '-c', script, 'sh', resolve(top, 'scripts/nono'), link]);

    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`^nono ${version}.*\n${world.project}\n$`));
  });
});
