import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runNono } from '../support/nono.ts';
import { startScript, untilStatus } from '../support/sessions.ts';
import { waitFor } from '../support/wait.ts';
import { createWorld, type World } from '../support/world.ts';

const fileOf = (world: World, id: string, extension: string) => join(world.state, 'sessions', `${id}.${extension}`);

async function ended(world: World, script: string): Promise<string> {
  const id = await startScript(world, script);
  await untilStatus(world, id, 'exited');
  return id;
}

describe('nono logs', () => {
  test('prints what a session wrote as a terminal shows it, or as it was written', async () => {
    using world = createWorld();
    const id = await ended(world, 'printf "\\033[31mred\\033[m\\r\\n1 %%\\r2 %%\\r\\nlast\\r\\n"');

    expect((await runNono(world, ['logs', id])).stdout).toBe('red\n2 %\nlast\n');
    expect((await runNono(world, ['logs', id, '--tail', '2'])).stdout).toBe('2 %\nlast\n');
    expect((await runNono(world, ['logs', id, '--ansi', '--tail', '3'])).stdout).toBe('\u001b[31mred\u001b[m\n2 %\nlast\n');
    expect((await runNono(world, ['logs', id, '--raw'])).stdout).toBe('\u001b[31mred\u001b[m\r\r\n1 %\r2 %\r\r\nlast\r\r\n');
    expect((await runNono(world, ['logs', id, '--raw', '--tail', '1'])).stdout).toBe('last\r\r\n');
    expect((await runNono(world, ['logs', id, '--raw', '--ansi'])).status).toBe(2);
    expect((await runNono(world, ['logs', id, '--tail', '-1'])).status).toBe(2);
    expect((await runNono(world, ['logs', 'nobody'])).status).toBe(4);
  });

  test('follows a session until it ends, with what was written before', async () => {
    using world = createWorld();
    const id = await startScript(world, 'echo before; while [ ! -e go ]; do sleep 0.02; done; echo after');
    await waitFor('the first line', async () => (await runNono(world, ['logs', id])).stdout === 'before\n');

    const following = runNono(world, ['logs', '-f', id]);
    await waitFor('the reader', async () => (await runNono(world, ['logs', id])).stdout === 'before\n');
    writeFileSync(join(world.project, 'go'), '');

    expect(await following).toMatchObject({ status: 0, stdout: 'before\nafter\n' });
  });

  test('keeps the end of a flood, within 8 MiB', async () => {
    using world = createWorld();
    const id = await ended(world, 'yes "a line of a flood that goes on and on" | head -c 30000000; echo the end');

    expect(statSync(fileOf(world, id, 'log')).size).toBeLessThanOrEqual(8 * 1024 * 1024);
    expect((await runNono(world, ['logs', id, '--tail', '2'])).stdout).toMatch(/the end\n$/);
  });

  test('writes a recording with times and never writes over a file', async () => {
    using world = createWorld();
    const id = await ended(world, 'echo one; sleep 0.1; echo two');

    expect((await runNono(world, ['logs', id, '--cast', 'made.cast'])).status).toBe(0);
    const [header, ...events] = readFileSync(join(world.project, 'made.cast'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    expect(header).toMatchObject({ version: 2, width: 80, height: 24 });
    expect(events.map((event) => (event as readonly unknown[])[2]).join('')).toBe('one\r\ntwo\r\n');
    const again = await runNono(world, ['logs', id, '--cast', 'made.cast']);
    expect(again).toMatchObject({ status: 1, stderr: expect.stringContaining('there is a file of that name') });
  });
});

describe('nono screen', () => {
  test('prints what a live session shows, in every form', async () => {
    using world = createWorld();
    const id = await startScript(world, 'printf "\\033[2;3H\\033[1mbold\\033[m\\033]2;a title\\007"; exec cat');
    await waitFor('the screen', async () => (await runNono(world, ['screen', id])).stdout === '\n  bold\n');

    expect((await runNono(world, ['screen', id, '--ansi'])).stdout).toBe('\n  \u001b[1mbold\u001b[m\n');
    const document = JSON.parse((await runNono(world, ['screen', id, '--json'])).stdout) as Record<string, unknown>;
    expect(document).toMatchObject({
      format: 1,
      columns: 80,
      rows: 24,
      title: 'a title',
      cursor: { row: 1, column: 6, visible: true },
    });
    expect((await runNono(world, ['screen', id, '--html'])).stdout).toContain('font-weight:bold">bold</span>');
    expect((await runNono(world, ['screen', id, '--svg'])).stdout).toMatch(/^<svg [^]*>bold<\/text>/);
    expect((await runNono(world, ['screen', id, '--svg', '--html'])).status).toBe(2);
    await runNono(world, ['stop', '--force', id]);
  });

  test('prints the last screen of a session that has ended, also when only its log is left or what is left is damaged', async () => {
    using world = createWorld();
    const id = await startScript(world, 'echo shown last; while [ ! -e go ]; do sleep 0.02; done');
    await waitFor('the screen', async () => (await runNono(world, ['screen', id])).stdout === 'shown last\n');
    writeFileSync(join(world.project, 'go'), '');
    await untilStatus(world, id, 'exited');
    expect(existsSync(fileOf(world, id, 'screen.json'))).toBe(true);

    expect((await runNono(world, ['screen', id])).stdout).toBe('shown last\n');
    writeFileSync(fileOf(world, id, 'screen.json'), '{"format":1,"lines":[{"runs":[{"text":"\\u001b[31m!","style":"x"}]}]}');
    expect((await runNono(world, ['screen', id, '--ansi'])).stdout).toBe('[31m!\n');
    writeFileSync(fileOf(world, id, 'screen.json'), 'no json');
    expect((await runNono(world, ['screen', id])).status).toBe(3);
    writeFileSync(fileOf(world, id, 'screen.json'), '');
    expect((await runNono(world, ['screen', id])).stdout).toBe('shown last\n');
  });

  test('works for an ordinary user', async () => {
    using world = createWorld({ ordinaryUser: true });
    const id = await startScript(world, 'echo here; exec cat');

    await waitFor('the screen', async () => (await runNono(world, ['screen', id])).stdout === 'here\n');
    expect((await runNono(world, ['logs', id])).stdout).toBe('here\n');
    await runNono(world, ['stop', '--force', id]);
  });
});
