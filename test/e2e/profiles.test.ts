import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runNono } from '../support/nono.ts';
import { openTerminal } from '../support/tmux.ts';
import { needCommands, needOtherUser } from '../support/tools.ts';
import { createWorld, type World } from '../support/world.ts';

const BUILT_IN = ['default', 'node-dev', 'python-dev', 'rust-dev', 'go-dev', 'claude-code', 'codex', 'opencode', 'gemini'];

/** Writes a file; `~/` is the home, anything else is in the project. */
function write(world: World, name: string, text: string): void {
  const path = name.startsWith('~/') ? join(world.home, name.slice(2)) : join(world.project, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

function profilePath(name: string): string {
  return `~/.config/nono/profiles/${name}.toml`;
}

describe('a profile', () => {
  test('shares, makes, sets and withholds what it says', async () => {
    using world = createWorld();
    write(world, '~/data/f', 'data\n');
    write(world, '~/other/f', 'other\n');
    write(
      world,
      profilePath('mine'),
      `[workdir]
access = "read"
[filesystem]
read = ["~/data", "~/nowhere"]
create = ["~/.cache/tool/deep"]
create_file = { "~/.tool.json" = "{}" }
[environment]
allow_vars = ["TOOL_*"]
deny_vars = ["EDITOR"]
set_vars = { TOOL_HOME = "$HOME/.cache/tool", SET = "1" }
`,
    );
    const script = `cat ~/data/f ~/.tool.json; echo; cat ~/other/f; echo x > ~/data/f; echo x > here; echo made > ~/.cache/tool/deep/f; echo '{"a":1}' > ~/.tool.json; env | grep -E '^(TOOL|SET|EDITOR|X_)' | sort`;
    const environment = { TOOL_API_KEY: 'k', X_TOKEN: 't', EDITOR: 'vi' };

    const words = ['run', '--profile', 'mine', '--allow-cwd', '-v', '--env', 'SET=2', '--', 'sh', '-c', script];
    const { stdout, stderr } = await runNono(world, words, { environment });

    expect(stdout).toBe(`data\n{}\nSET=2\nTOOL_API_KEY=k\nTOOL_HOME=${world.home}/.cache/tool\n`);
    expect(stderr).toContain(
      `[nono] Skipped ${world.home}/nowhere of ${world.home}/.config/nono/profiles/mine.toml:4: it does not exist\n`,
    );
    expect(stderr).toContain('[nono] Withheld from the command: EDITOR, X_TOKEN (pass one with --env NAME)\n');
    expect(stderr.match(/[Pp]ermission denied/g)).toHaveLength(3);
    expect(readFileSync(join(world.home, '.cache/tool/deep/f'), 'utf8')).toBe('made\n');
    expect(readFileSync(join(world.home, '.tool.json'), 'utf8')).toBe('{"a":1}\n');
    expect(statSync(join(world.home, '.cache/tool')).mode & 0o777).toBe(0o700);
    expect(statSync(join(world.home, '.tool.json')).mode & 0o777).toBe(0o600);
    expect(existsSync(join(world.project, 'here'))).toBe(false);
  });

  test('is in the record, in ps and in the manifest, and tracks only what it wants tracked', async () => {
    using world = createWorld();
    write(world, '~/tracked/f', '1\n');
    write(world, '~/state/f', '1\n');
    write(world, profilePath('mine'), '[filesystem]\nallow = ["~/tracked", "~/state"]\n[rollback]\ntrack = ["~/tracked"]\n');
    const script = 'echo 2 > ~/tracked/f; echo 2 > ~/state/f; echo 2 > f';

    const ran = await runNono(world, ['run', '--profile', 'mine', '--rollback', '--allow-cwd', '--', 'sh', '-c', script]);
    const listed = await runNono(world, ['ps', '--all', '--json']);
    const shown = await runNono(world, ['rollback', 'show', 'latest', '--json']);

    expect(ran.status).toBe(0);
    expect(JSON.parse(listed.stdout)).toMatchObject([{ profile: 'mine' }]);
    const document = JSON.parse(shown.stdout) as { tracked_paths: string[]; profile: string; changes: { path: string }[] };
    expect(document.profile).toBe('mine');
    expect(document.tracked_paths.toSorted()).toEqual([join(world.home, 'tracked'), world.project].toSorted());
    expect(document.changes.flatMap(({ path }) => (path.endsWith('/f') ? [path] : [])).toSorted()).toEqual(
      [join(world.home, 'tracked/f'), join(world.project, 'f')].toSorted(),
    );
  });

  test('that wants what cannot be made says so and runs all the same', async (context) => {
    needOtherUser(context);
    using world = createWorld({ ordinaryUser: true });
    const words = ['wrap', '--profile', 'go-dev', '--allow-cwd', '--', 'echo', 'ran'];

    const { status, stdout, stderr } = await runNono(world, words, { environment: { HOME: '/nonexistent' } });

    expect({ status, stdout }).toEqual({ status: 0, stdout: 'ran\n' });
    expect(stderr).toMatch(/^\[nono\] Cannot make \/nonexistent, which the profile wants: E[A-Z]+\n$/);
  });

  test('blocks the network, makes nothing for a dry run, and is shown by it', async () => {
    using world = createWorld();
    write(world, 'p.toml', '[network]\nblock = true\n[filesystem]\ncreate = ["~/.cache/x"]\n');

    const { stdout, stderr, status } = await runNono(
      world,
      ['run', '--dry-run', '--profile', './p.toml', '--json', '--', 'true'],
      {
        environment: { A_TOKEN: 'hunter2' },
      },
    );

    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    expect(JSON.parse(stdout)).toMatchObject({
      profile: './p.toml',
      network: 'blocked',
      missing_directories: [join(world.home, '.cache'), join(world.home, '.cache/x')],
      withheld: ['A_TOKEN'],
      question: null,
    });
    expect(stdout).not.toContain('hunter2');
    expect(existsSync(join(world.home, '.cache'))).toBe(false);
    expect(existsSync(world.state)).toBe(false);
  });
});

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

describe('the environment', () => {
  test('takes --env and --env-file as docker does, the command line first', async () => {
    using world = createWorld();
    write(world, 'a.env', '# comment\nA=1\nB="quoted"\n\nC_TOKEN\nEMPTY=\nE=x=y\n');
    const environment = { C_TOKEN: 'c', D_SECRET: 'd', UNRELATED_KEY: 'u' };
    const words = [
      'run',
      '--allow-cwd',
      '--env-file',
      'a.env',
      '--env',
      'A=2',
      '--env',
      'D_SECRET',
      '--env',
      'MISSING',
      '--',
      'env',
    ];

    const { stdout, stderr } = await runNono(world, words, { environment });

    const lines = stdout.split('\n').filter((line) => /^(?:[A-E]|C_TOKEN|D_SECRET|EMPTY|UNRELATED_KEY|MISSING)=/.test(line));
    expect(lines.toSorted()).toEqual(['A=2', 'B="quoted"', 'C_TOKEN=c', 'D_SECRET=d', 'E=x=y', 'EMPTY=']);
    expect(stderr).toBe(
      '[nono] The variable MISSING is not set here: nothing to pass\n[nono] Withheld from the command: UNRELATED_KEY (pass one with --env NAME)\n',
    );
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

describe('the first five minutes of an ordinary user with', () => {
  test.for(BUILT_IN)('%s', async (profile, context) => {
    needOtherUser(context);
    needCommands(context, 'tmux');
    using world = createWorld({ ordinaryUser: true });
    await using terminal = await openTerminal(world, { columns: 220, rows: 50 });
    const type = async (text: string): Promise<void> => {
      await terminal.type(text);
      await terminal.press('Enter');
    };

    await type(`${world.executable} profile show ${profile} | grep -c description; echo shown`);
    await terminal.waitFor(/^1\nshown$/m);
    await type(
      `clear; ${world.executable} run --profile ${profile} -- sh -c 'echo made > f; cat f; cat ~/.profile; touch ~/x'; echo ended $?`,
    );
    const whom = profile === 'default' ? 'the command' : `the command \\(profile ${profile}\\)`;
    await terminal.waitFor(new RegExp(`Share .*project with ${whom}, for reading and writing\\? \\[y/N\\]`));
    await terminal.press('n', 'Enter');
    await terminal.waitFor(/not shared with it|nothing is shared with it/);
    await terminal.waitFor(/ended 125/);
    await type(
      `clear; ${world.executable} run --profile ${profile} --allow-cwd -- sh -c 'echo made > f; cat f; touch ~/x'; echo ended $?`,
    );
    await terminal.waitFor(/^made$/m);
    const screen = await terminal.waitFor(/ended 1$/m);

    expect(screen).toMatch(/touch: .*x.*: Permission denied/);
    expect(existsSync(join(world.home, 'x'))).toBe(false);
  });
});
