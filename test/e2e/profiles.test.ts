import { existsSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runNono } from '../support/nono.ts';
import { BUILT_IN, profilePath, write } from '../support/profiles.ts';
import { openTerminal } from '../support/tmux.ts';
import { needCommands, needOtherUser } from '../support/tools.ts';
import { createWorld } from '../support/world.ts';

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
    write(world, '~/p.toml', '[network]\nblock = true\n[filesystem]\ncreate = ["~/.cache/x"]\n');

    const { stdout, stderr, status } = await runNono(
      world,
      ['run', '--dry-run', '--profile', '~/p.toml', '--json', '--', 'true'],
      {
        environment: { A_TOKEN: 'hunter2' },
      },
    );

    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    expect(JSON.parse(stdout)).toMatchObject({
      profile: '~/p.toml',
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

describe('a profile that lies where the command may write', () => {
  const PLAIN = '[workdir]\naccess = "readwrite"\n';
  const SECRET = '[filesystem]\nread = ["~/.ssh"]\noverride_deny = ["~/.ssh"]\n';
  const READ_KEY = ['--', 'sh', '-c', `cat ~/.ssh/id; printf '${SECRET.replaceAll('\n', '\\n')}' >> agent.toml`];

  test.for(['run', 'wrap'])('opens nothing sensitive in the next %s when the command has changed it', async (verb) => {
    using world = createWorld();
    write(world, '~/.ssh/id', 'key\n');
    write(world, 'agent.toml', PLAIN);
    const words = [verb, '--profile', './agent.toml', '--allow-cwd'];

    const first = await runNono(world, [...words, ...READ_KEY]);
    const second = await runNono(world, [...words, ...READ_KEY]);
    const why = await runNono(world, ['why', '--op', 'read', '~/.ssh', '--profile', './agent.toml', '--allow-cwd']);

    expect(first).toMatchObject({ status: 0, stdout: '' });
    expect(first.stderr).toContain(
      `[nono] The command may write ${join(world.project, 'agent.toml')}, the profile that says what`,
    );
    expect(second).toMatchObject({ status: 125, stdout: '' });
    expect(second.stderr).toMatch(
      /Cannot use override_deny of the profile \.\/agent\.toml: the command may write .*\[E_GRANT\]\n/,
    );
    expect(why).toMatchObject({ status: 125, stdout: '' });
  });

  test.for([
    { shares: 'the working directory for reading alone', harmless: '[workdir]\naccess = "read"\n', options: ['--allow-cwd'] },
    { shares: 'nothing of the working directory', harmless: '[network]\nblock = true\n', options: ['--read', '../home/data'] },
  ])('opens nothing sensitive either when it shares $shares', async ({ harmless, options }) => {
    using world = createWorld();
    write(world, '~/.ssh/id', 'key\n');
    write(world, '~/data/notes', 'notes\n');
    const words = ['run', '--profile', './agent.toml', ...options, '--'];

    write(world, 'agent.toml', harmless);
    const before = await runNono(world, [...words, 'true']);
    write(world, 'agent.toml', `${harmless}${SECRET}`);
    const { status, stdout, stderr } = await runNono(world, [...words, 'cat', join(world.home, '.ssh/id')]);

    expect(before).toMatchObject({ status: 0 });
    expect(before.stderr).toContain(
      `[nono] An earlier run may have changed ${join(world.project, 'agent.toml')}, the profile that`,
    );
    expect({ status, stdout }).toEqual({ status: 125, stdout: '' });
    expect(stderr).toMatch(
      /Cannot use override_deny of the profile \.\/agent\.toml: an earlier run may have changed .*\[E_GRANT\]\n/,
    );
  });

  test('opens it where the command line says so, and where no command of a run like this one may write the profile', async () => {
    using world = createWorld();
    write(world, '~/.ssh/id', 'key\n');
    write(world, 'agent.toml', '[filesystem]\nread = ["~/.ssh"]\n');
    write(world, '~/profiles/keys.toml', SECRET);
    const command = ['--', 'sh', '-c', 'cat ~/.ssh/id'];

    const words = ['run', '--profile', './agent.toml', '--allow-cwd', '--override-deny', join(world.home, '.ssh')];
    const named = await runNono(world, [...words, ...command]);
    const kept = await runNono(world, ['run', '--profile', '~/profiles/keys.toml', '--allow-cwd', ...command]);

    expect(named).toMatchObject({ status: 0, stdout: 'key\n' });
    expect(kept).toMatchObject({ status: 0, stdout: 'key\n' });
    expect(kept.stderr).toBe('[nono] The profile permits what is sensitive: ~/.ssh (override_deny)\n');
  });

  test('is known by a link to it, and by what it extends', async () => {
    using world = createWorld();
    write(world, '~/.ssh/id', 'key\n');
    write(world, 'agent.toml', SECRET);
    write(world, '~/profiles/own.toml', `extends = "${join(world.project, 'agent.toml')}"\n`);
    symlinkSync(join(world.project, 'agent.toml'), join(world.home, 'link.toml'));

    for (const profile of ['~/profiles/own.toml', '~/link.toml']) {
      const { status, stderr } = await runNono(world, ['run', '--profile', profile, '--allow-cwd', '--', 'true']);
      expect({ status, stderr }).toEqual({ status: 125, stderr: expect.stringContaining('Cannot use override_deny') });
    }
  });
});

describe('a file of variables that lies where the command may write', () => {
  const PRINT = ['--', 'sh', '-c', 'echo "$OTHER $A_TOKEN"'];

  test('does not lead to one elsewhere by a link that an earlier run has put there', async () => {
    using world = createWorld();
    write(world, '~/other/.env', 'OTHER=secret\n');
    write(world, 'own.env', 'OTHER=own\n');
    const plant = ['--', 'ln', '-sf', join(world.home, 'other/.env'), 'own.env'];
    const words = ['run', '--allow-cwd', '--env-file', 'own.env'];

    const own = await runNono(world, [...words, ...PRINT]);
    await runNono(world, ['run', '--allow-cwd', ...plant]);
    const planted = await runNono(world, [...words, ...PRINT]);
    const named = await runNono(world, ['run', '--allow-cwd', '--env-file', '../home/other/.env', ...PRINT]);

    expect(own).toMatchObject({ status: 0, stdout: 'own \n' });
    expect(planted).toMatchObject({ status: 125, stdout: '' });
    expect(planted.stderr).toMatch(/own\.env is a link out of a directory that the command may write \[E_GRANT\]/);
    expect(named).toMatchObject({ status: 0, stdout: 'secret \n' });
  });

  test('passes nothing that is withheld', async () => {
    using world = createWorld();
    write(world, 'own.env', 'EDITOR\nA_TOKEN\n');
    write(world, '~/kept.env', 'A_TOKEN\n');
    const environment = { A_TOKEN: 'secret' };

    const planted = await runNono(world, ['run', '--allow-cwd', '--env-file', 'own.env', ...PRINT], { environment });
    const kept = await runNono(world, ['run', '--allow-cwd', '--env-file', '../home/kept.env', ...PRINT], { environment });
    const words = ['run', '--allow-cwd', '--env-file', 'own.env', '--env', 'A_TOKEN', ...PRINT];
    const named = await runNono(world, words, { environment });

    expect(named).toMatchObject({ status: 0, stdout: ' secret\n' });
    expect(planted).toMatchObject({ status: 125, stdout: '' });
    expect(planted.stderr).toContain('Cannot pass A_TOKEN by --env-file');
    expect(kept).toMatchObject({ status: 0, stdout: ' secret\n' });
  });
});

describe('the environment', () => {
  test('takes --env and --env-file as docker does, the command line first', async () => {
    using world = createWorld();
    write(world, '~/a.env', '# comment\nA=1\nB="quoted"\n\nC_TOKEN\nEMPTY=\nE=x=y\n');
    const environment = { C_TOKEN: 'c', D_SECRET: 'd', UNRELATED_KEY: 'u' };
    const words = [
      'run',
      '--allow-cwd',
      '--env-file',
      '../home/a.env',
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
