import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runNono, runProgram } from '../support/nono.ts';
import { BUILT_IN, profilePath, write } from '../support/profiles.ts';
import { needCommands, needOtherUser, PYTHON } from '../support/tools.ts';
import { createWorld, type World } from '../support/world.ts';

describe('what is wrong is told with file, line and the way out', () => {
  test.for([
    { what: 'an unknown key', text: '[filesystem]\n\nalow = []', says: 'p.toml:3: unknown key "alow", did you mean "allow"?' },
    { what: 'an unknown table', text: '[netwrok]', says: 'p.toml:1: unknown key "netwrok", did you mean "network"?' },
    {
      what: 'a key of another table',
      text: '[workdir]\nblock = true',
      says: 'p.toml:2: unknown key "block", it belongs to [network]',
    },
    { what: 'a wrong type', text: 'ask = 1', says: 'p.toml:1: cannot use 1 for "ask": expected true or false' },
    {
      what: 'a wrong value',
      text: '[workdir]\naccess = "all"',
      says: 'p.toml:2: cannot use "all" for "access": expected "none", "read", "write" or "readwrite"',
    },
    {
      what: 'a relative path',
      text: '[filesystem]\nread = ["~/a", "b"]',
      says: 'p.toml:2: cannot use "b" in "read": expected a list of paths',
    },
    { what: 'no TOML', text: 'a = = 1', says: 'p.toml:1: expected a value' },
    { what: 'a key twice', text: 'ask = true\nask = true', says: 'p.toml:2: "ask" is given a second time, first in line 1' },
    {
      what: 'a missing base',
      text: '\nextends = "nod-dev"',
      says: 'p.toml:2: there is no profile "nod-dev" [E_CONFIG]\nHint: Did you mean node-dev?',
    },
    { what: 'a missing file', text: 'extends = "./x.toml"', says: 'p.toml:1: there is no file "./x.toml"' },
    { what: 'a cycle', text: 'extends = "./p.toml"', says: 'p.toml:1: the profile extends itself: ' },
    {
      what: 'a variable allowed and denied',
      text: '[environment]\nallow_vars = ["A"]\ndeny_vars = ["A"]',
      says: 'p.toml:3: "A" of "deny_vars" is also in "allow_vars" in line 2',
    },
    {
      what: 'a path as file and directory',
      text: '[filesystem]\nread = ["~/a"]\nread_file = ["~/a"]',
      says: 'p.toml:3: "~/a" of "read_file" is also in "read" in line 2',
    },
    {
      what: 'a sensitive place',
      text: '[filesystem]\nread = ["~/.ssh"]',
      says: 'p.toml:2: that is SSH keys [E_GRANT]\nHint: Leave it out, or permit it with override_deny = ["~/.ssh"]',
    },
    {
      what: 'the home directory',
      text: '[filesystem]\nallow = ["~"]',
      says: "p.toml:2: it contains ~/.nono, nono's own state, which cannot be carved out of it",
    },
    {
      what: "nono's state",
      text: '[filesystem]\nallow = ["~/.nono"]\noverride_deny = ["~/.nono"]',
      says: "nono's own state [E_GRANT]\nHint: Leave it out: no option permits this one",
    },
    {
      what: 'tracking what is not writable',
      text: '[filesystem]\nread = ["~/a"]\n[rollback]\ntrack = ["~/a"]',
      says: 'p.toml:4: the command may not write it',
    },
    {
      what: 'making what cannot be made',
      text: '[filesystem]\ncreate = ["/proc/nono-x"]',
      says: 'p.toml:2: it is inside /proc, an interface of the kernel',
    },
  ])('$what', async ({ text, says }) => {
    using world = createWorld();
    mkdirSync(join(world.home, '.ssh'));
    mkdirSync(join(world.home, 'a'));
    write(world, 'p.toml', text);

    const { status, stdout, stderr } = await runNono(world, ['run', '--profile', './p.toml', '--allow-cwd', '--', 'true']);

    expect(stderr).toContain(says);
    expect({ status, stdout }).toEqual({ status: 125, stdout: '' });
    expect(existsSync(world.state)).toBe(false);
  });

  test.for([
    {
      words: ['--profile', 'nodedev'],
      says: 'there is no profile "nodedev" [E_CONFIG]\nHint: Did you mean node-dev?',
      status: 125,
    },
    {
      words: ['--profile', 'node-dev'],
      says: 'the working directory is not shared with it [E_GRANT]\nHint: Share the working directory with --allow-cwd',
      status: 125,
    },
    { words: ['--allow-cwd', '--env', 'A B'], says: 'Cannot use --env "A B": expected NAME, or NAME=VALUE', status: 2 },
    { words: ['--allow-cwd', '--env-file', 'nowhere'], says: 'Cannot read "nowhere": it does not exist', status: 125 },
    { words: ['--allow-cwd', '--env-file', 'bad.env'], says: 'bad.env:3: expected NAME=VALUE, or NAME alone', status: 125 },
    {
      words: ['--allow-cwd', '--allow-socket', 'bad.env'],
      says: 'Cannot use --allow-socket "bad.env": it is no socket',
      status: 125,
    },
    { words: ['--allow-cwd', '--json'], says: 'Cannot use --json without --dry-run', status: 2 },
  ])('of a call: $words', async ({ words, says, status }) => {
    using world = createWorld();
    write(world, 'bad.env', 'A=1\n# no\nB C=2\n');

    const outcome = await runNono(world, ['run', ...words, '--', 'true']);

    expect(outcome.stderr).toContain(says);
    expect(outcome).toMatchObject({ status, stdout: '' });
  });
});

describe('nono profile and nono config', () => {
  test('list, show, make and check', async () => {
    using world = createWorld();

    const listed = await runNono(world, ['profile', 'list', '--json']);
    const made = await runNono(world, ['profile', 'init', 'mine', '--extends', 'node-dev']);
    const again = await runNono(world, ['profile', 'init', 'mine']);
    const checked = await runNono(world, ['profile', 'validate', '--json']);
    const shown = await runNono(world, ['profile', 'show', 'mine']);
    const used = await runNono(world, ['run', '--profile', 'mine', '--allow-cwd', '--', 'true']);

    const { profiles } = JSON.parse(listed.stdout) as { profiles: { name: string }[] };
    expect(profiles.map(({ name }) => name).toSorted()).toEqual(BUILT_IN.toSorted());
    expect(made).toMatchObject({ status: 0, stdout: `${world.home}/.config/nono/profiles/mine.toml\n`, stderr: '' });
    expect(again).toMatchObject({ status: 1, stderr: expect.stringContaining('it exists [E_EXISTS]') as string });
    expect(JSON.parse(checked.stdout)).toMatchObject({ ok: true });
    expect(shown.stdout).toMatch(/^# mine, made of built-in\/node-dev\.toml, .*mine\.toml\n/);
    expect(used).toMatchObject({ status: 0, stdout: '', stderr: '' });
  });

  test('make a configuration that is read as the defaults', async () => {
    using world = createWorld();

    const before = await runNono(world, ['config', 'show', '--json']);
    const made = await runNono(world, ['config', 'init']);
    const path = await runNono(world, ['config', 'path']);
    const valid = await runNono(world, ['config', 'validate']);
    const file = join(world.home, '.config/nono/config.toml');
    // Every example of the template is a value that the key may have.
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll(/^# ([a-z_]+ = )/gm, '$1'));
    const uncommented = await runNono(world, ['config', 'show', '--json']);

    expect(made).toMatchObject({ status: 0, stdout: `${file}\n` });
    expect(path.stdout).toBe(`${file}\n`);
    expect(valid.stdout).toBe(`${file}: ok\n`);
    const own = (JSON.parse(uncommented.stdout) as { own: unknown[] }).own;
    expect(own.length).toBeGreaterThan(7);
    expect((JSON.parse(before.stdout) as { own: unknown[] }).own).toEqual([]);
  });

  test('make a profile that extends another one by its path, wherever the two are', async () => {
    using world = createWorld();
    mkdirSync(join(world.project, 'sub'));
    write(world, 'base$&.toml', '[filesystem]\nread = ["/srv/base"]\n');

    for (const name of ['mine', './beside.toml', './sub/below.toml', '~/at-home.toml']) {
      expect(await runNono(world, ['profile', 'init', name, '--extends', './base$&.toml'])).toMatchObject({
        status: 0,
        stderr: '',
      });
      expect((await runNono(world, ['profile', 'show', name])).stdout).toContain('"/srv/base"');
    }
  });

  test.for(['/', '.'])('make no profile where %s is', async (path) => {
    using world = createWorld();

    const { status, stderr } = await runNono(world, ['profile', 'init', path === '.' ? './.' : path]);

    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: expect.stringMatching(/^Error: Cannot write ".*": it exists \[E_EXISTS\]\nHint: /),
    });
  });

  test('say where no configuration can be made', async () => {
    using world = createWorld();

    const { status, stderr } = await runNono(world, ['config', 'init'], { environment: { XDG_CONFIG_HOME: '/proc/self' } });

    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringMatching(/^Error: Cannot write ".*" \[E_OUTPUT\]\n/) });
  });

  test('validate a configuration for people and for scripts', async () => {
    using world = createWorld();
    const file = '~/.config/nono/config.toml';
    const validate = async () => {
      const { status, stdout, stderr } = await runNono(world, ['config', 'validate', '--json']);
      return { status, stderr, document: JSON.parse(stdout) as unknown };
    };
    const path = join(world.home, '.config/nono/config.toml');
    const good = { status: 0, stderr: '', document: { ok: true, path, exists: false, problems: [] } };

    expect(await validate()).toEqual(good);
    write(world, file, '[ui]\n');
    expect(await validate()).toEqual({ ...good, document: { ...good.document, exists: true } });
    write(world, file, '[ui]\ncolour = 1\n[history]\nscrollback_lines = -1\n');
    const problems = [
      `${path}:2: unknown key "colour"`,
      `${path}:4: cannot use -1 for "scrollback_lines": expected a whole number from 0 to 100000`,
    ];
    expect(await validate()).toEqual({ status: 1, stderr: '', document: { ok: false, path, exists: true, problems } });
    const { status, stderr } = await runNono(world, ['config', 'validate']);
    expect({ status, stderr }).toEqual({ status: 1, stderr: `Error: ${problems.join('\n')} [E_CONFIG]\n` });
  });

  test('doctor finds what is wrong, setup what the kernel has', async () => {
    using world = createWorld();
    write(world, '~/.config/nono/config.toml', '[ui]\ncolour = 1\n');
    write(world, profilePath('bad'), 'ask = 2\n');

    const setup = await runNono(world, ['setup', '--check-only', '--json']);
    const doctor = await runNono(world, ['doctor']);

    expect(JSON.parse(setup.stdout)).toMatchObject({ ok: true });
    expect(setup.status).toBe(0);
    expect(doctor.status).toBe(1);
    expect(doctor.stdout).toMatch(/^missing +configuration +.*config\.toml:2: unknown key "colour"$/m);
    expect(doctor.stdout).toMatch(/^missing +profile bad +.*bad\.toml:1: cannot use 2 for "ask"/m);
    expect(existsSync(world.state)).toBe(false);
  });
});

test('a configuration in a directory that lets nobody look is named, and is no bug', async (context) => {
  needOtherUser(context);
  using world = createWorld({ ordinaryUser: true });
  const closed = join(world.home, 'closed');
  mkdirSync(closed, { mode: 0 });
  const environment = { XDG_CONFIG_HOME: join(closed, 'x') };
  for (const words of [
    ['run', '--allow-cwd', '--', 'true'],
    ['wrap', '--allow-cwd', '--', 'true'],
    ['why', '/etc/passwd'],
    ['config', 'validate'],
  ]) {
    const { stderr } = await runNono(world, words, { environment });
    expect({ words, stderr }).toEqual({
      words,
      stderr: expect.stringMatching(/^Error: Cannot read ".*\/closed\/x\/nono\/.*": EACCES \[E_CONFIG\]\n/),
    });
  }
});

/** Runs a command to which a call answers what it answers where a file system lacks something: by a filter, as seccomp(2) takes it. */
const FAILING = `
import ctypes, os, struct, sys
call, errno = {"flock": ((73, 32), 37), "bind": ((49, 200), 1)}[sys.argv.pop(1)]
call = call[os.uname().machine == "aarch64"]
steps = [(0x20, 0, 0, 0), (0x15, 0, 1, call), (0x06, 0, 0, 0x50000 | errno), (0x06, 0, 0, 0x7fff0000)]
program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
filter = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(steps), ctypes.addressof(program)))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, filter, 0, 0) == 0, ctypes.get_errno()
os.execv(sys.argv[1], sys.argv[1:])
`;

test('a state directory on a file system without locks is named as that, by doctor before there is one', async (context) => {
  needCommands(context, PYTHON);
  using world = createWorld();
  const without = (...words: readonly string[]) =>
    runProgram(world, [PYTHON, '-c', FAILING, 'flock', world.executable, ...words]);
  const reason = "Cannot go on: the file system of nono's own state has no locks";
  const { stdout, status } = await without('doctor', '--json');
  const { checks } = JSON.parse(stdout) as { readonly checks: readonly Readonly<Record<string, string>>[] };
  expect(checks.find(({ name }) => name === 'state directory')).toMatchObject({ status: 'missing', detail: reason });
  expect(status).toBe(1);
  expect(existsSync(world.state)).toBe(false);

  for (const options of [[], ['--detached'], ['--rollback']]) {
    const run = await without('run', ...options, '--allow-cwd', '--', 'true');
    expect(run).toMatchObject({ status: 125, stderr: expect.stringMatching(`^Error: ${reason} \\[E_STATE\\]\n`) });
  }
});

test('a state directory on a file system without sockets is named as that, and runs without a terminal', async (context) => {
  needCommands(context, PYTHON);
  using world = createWorld();
  const without = (...words: readonly string[]) => runProgram(world, [PYTHON, '-c', FAILING, 'bind', world.executable, ...words]);
  const { stdout, status } = await without('doctor', '--json');
  const { checks } = JSON.parse(stdout) as { readonly checks: readonly Readonly<Record<string, string>>[] };
  const detail = `none can be made in ${world.home} (EPERM): no run on a terminal, no --detached`;
  expect(checks.find(({ name }) => name === 'sockets')).toMatchObject({ status: 'limited', detail });
  expect(status).toBe(0);
  expect(readdirSync(world.home)).toEqual([]);

  expect(await without('run', '--detached', '--allow-cwd', '--', 'true')).toMatchObject({
    status: 125,
    stderr: expect.stringMatching(/^Error: Cannot go on: the file system of nono's own state has no sockets \[E_STATE\]\n/),
  });
  expect(readdirSync(join(world.state, 'sessions'))).toEqual([]);
  expect(await without('run', '--allow-cwd', '--', 'echo', 'ran')).toMatchObject({ status: 0, stdout: 'ran\n' });
});

describe('doctor, about a state directory that nothing can be written in', () => {
  const stateCheck = async (world: World) => {
    const { stdout, status } = await runNono(world, ['doctor', '--json']);
    const { checks } = JSON.parse(stdout) as { readonly checks: readonly Readonly<Record<string, string>>[] };
    return { ...checks.find(({ name }) => name === 'state directory'), exitStatus: status };
  };

  test.for(['', 'sessions', 'rollbacks'])('says so, be it that of "%s"', async (name, context) => {
    needOtherUser(context);
    using world = createWorld({ ordinaryUser: true });
    await runNono(world, ['run', '--rollback', '--allow-cwd', '--', 'true']);
    const directory = join(world.state, name);
    const before = readdirSync(directory);
    expect(await stateCheck(world)).toMatchObject({ status: 'ok', detail: world.state, exitStatus: 0 });
    expect(readdirSync(directory)).toEqual(before);

    chmodSync(directory, 0o500);
    const detail = `nothing can be written in ${directory} (EACCES)`;
    expect(await stateCheck(world)).toMatchObject({ status: 'missing', detail, exitStatus: 1 });
  });

  test('says so before there is one', async (context) => {
    needOtherUser(context);
    using world = createWorld({ ordinaryUser: true });
    expect(await stateCheck(world)).toMatchObject({ status: 'ok', detail: `${world.state}, made when it is needed` });

    chmodSync(world.home, 0o500);
    const detail = `nothing can be written in ${world.home} (EACCES)`;
    expect(await stateCheck(world)).toMatchObject({ status: 'missing', detail, exitStatus: 1 });
  });
});

test('a home that is not there, or a state directory that nobody may look at, keeps nobody from asking what works here', async (context) => {
  needOtherUser(context);
  using world = createWorld({ ordinaryUser: true });
  mkdirSync(join(world.home, 'closed'), { mode: 0 });
  for (const environment of [{ HOME: join(world.home, 'missing/home') }, { NONO_HOME: join(world.home, 'closed/state') }]) {
    const { stdout, stderr } = await runNono(world, ['doctor', '--json'], { environment });
    expect({ environment, stderr }).toEqual({ environment, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({
      checks: expect.arrayContaining([
        expect.objectContaining({ name: 'disk' }),
        expect.objectContaining({ name: 'a sandbox, tried', status: 'ok' }),
      ]),
    });
  }
});
