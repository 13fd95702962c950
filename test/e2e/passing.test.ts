import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runNono } from '../support/nono.ts';
import { type RawTerminal, startOnTerminal } from '../support/raw-terminal.ts';
import { readRecord, startScript, untilStatus } from '../support/sessions.ts';
import { waitFor } from '../support/wait.ts';
import { createWorld, type World } from '../support/world.ts';

const ECHO = 'stty -echo; while read -r line; do echo \'got\' "$line"; done';
/** 8 MB of lines, numbered. */
const FLOOD = 'seq -f "line %.0f of a flood that is a little longer" 170000';

/** So that what comes now passes without anybody looking at it: by then all was quiet. */
async function typeAndSee(terminal: RawTerminal, text: string): Promise<void> {
  terminal.type(`${text}\r`);
  await waitFor(`the answer to ${text}`, () => terminal.output().includes(`got ${text}`));
}

function stateOf(pid: number): string | undefined {
  return /\) (?<state>\w) /.exec(fs.readFileSync(`/proc/${pid}/stat`, 'latin1'))?.groups?.['state'];
}

async function screenOf(world: World, id: string): Promise<string> {
  return (await runNono(world, ['screen', id])).stdout;
}

describe('What passes between two terminals', () => {
  test('is nothing while the client is stopped by a signal, and all of it when it goes on', async () => {
    using world = createWorld();
    const id = await startScript(world, ECHO);
    using terminal = startOnTerminal(world, ['attach', id]);
    await waitFor('the client', () => readRecord(world, id).attachment === 'attached');
    for (const text of ['one', 'two']) await typeAndSee(terminal, text);
    process.kill(terminal.pid, 'SIGSTOP');
    await waitFor('the client to be stopped', () => stateOf(terminal.pid) === 'T');
    const before = terminal.output().length;

    terminal.type('typed\r');
    await runNono(world, ['send', id, '--enter', 'sent']);
    await waitFor('the session to show it', async () => (await screenOf(world, id)).includes('got sent'));
    expect(terminal.output().slice(before)).toBe('');
    expect(await screenOf(world, id)).not.toContain('typed');

    process.kill(terminal.pid, 'SIGCONT');
    await waitFor('all of it', () => /got sent[^]*got typed/.test(terminal.output()));
    await runNono(world, ['stop', '--force', id]);
  });

  test('is nothing any more when the client is killed, and its keys are nobody else’s', async () => {
    using world = createWorld();
    const id = await startScript(world, ECHO);
    using terminal = startOnTerminal(world, ['attach', id]);
    await waitFor('the client', () => readRecord(world, id).attachment === 'attached');
    for (const text of ['one', 'two']) await typeAndSee(terminal, text);
    process.kill(terminal.pid, 'SIGKILL');
    await waitFor('the session to be alone', () => readRecord(world, id).attachment === 'detached');

    terminal.type('typed\r');
    await runNono(world, ['send', id, '--enter', 'sent']);
    await waitFor('the session to show it', async () => (await screenOf(world, id)).includes('got sent'));
    expect(await screenOf(world, id)).not.toContain('typed');
    expect(terminal.output()).not.toContain('got sent');
    await runNono(world, ['stop', '--force', id]);
  });

  test('goes to whoever takes over in the midst of a flood, who sees the end of it', async () => {
    using world = createWorld();
    const id = await startScript(world, `stty -echo; read -r line; ${FLOOD}; echo the end; cat`);
    using first = startOnTerminal(world, ['attach', id]);
    await waitFor('the client', () => readRecord(world, id).attachment === 'attached');
    first.type('\r');
    await waitFor('the flood', () => first.output().includes('of a flood'));
    using second = startOnTerminal(world, ['attach', '--steal', id]);

    expect(await first.ended).toBe(254);
    await waitFor('the end', () => /line 170000 of[^\r]*\r\nthe end/.test(second.output()));
    expect(first.output()).not.toContain('the end');
    const { stdout } = await runNono(world, ['logs', '--tail', '2', id]);
    expect(stdout).toMatch(/line 170000 of .*\nthe end/);
    await runNono(world, ['stop', '--force', id]);
  });

  test('is what is typed before the detach keys, which come one by one in the midst of it', async () => {
    using world = createWorld();
    const id = await startScript(world, ECHO);
    using terminal = startOnTerminal(world, ['attach', id]);
    await waitFor('the client', () => readRecord(world, id).attachment === 'attached');
    for (const text of ['one', 'two']) await typeAndSee(terminal, text);
    for (const keys of ['abc\r', 'de', '\x1d', 'x\r', 'f\x1d']) terminal.type(keys);
    await waitFor('what is no detach', () => terminal.output().includes('got de\x1dx'));
    terminal.type('d');
    terminal.type('never');

    expect(await terminal.ended).toBe(0);
    await runNono(world, ['send', id, '--enter', '!']);
    await waitFor('the rest', async () => (await screenOf(world, id)).includes('got f!'));
    await runNono(world, ['stop', '--force', id]);
  });

  test('is an interrupt, however much comes the other way', async () => {
    using world = createWorld();
    using terminal = startOnTerminal(world, ['run', '--allow-cwd', '--', 'sh', '-c', 'yes a flood of short lines']);
    await waitFor('the flood', () => terminal.output().length > 2_000_000);
    terminal.type('\x03');

    expect(await terminal.ended).toBe(130);
  });

  test('keeps the command from nothing while the terminal is not read, and is drawn anew when it is', async () => {
    using world = createWorld();
    const script = `stty -echo; read -r line; ${FLOOD}; echo the end; : > written; cat`;
    const id = await startScript(world, script);
    using terminal = startOnTerminal(world, ['attach', id]);
    await waitFor('the client', () => readRecord(world, id).attachment === 'attached');
    terminal.pause();
    terminal.type('\r');
    await waitFor('all to be written', () => fs.existsSync(join(world.project, 'written')), 30_000);
    terminal.resume();

    await waitFor('the end', () => /line 170000 of[^\r]*\r\nthe end/.test(terminal.output()), 30_000);
    terminal.type('\x1dd');
    expect(await terminal.ended).toBe(0);
    await runNono(world, ['stop', '--force', id]);
  });

  test('leaves the terminal to be put back when the supervisor is killed', async () => {
    using world = createWorld();
    const script = "printf '\\033[?2004h\\033[31m'; while :; do echo red; sleep 0.01; done";
    const id = await startScript(world, script);
    using terminal = startOnTerminal(world, ['attach', id]);
    await waitFor('some of it', () => terminal.output().split('red').length > 20);
    process.kill(readRecord(world, id).supervisor_pid, 'SIGKILL');

    expect(await terminal.ended).toBe(255);
    // What was written before that end may still be on its way here.
    await waitFor('the terminal to be put back', () => {
      const last = terminal.output().slice(terminal.output().lastIndexOf('red'));
      return last.includes('\x1b[0m') && last.includes('\x1b[?2004l');
    });
    await untilStatus(world, id, 'running');
  });
});
