import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runNono, runProgram, startNono } from '../support/nono.ts';
import { waitFor } from '../support/wait.ts';
import { createWorld, type World } from '../support/world.ts';

interface Record {
  readonly status: string;
  readonly exit_code: number | null;
  readonly signal: string | null;
  readonly [field: string]: unknown;
}

function records(world: World): readonly Record[] {
  const directory = join(world.state, 'sessions');
  const names = readdirSync(directory).filter((name) => name.endsWith('.json'));
  return names.map((name) => JSON.parse(readFileSync(join(directory, name), 'utf8')) as Record);
}

describe.for(['run', 'wrap'])('nono %s', (verb) => {
  test.for([
    { what: 'the status of the command', command: ['sh', '-c', 'exit 7'], status: 7 },
    { what: '128 + N for a signal', command: ['sh', '-c', 'kill -TERM $$'], status: 143 },
    { what: '127 for a command that is not there', command: ['no-such-command'], status: 127 },
    { what: '127 for a path that is not there', command: ['./no-such-command'], status: 127 },
    { what: '126 for a file that is not executable', command: ['./plain'], status: 126 },
    { what: '126 for a directory', command: ['./'], status: 126 },
    { what: '126 for a missing interpreter', command: ['./orphan'], status: 126 },
    { what: 'the status of a script without #!', command: ['./bare'], status: 5 },
  ])('gives $what', async ({ command, status }) => {
    using world = createWorld();
    writeFileSync(join(world.project, 'plain'), 'x');
    writeFileSync(join(world.project, 'orphan'), '#!/no/such/interpreter\n');
    writeFileSync(join(world.project, 'bare'), 'exit 5\n');
    for (const name of ['orphan', 'bare']) chmodSync(join(world.project, name), 0o755);

    const outcome = await runNono(world, [verb, '--allow-cwd', '--', ...command]);

    // As a process, wrap is the command: a signal ends it as one.
    expect(outcome.status ?? 128 + 15).toBe(status);
    if (status > 125 && status < 128) expect(outcome.stderr).toMatch(/^Error: Cannot run ".*: .* \[E_.*\]\nHint: .*\n$/);
  });

  test('lets the command rename and link between directories of one grant', async () => {
    using world = createWorld();
    for (const name of ['from', 'from/tree', 'to']) mkdirSync(join(world.project, name));
    writeFileSync(join(world.project, 'from/file'), 'x');
    const { ino } = statSync(join(world.project, 'from/tree'));

    const outcome = await runNono(world, [verb, '--allow-cwd', '--', 'sh', '-c', 'ln from/file to/file && mv from/tree to']);

    expect(outcome).toMatchObject({ status: 0, stderr: '' });
    expect(statSync(join(world.project, 'to/file')).nlink).toBe(2);
    // Where it was copied it is another one.
    expect(statSync(join(world.project, 'to/tree')).ino).toBe(ino);
  });

  test.for([
    { input: 'no grant and no terminal', words: [], stderr: /nothing is shared[^]*--allow-cwd/ },
    {
      input: 'a grant that does not exist',
      words: ['--allow', 'nowhere'],
      stderr: /--allow "nowhere": it does not exist[^]*mkdir/,
    },
    { input: 'a ~ that the shell has left', words: ['--allow=~/data'], stderr: /--allow "~\/data": it does not exist[^]*\$HOME/ },
    { input: 'a file for --allow', words: ['--allow', 'file'], stderr: /not a directory[^]*--allow-file/ },
    { input: 'a directory for --read-file', words: ['--read-file', '.'], stderr: /is a directory[^]*--read / },
    { input: "nono's state", words: ['--read', '../home/.nono'], stderr: /nono's own state/ },
    { input: "a grant that contains nono's state", words: ['--allow', '../home'], stderr: /contains ~\/\.nono/ },
    { input: 'the root directory', words: ['--read', '/'], stderr: /contains/ },
    { input: 'a sensitive place', words: ['--read', '../home/.ssh'], stderr: /SSH keys[^]*--override-deny/ },
    { input: 'a link to a sensitive place', words: ['--read', 'keys'], stderr: /SSH keys/ },
    { input: 'what is inside a sensitive place', words: ['--read-file', '../home/.ssh/id'], stderr: /inside ~\/\.ssh/ },
    { input: 'writing to the kernel', words: ['--allow', '/proc'], stderr: /interface of the kernel/ },
  ])('refuses $input and changes nothing', async ({ words, stderr }) => {
    using world = createWorld();
    mkdirSync(join(world.home, '.ssh'));
    writeFileSync(join(world.home, '.ssh/id'), 'secret');
    writeFileSync(join(world.project, 'file'), '');
    symlinkSync('../home/.ssh', join(world.project, 'keys'));
    mkdirSync(world.state, { mode: 0o700 });

    const outcome = await runNono(world, [verb, ...words, '--', 'touch', 'proof']);

    expect(outcome).toMatchObject({ status: 125, stdout: '' });
    expect(outcome.stderr).toMatch(stderr);
    expect(readdirSync(world.project).toSorted()).toEqual(['file', 'keys']);
    expect(readdirSync(world.state)).toEqual([]);
  });

  test('refuses a working directory that has been removed', async () => {
    using world = createWorld();
    const script = `mkdir gone; cd gone; rmdir ../gone; exec "$0" ${verb} --allow-cwd -- true`;

    const { status, stderr } = await runProgram(world, ['sh', '-c', script, world.executable]);

    // The runtime itself finds out before a line of nono runs, so that the status is not nono's.
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/working directory (?:was deleted|has been removed)[^]*(?:cd into|Change to)/);
  });
});

describe('nono run', () => {
  test.for([
    {
      state: 'that others can use',
      make: (path: string) => {
        mkdirSync(path);
        chmodSync(path, 0o777);
      },
      hint: /chmod 700/,
    },
    { state: 'that is a link', make: (path: string) => symlinkSync('project', path), hint: /symbolic link/ },
    { state: 'that is a file', make: (path: string) => writeFileSync(path, ''), hint: /mv / },
  ])('refuses a state directory $state', async ({ make, hint }) => {
    using world = createWorld();
    make(world.state);

    const { status, stderr } = await runNono(world, ['run', '--allow-cwd', '--', 'true']);

    expect(status).toBe(125);
    expect(stderr).toMatch(hint);
  });

  test('keeps a record from before the start until after the end', async () => {
    using world = createWorld();
    const running = startNono(world, ['run', '--name', 'probe', '--allow-cwd', '--', 'sh', '-c', 'echo up; read line; exit 4']);
    running.child.stdin?.end();
    const { status } = await running.ended;

    expect(status).toBe(4);
    const [record] = records(world);
    expect(record).toMatchObject({
      format: 1,
      name: 'probe',
      status: 'exited',
      exit_code: 4,
      signal: null,
      workdir: world.project,
      command: ['sh', '-c', 'echo up; read line; exit 4'],
      network: 'allowed',
      rollback_session: null,
    });
    const [name = ''] = readdirSync(join(world.state, 'sessions'));
    expect(statSync(join(world.state, 'sessions', name)).mode & 0o777).toBe(0o600);
    expect(statSync(join(world.state, 'sessions')).mode & 0o777).toBe(0o700);
  });

  test('shows a running session, refuses its name to another, and passes SIGTERM on', async () => {
    using world = createWorld();
    const script = 'trap "echo got; exit 9" TERM; echo up; while :; do sleep 0.05; done';
    const running = startNono(world, ['run', '--name', 'mine', '--allow-cwd', '--', 'sh', '-c', script]);
    await waitFor('the command', () => running.stdout() === 'up\n');
    await waitFor('the record', () => records(world)[0]?.status === 'running');

    const second = await runNono(world, ['run', '--name', 'mine', '--allow-cwd', '--', 'true']);
    running.child.kill('SIGTERM');
    const first = await running.ended;

    expect(second.status).toBe(125);
    expect(second.stderr).toMatch(/a live session has that name/);
    expect(first).toMatchObject({ status: 9, stdout: 'up\ngot\n' });
    expect(records(world)).toHaveLength(1);
  });

  test('leaves neither a record nor a temporary directory of a command that could not start', async () => {
    using world = createWorld();
    writeFileSync(join(world.project, 'orphan'), '#!/usr\n', { mode: 0o755 });

    const { status } = await runNono(world, ['run', '--allow-cwd', '--', './orphan']);

    expect(status).toBe(126);
    expect(readdirSync(join(world.state, 'sessions'))).toEqual([]);
  });

  test('passes the streams through byte for byte', async () => {
    using world = createWorld();
    const input = Buffer.from(Array.from({ length: 300_000 }, (_, at) => (at * 7) % 256));
    writeFileSync(join(world.project, 'in'), input);

    await runProgram(world, ['sh', '-c', '"$0" run --allow-cwd -- cat < in > out 2> err', world.executable]);

    expect(readFileSync(join(world.project, 'out')).equals(input)).toBe(true);
    expect(readFileSync(join(world.project, 'err'), 'utf8')).toBe('');
  });

  test('is ended by a reader that goes away as the command alone would be', async () => {
    using world = createWorld();

    const { stdout } = await runProgram(world, ['sh', '-c', '"$0" run --allow-cwd -- yes | head -1', world.executable]);

    expect(stdout).toBe('y\n');
  });

  test('removes a temporary directory whatever the command left in it', async () => {
    using world = createWorld();
    writeFileSync(join(world.project, 'precious'), 'x');
    const script =
      'cd "$TMPDIR"; echo "$PWD"; mkdir -p a/b/c locked; ln -s "$OLDPWD" a/out; echo x > locked/f; chmod 0 locked; mkfifo pipe';

    const { stdout } = await runNono(world, ['run', '--allow-cwd', '--', 'sh', '-c', script]);

    expect(() => statSync(stdout.trim())).toThrow(/ENOENT/);
    expect(readFileSync(join(world.project, 'precious'), 'utf8')).toBe('x');
    rmSync(join(world.project, 'precious'));
  });
});
