import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runNono, runProgram } from '../support/nono.ts';
import { readRecord, recordPath, startDetached, untilGone, untilStatus } from '../support/sessions.ts';
import { openTerminal } from '../support/tmux.ts';
import { needCommands, PYTHON } from '../support/tools.ts';
import { waitFor } from '../support/wait.ts';
import { createWorld, type World } from '../support/world.ts';

const RUN = ['run', '--allow-cwd', '--'];
const sh = (script: string) => ['sh', '-c', script];

/** What spec and OUTPUT.md promise, a line each: the words, and the status. `LIVE`, `DONE` and `LOST` stand for sessions. */
const TABLE: readonly (readonly [what: string, words: readonly string[], status: number])[] = [
  ['the command ended with 0', [...RUN, 'true'], 0],
  ['the command ended with 3', [...RUN, ...sh('exit 3')], 3],
  ['the command ended with 255', [...RUN, ...sh('exit 255')], 255],
  ['SIGTERM ended the command', [...RUN, ...sh('kill -TERM $$')], 143],
  ['SIGKILL ended the command', [...RUN, ...sh('kill -KILL $$')], 137],
  ['the command is not there', [...RUN, 'no-such-command'], 127],
  ['the command cannot be executed', [...RUN, './text'], 126],
  ['the command is a directory', [...RUN, './directory'], 126],
  ['nothing is granted', ['run', '--', 'true'], 125],
  ['a grant is missing', ['run', '--allow', './missing', '--', 'true'], 125],
  ['a profile is not there', ['run', '--profile', 'nowhere', '--allow-cwd', '--', 'true'], 125],
  ['a profile is not there, without colours', ['--no-color', 'run', '--profile', 'nowhere', '--allow-cwd', '--', 'true'], 125],
  ['a profile is not there, silently', ['-s', 'run', '--profile', 'nowhere', '--allow-cwd', '--', 'true'], 125],
  ['a name is taken', ['run', '--allow-cwd', '--name', 'live', '--', 'true'], 125],
  ['a name is none', ['run', '--allow-cwd', '--name', '../x', '--', 'true'], 2],
  ['nothing is to be run', ['run', '--allow-cwd', '--'], 2],
  ['the command is empty', ['run', '--allow-cwd', '--', ''], 2],
  ['there is no --', ['run', '--allow-cwd', 'true'], 2],
  ['an option is given twice', ['run', '--name', 'a', '--name', 'b', '--allow-cwd', '--', 'true'], 2],
  ['a detached command is not there', ['run', '--detached', '--allow-cwd', '--', 'no-such-command'], 127],
  ['a detached command cannot be executed', ['run', '--detached', '--allow-cwd', '--', './text'], 126],
  ['a detached session takes a name that is taken', ['run', '--detached', '--allow-cwd', '--name', 'live', '--', 'true'], 125],
  ['a detached command ends at once', ['run', '--detached', '--allow-cwd', '--', 'false'], 0],
  ['wrap: the command ended with 3', ['wrap', '--allow-cwd', '--', ...sh('exit 3')], 3],
  ['wrap: the command is not there', ['wrap', '--allow-cwd', '--', 'no-such-command'], 127],
  ['attach without a terminal', ['attach', 'LIVE'], 255],
  ['attach to an ended session', ['attach', 'DONE'], 255],
  ['attach to a lost session', ['attach', 'LOST'], 255],
  ['attach to nothing', ['attach', 'nobody'], 4],
  ['attach to two things', ['attach', 'twins'], 2],
  ['attach with an empty ID', ['attach', ''], 2],
  ['attach with contradicting options', ['attach', '--view', '--steal', 'LIVE'], 2],
  ['ps', ['ps'], 0],
  ['inspect', ['inspect', 'DONE'], 0],
  ['inspect a damaged record', ['inspect', 'aaaaaa'], 3],
  ['inspect a path', ['inspect', '../sessions/live'], 4],
  ['inspect without ID', ['inspect'], 2],
  ['detach with nothing to do', ['detach', 'LIVE'], 0],
  ['detach an ended session', ['detach', 'DONE'], 0],
  ['stop an ended session', ['stop', 'DONE'], 0],
  ['stop a lost session', ['stop', 'LOST'], 0],
  ['stop with a time-out that is none', ['stop', '--timeout', '1e3', 'LIVE'], 2],
  ['stop with a time-out that is not finite', ['stop', '--timeout', 'Infinity', 'LIVE'], 2],
  ['stop one that is there and one that is not', ['stop', 'LIVE', 'nobody'], 4],
  ['wait for the ended', ['wait', 'DONE', 'LOST'], 0],
  ['wait for nothing', ['wait'], 2],
  ['send to an ended session', ['send', 'DONE', 'x'], 1],
  ['send nothing', ['send', 'LIVE'], 2],
  ['rename an ended session', ['rename', 'DONE', 'x'], 1],
  ['rename to something that is no name', ['rename', 'LIVE', 'a b'], 2],
  ['prune with a negative number', ['prune', '--keep', '-1'], 2],
  ['prune with a fraction', ['prune', '--older-than', '0.5'], 2],
  ['prune', ['prune', '--dry-run'], 0],
  ['audit verify', ['audit', 'verify', 'DONE'], 0],
  ['an unknown command', ['frobnicate'], 2],
  ['an unknown option', ['ps', '--frobnicate'], 2],
];

async function makeSessions(world: World): Promise<Readonly<Record<string, string>>> {
  mkdirSync(join(world.project, 'directory'));
  writeFileSync(join(world.project, 'text'), 'no program', { mode: 0o644 });
  const done = await startDetached(world, '--', 'true');
  const lost = await startDetached(world, '--', 'cat');
  const { supervisor_pid: supervisor, child_pid: child } = readRecord(world, lost);
  process.kill(supervisor, 'SIGKILL');
  await untilGone(child);
  await untilStatus(world, done, 'exited');
  for (let count = 0; count < 2; count++) await runNono(world, ['run', '--allow-cwd', '--name', 'twins', '--', 'true']);
  writeFileSync(recordPath(world, 'aaaaaa'), '{');
  const live = await startDetached(world, '--name', 'live', '--', 'cat');
  return { LIVE: live, DONE: done, LOST: lost };
}

test('a command that asks its parent to trace it goes on, and ends as it would', async (context) => {
  needCommands(context, PYTHON);
  using world = createWorld();
  const code = `import ctypes, os, signal
print(ctypes.CDLL(None).ptrace(0, 0, 0, 0), flush=True); os.kill(os.getpid(), signal.SIGWINCH); print("went on", flush=True)
os.execvp("sh", ["sh", "-c", "echo another program; exit 7"])`;

  expect(await runNono(world, [...RUN, PYTHON, '-c', code])).toMatchObject({
    status: 7,
    stdout: '0\nwent on\nanother program\n',
    stderr: '',
  });
});

describe('exit statuses', () => {
  test('are those of the table', async () => {
    using world = createWorld();
    const ids = await makeSessions(world);
    const wrong: string[] = [];
    for (const [what, words, status] of TABLE) {
      const outcome = await runNono(
        world,
        words.map((word) => ids[word] ?? word),
      );
      if (outcome.status !== status) wrong.push(`${what}: ${outcome.status} instead of ${status}\n${outcome.stderr}`);
      // Each failure says why, with a code; the command's own are its own.
      if (status !== 0 && outcome.stderr === '' && !['run', 'wrap'].includes(words[0] ?? '')) wrong.push(`${what}: says nothing`);
    }
    expect(wrong).toEqual([]);
    await runNono(world, ['stop', '--force', 'live']);
  }, 120_000);

  test.for([
    { where: 'on a full disk', script: '"$@" 2>/dev/full' },
    { where: 'to a reader that has gone', script: 'rm -f pipe; mkfifo pipe; : <pipe & exec 3>pipe; wait; "$@" 2>&3' },
  ])('are the same where the explanation goes $where', async ({ script }) => {
    using world = createWorld();
    const statuses: (number | null)[] = [];
    for (const words of [['frobnicate'], ['rollback', 'show', 'latest'], [...RUN, 'no-such-command'], ['run', '--', 'true']])
      statuses.push((await runProgram(world, ['sh', '-c', script, 'sh', world.executable, ...words])).status);
    expect(statuses).toEqual([2, 4, 127, 125]);
  });

  test.for([
    { what: 'the command ended while attached', script: 'read -r line; exit 9', act: 'Enter', status: 9 },
    { what: 'a signal ended it while attached', script: 'read -r line; kill -TERM $$', act: 'Enter', status: 143 },
    { what: 'the detach keys', script: 'cat', act: 'detach', status: 0 },
    { what: 'another client took over', script: 'cat', act: 'steal', status: 254 },
    { what: 'the supervisor was killed', script: 'cat', act: 'kill', status: 255 },
  ])('of run on a terminal and of attach: $what gives $status', async ({ script, act, status }, context) => {
    needCommands(context, 'tmux');
    using world = createWorld();
    await using terminal = await openTerminal(world, { columns: 120 });
    await using other = await openTerminal(world, { columns: 120 });
    for (const start of ['run', 'attach']) {
      const name = `s-${start}`;
      const run = [world.executable, 'run', '--allow-cwd', '--name', name];
      if (start === 'attach')
        await runNono(world, ['run', '--detached', '--allow-cwd', '--name', name, '--', 'sh', '-c', script]);
      const line = start === 'run' ? `${run.join(' ')} -- sh -c '${script}'` : `${world.executable} attach ${name}`;
      await terminal.type(`clear; ${line}; echo "${start} gave $?"`);
      await terminal.press('Enter');
      const find = async () => {
        const { stdout } = await runNono(world, ['ps', '--json']);
        const found = (JSON.parse(stdout) as { session_id: string; name: string; status: string; attachment: string }[]).find(
          (session) => session.name === name && session.status === 'running' && session.attachment === 'attached',
        );
        return found?.session_id;
      };
      const id = await waitFor(`${start} to be attached`, find, 20_000);

      if (act === 'Enter') await terminal.press('Enter');
      else if (act === 'detach') await terminal.press('C-]', 'd');
      else if (act === 'kill') process.kill(readRecord(world, id).supervisor_pid, 'SIGKILL');
      else {
        await other.type(`${world.executable} attach --steal ${id}`);
        await other.press('Enter');
      }
      await terminal.waitFor(new RegExp(`^${start} gave ${status}$`, 'm'), 20_000);
      if (act !== 'kill') await runNono(world, ['stop', '--force', id]);
    }
  });
});

describe('nono that gets too little of the machine', () => {
  test.for([10, 12])('says by what limit: %i descriptors', async (limit) => {
    using world = createWorld();
    const words: readonly [string, ...string[]] = [
      'sh',
      '-c',
      `ulimit -n ${limit}; exec "$@"`,
      'sh',
      world.executable,
      'run',
      '--allow-cwd',
      '--',
      'true',
    ];

    const { status, stderr } = await runProgram(world, words);

    expect({ status, stderr }).toEqual({
      status: 125,
      stderr: expect.stringMatching(/^Error: .*\nCaused by: .*EMFILE\nHint: .*ulimit -n/),
    });
  });

  test.for([
    { words: ['ps'], expected: 1 },
    { words: [...RUN, 'true'], expected: 125 },
  ])('says so where it may execute nothing that it has made: $words', async ({ words, expected }) => {
    using world = createWorld();

    const { status, stderr } = await runNono(world, words, { environment: { BUN_JSC_useJIT: '0' } });

    expect({ status, stderr }).toEqual({
      status: expected,
      stderr: expect.stringMatching(/^Error: Cannot start: .*\nHint: .*ulimit -v/),
    });
  });
});
