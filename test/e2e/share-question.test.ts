import { describe, expect, test } from 'vitest';
import { runNono } from '../support/nono.ts';
import { openTerminal } from '../support/tmux.ts';
import { needCommands } from '../support/tools.ts';
import { createWorld } from '../support/world.ts';

describe('nono without any grant', () => {
  test('asks on a terminal whether to share the working directory, and shares it on yes', async (context) => {
    needCommands(context, 'tmux');
    using world = createWorld();
    await using terminal = await openTerminal(world, { columns: 120 });

    await terminal.type(`${world.executable} wrap -- sh -c 'echo written > proof && cat proof'`);
    await terminal.press('Enter');
    expect(await terminal.waitFor('Share ')).toContain(world.project);
    await terminal.type('y');
    await terminal.press('Enter');

    await terminal.waitFor(/^written$/m);
  });

  test('shares nothing on no', async (context) => {
    needCommands(context, 'tmux');
    using world = createWorld();
    await using terminal = await openTerminal(world, { columns: 120 });

    await terminal.type(`${world.executable} wrap -- true; echo "status $?"`);
    await terminal.press('Enter');
    await terminal.waitFor('Share ');
    await terminal.type('n');
    await terminal.press('Enter');

    expect(await terminal.waitFor('status 125')).toContain('E_GRANT');
  });

  test('fails elsewhere, and names the option that shares it', async () => {
    using world = createWorld();

    const { status, stdout, stderr } = await runNono(world, ['wrap', '--', 'true']);

    expect({ status, stdout }).toEqual({ status: 125, stdout: '' });
    expect(stderr).toMatch(/^Error: Cannot .*\[E_GRANT\]\nHint: .*--allow-cwd/);
  });
});
