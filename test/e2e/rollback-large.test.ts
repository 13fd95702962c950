import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runNono, runProgram } from '../support/nono.ts';
import { listSessions, rollback, runTracked } from '../support/rollback.ts';
import { needCommands } from '../support/tools.ts';
import { dumpTree } from '../support/tree.ts';
import { waitFor } from '../support/wait.ts';
import { createWorld, type World } from '../support/world.ts';

const found = (...words: readonly string[]) => spawnSync('pgrep', words, { encoding: 'utf8' }).stdout.split('\n').slice(0, -1);

/** A run in this world's project, and not that of another test, and the process that takes a snapshot for it. */
function takingIn({ executable, project }: World): { readonly run: number; readonly taker: number } | undefined {
  const isOurs = (pid: string) => fs.existsSync(`/proc/${pid}/cwd`) && fs.readlinkSync(`/proc/${pid}/cwd`) === project;
  const [run] = found('-f', `^${executable} run`).filter(isOurs);
  const [taker] = run === undefined ? [] : found('-P', run, '-f', '__take');
  return taker === undefined ? undefined : { run: Number(run), taker: Number(taker) };
}

/** The same for a session with a supervisor of its own. */
function takingInSession(world: World) {
  const [record] = existing(join(world.state, 'sessions')).filter((name) => /^[0-9a-f]{6}\.json$/.test(name));
  if (record === undefined) return undefined;
  const { supervisor_pid: supervisor } = JSON.parse(fs.readFileSync(join(world.state, 'sessions', record), 'utf8'));
  const [taker] = found('-P', `${supervisor}`, '-f', '__take');
  const [guardian] = found('-P', `${supervisor}`, '-f', '__guard');
  const [starter] = found('-f', `^${world.executable} run --detached`).filter(
    (pid) => fs.existsSync(`/proc/${pid}/cwd`) && fs.readlinkSync(`/proc/${pid}/cwd`) === world.project,
  );
  if (taker === undefined || guardian === undefined || starter === undefined) return undefined;
  return { id: record.slice(0, 6), supervisor, taker: Number(taker), guardian: Number(guardian), starter: Number(starter) };
}

function existing(directory: string): readonly string[] {
  return fs.existsSync(directory) ? fs.readdirSync(directory) : [];
}

/** Takes a baseline so slowly that it is found at work. */
function runSlowly(world: World, ...options: readonly string[]) {
  const slow = ['-f', '-qq', '-o', '/dev/null', '-e', 'trace=openat2', '-e', 'inject=openat2:delay_enter=2000:when=300+'];
  const words = [world.executable, 'run', ...options, '--rollback', '--allow-cwd', '--', 'touch', 'proof'];
  return runProgram(world, ['strace', ...slow, ...words]);
}

/** More names than a snapshot takes in nono's own process, in directories of several sizes, with some of every kind. */
function makeLargeTree({ project }: World): void {
  for (let directory = 0; directory < 40; directory++) {
    const path = join(project, `d${directory}`, 'e');
    fs.mkdirSync(path, { recursive: true });
    for (let count = 0; count < 2 * directory + 20; count++)
      fs.writeFileSync(join(path, `f${count}`), `${directory} ${count % 9}\n`);
    fs.symlinkSync(`../d${directory}`, join(path, 'link'));
  }
  fs.writeFileSync(join(project, '.gitignore'), '*.log\n/d3/\n');
  fs.writeFileSync(join(project, 'd1', 'x.log'), 'ignored');
  fs.linkSync(join(project, 'd5/e/f1'), join(project, 'd6/hard'));
  fs.writeFileSync(join(project, 'large'), Buffer.alloc(3_000_000, 'large'));
}

const EDITS =
  'rm -r d7 d3[0-9]; echo x > d8/e/f2; chmod 600 d9/e/f3; mkdir -p d50/n; for i in $(seq 400); do echo $i > d50/n/$i; done';

describe('a tree of thousands of files', () => {
  test('is what it was after restore, with the rules that its ignore files give', async () => {
    using world = createWorld();
    makeLargeTree(world);
    const before = dumpTree(world.project);
    expect(await runTracked(world, EDITS)).toMatchObject({ status: 0 });
    const [session] = await listSessions(world);
    expect(session?.['status']).toBe('exited');
    const shown = await rollback(world, ['show', 'latest']);
    expect(shown.stdout).toContain('d8/e/f2');
    expect(shown.stdout).not.toContain('x.log');
    expect(await rollback(world, ['verify', 'latest'])).toMatchObject({ status: 0 });
    expect(await rollback(world, ['restore', 'latest'])).toMatchObject({ status: 0 });
    expect(dumpTree(world.project)).toEqual(before);
    // A second session takes everything over from the first.
    expect(await runTracked(world, EDITS)).toMatchObject({ status: 0 });
    expect(await rollback(world, ['restore', 'latest'])).toMatchObject({ status: 0 });
    expect(dumpTree(world.project)).toEqual(before);
    expect(await rollback(world, ['verify', '--all'])).toMatchObject({ status: 0 });
  });

  test('is whole in a second session where the first has lost contents: those are read again', async () => {
    using world = createWorld();
    makeLargeTree(world);
    const before = dumpTree(world.project);
    expect(await runTracked(world, 'true')).toMatchObject({ status: 0 });
    const rollbacks = join(world.state, 'rollbacks');
    const [first = ''] = fs.readdirSync(rollbacks);
    const objects = (id: string) => fs.readdirSync(join(rollbacks, id, 'objects'), { recursive: true, encoding: 'utf8' });
    const stored = objects(first).filter((path) => path.includes('/'));
    for (const [index, path] of stored.entries()) if (index % 3 === 0) fs.rmSync(join(rollbacks, first, 'objects', path));

    expect(await runTracked(world, EDITS)).toMatchObject({ status: 0 });

    const second = fs.readdirSync(rollbacks).find((id) => id !== first) ?? '';
    expect(objects(second)).toEqual(expect.arrayContaining(stored));
    expect(await rollback(world, ['verify', second])).toMatchObject({ status: 0 });
    expect(await rollback(world, ['restore', second])).toMatchObject({ status: 0 });
    expect(dumpTree(world.project)).toEqual(before);
  });

  test('SIGKILL of the process that takes the snapshot: the command is not started, nothing is left', async (context) => {
    needCommands(context, 'strace', 'pgrep');
    using world = createWorld();
    makeLargeTree(world);
    const before = dumpTree(world.project);
    const ended = runSlowly(world);
    process.kill((await waitFor('the process', () => takingIn(world))).taker, 'SIGKILL');
    const { status, stderr } = await ended;
    expect(stderr).toContain('Cannot take a snapshot: the process that was to take it was killed [E_SNAPSHOT]');
    expect(status).toBe(125);
    expect(dumpTree(world.project)).toEqual(before);
    expect(fs.readdirSync(join(world.state, 'rollbacks'))).toEqual([]);
  });

  test('is not waited for by who interrupts the run: the command is not started, nothing is left', async (context) => {
    needCommands(context, 'strace', 'pgrep');
    using world = createWorld();
    makeLargeTree(world);
    const before = dumpTree(world.project);
    const interrupted = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };
    for (const [signal, expected] of Object.entries(interrupted)) {
      const ended = runSlowly(world);
      const { run, taker } = await waitFor('the process', () => takingIn(world));
      process.kill(taker, 'SIGSTOP');
      process.kill(run, signal);
      const { status, stderr } = await ended;
      expect(stderr).toBe(`[nono] ${signal} came before the command was started: nothing was run\n`);
      expect(status).toBe(expected);
      expect(dumpTree(world.project)).toEqual(before);
      for (const place of ['rollbacks', 'sessions']) expect(fs.readdirSync(join(world.state, place))).toEqual([]);
    }
  });

  const ENDINGS = {
    'nono stop': ({ id }, world) => runNono(world, ['stop', id]),
    'SIGTERM of its supervisor': ({ supervisor }) => process.kill(supervisor, 'SIGTERM'),
    'SIGKILL of its guardian': ({ guardian, taker }) => {
      process.kill(guardian, 'SIGKILL');
      process.kill(taker, 'SIGCONT');
    },
    'SIGKILL of who started it': ({ starter }) => process.kill(starter, 'SIGKILL'),
  } satisfies Record<string, (session: NonNullable<ReturnType<typeof takingInSession>>, world: World) => unknown>;
  const WORDS: Partial<Record<string, string>> = {
    'SIGKILL of its guardian': 'Cannot run the command: its guardian was killed [E_SUPERVISOR]',
    'SIGKILL of who started it': '',
  };
  test.for(Object.entries(ENDINGS))(
    '%s while the baseline of a session is taken: the command is not started, nothing is left',
    async ([ending, end], context) => {
      needCommands(context, 'strace', 'pgrep');
      using world = createWorld();
      makeLargeTree(world);
      const before = dumpTree(world.project);
      const started = runSlowly(world, '--detached');
      const session = await waitFor('the processes', () => takingInSession(world));
      process.kill(session.taker, 'SIGSTOP');
      await end(session, world);
      const { stdout, stderr } = await started;
      const expected = WORDS[ending] ?? 'Cannot start the session: it was stopped before there was a command [E_STOPPED]';
      expect(stderr).toContain(expected);
      expect(stdout).toBe('');
      await waitFor('the end', () => existing(join(world.state, 'sessions')).length === 0);
      expect(fs.readdirSync(join(world.state, 'rollbacks'))).toEqual([]);
      expect(dumpTree(world.project)).toEqual(before);
    },
  );

  test('names the limit wherever in a snapshot its threads may open no more files', async () => {
    using world = createWorld();
    for (let at = 0; at < 320; at++) fs.writeFileSync(join(world.project, `${at}`), 'old\n');
    const complaints: string[] = [];
    for (let limit = 26; limit <= 40; limit++) {
      const script = `ulimit -n ${limit}; exec "$0" run --rollback --allow-cwd -- sh -c 'for file in *; do echo new >> $file; done'`;
      const { stderr } = await runProgram(world, ['sh', '-c', script, world.executable]);
      if (/Error/.test(stderr)) complaints.push(stderr);
    }
    expect(complaints.join('')).toMatch(/EMFILE\n.*Hint: .*ulimit -n/);
    expect(complaints.join('')).not.toContain('Internal error');
  });
});
