import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runNono, runProgram } from '../support/nono.ts';
import { startScript } from '../support/sessions.ts';
import { ARCHIVE, makeRelease, PATH_WITHOUT_NONO, sha256 } from '../support/small-releases.ts';
import { needCommands, needOtherUser } from '../support/tools.ts';
import { createWorld } from '../support/world.ts';

const INSTALLER = resolve(import.meta.dirname, '../../scripts/install.sh');

describe('install.sh, told where from,', () => {
  test('asks for nothing but https of what is to come by https, also where it is sent on', async () => {
    using world = createWorld();
    const bin = join(world.directory, 'bin');
    mkdirSync(bin);
    writeFileSync(join(bin, 'curl'), '#!/bin/sh\necho "$@" >&2\nexit 22\n', { mode: 0o755 });
    const options = { environment: { PATH: `${bin}:${process.env['PATH'] ?? ''}` } };
    const run = (url: string) => runProgram(world, ['sh', INSTALLER, '--target', 'linux-x64', '--from', url], options);
    expect((await run('https://example.org/nono')).stderr).toMatch(/--proto =https .*https:\/\/example.org\/nono\/SHA256SUMS/);
    expect((await run('http://example.org/nono')).stderr).toMatch(/--proto =https,http,file /);
  });

  test.for(['a=b', '-dash', 'with windows endings'])(
    'takes a directory called "%s", and reads nothing but its files',
    async (name) => {
      using world = createWorld();
      const release = join(world.project, name);
      renameSync(makeRelease(world, '1.0.0'), release);
      const sums = readFileSync(join(release, 'SHA256SUMS'), 'utf8');
      if (name.includes('windows')) writeFileSync(join(release, 'SHA256SUMS'), sums.replace('\n', '\r\n'));
      // What comes by a pipe is the rest of the script.
      const script = `sh "$0" --target linux-x64 --from "$1" && read -r line && echo "then $line"`;
      const { stdout, stderr } = await runProgram(world, ['sh', '-c', `echo more | { ${script}; }`, INSTALLER, name]);
      expect(stderr).toBe('');
      expect(stdout).toMatch(/^Installed nono 1\.0\.0 as [^]*then more\n$/);
    },
  );

  test('installs as root what is owned by root, whoever made the archive, and whatever tar is told by the environment', async (context) => {
    if (process.getuid?.() !== 0) context.skip('only root can make such an archive its own');
    using world = createWorld();
    const release = makeRelease(world, '1.0.0');
    execFileSync('tar', [
      '-czf',
      join(release, ARCHIVE),
      '--owner=12345',
      '--group=12345',
      '-C',
      join(world.directory, 'tree'),
      'nono',
    ]);
    writeFileSync(join(release, 'SHA256SUMS'), `${sha256(join(release, ARCHIVE))}  ${ARCHIVE}\n`);
    const words = ['sh', INSTALLER, '--target', 'linux-x64', '--from', release] as [string, ...string[]];
    const options = { environment: { TAR_OPTIONS: '--strip-components=1' } };
    expect(await runProgram(world, words, options)).toMatchObject({ status: 0, stderr: '' });
    const { uid, gid } = statSync(join(world.home, '.local/bin/nono'));
    expect({ uid, gid }).toEqual({ uid: 0, gid: 0 });
  });

  test('removes no directory that has the name of the settings in the working directory', async () => {
    using world = createWorld();
    const mine = join(world.project, 'nono/mine');
    mkdirSync(join(world.project, 'nono'));
    writeFileSync(mine, '');
    const words = ['sh', INSTALLER, '--uninstall', '--purge'] as [string, ...string[]];
    await runProgram(world, words, { environment: { XDG_CONFIG_HOME: '.', PATH: PATH_WITHOUT_NONO } });
    expect(existsSync(mine)).toBe(true);
  });

  test('purges nothing under a session of a nono that is not below the prefix', async () => {
    using world = createWorld();
    const words = ['sh', INSTALLER, '--uninstall', '--purge'] as [string, ...string[]];
    const elsewhere = join(world.directory, 'elsewhere');
    const purge = (path: string) => runProgram(world, words, { environment: { PATH: path } });
    mkdirSync(elsewhere);
    symlinkSync(world.executable, join(elsewhere, 'nono'));
    const id = await startScript(world, 'sleep 1000');

    const [withNono, without] = [await purge(`${elsewhere}:${PATH_WITHOUT_NONO}`), await purge(PATH_WITHOUT_NONO)];

    expect(withNono).toMatchObject({ status: 1, stdout: '' });
    expect(withNono.stderr).toMatch(new RegExp(`^${id} .*\nError: Cannot purge: the sessions above may be running, here`));
    expect(without).toMatchObject({ status: 1, stdout: '' });
    expect(without.stderr).toMatch(new RegExp(`/${id}\\.json\nError: Cannot purge: .*, and there is no nono to ask`));
    expect((await runNono(world, ['stop', id])).status).toBe(0);
    expect((await purge(PATH_WITHOUT_NONO)).stdout).toContain(`Removed ${world.state}\n`);
  });

  test.for([
    ['/usr/bin/fish', 'fish_add_path'],
    ['/bin/zsh', '~/.zprofile'],
    ['/bin/bash', '~/.profile'],
  ])('tells a user of %s how it is found', async ([shell, hint]) => {
    using world = createWorld();
    const words = ['sh', INSTALLER, '--target', 'linux-x64', '--from', makeRelease(world, '1.0.0')] as [string, ...string[]];
    const { stdout } = await runProgram(world, words, { environment: { SHELL: shell } });
    expect(stdout).toContain(hint);
  });

  test('says that it has to be told where from, and what a directory of others takes', async (context) => {
    needOtherUser(context);
    using world = createWorld({ ordinaryUser: true });
    const script = join(world.directory, 'install.sh');
    cpSync(INSTALLER, script);

    expect((await runProgram(world, ['sh', script])).stderr).toContain('Say it with --from DIR, FILE or URL');
    const release = makeRelease(world, '1.0.0');
    const refused = await runProgram(world, ['sh', script, '--target', 'linux-x64', '--from', release, '--prefix', '/usr']);
    expect(refused.stderr).toContain('Choose a directory of your own with --prefix DIR');
    expect(refused.status).toBe(1);
  });

  test.for(['curl', 'wget'])('fetches with %s alone, and compares what it fetched', async (program, context) => {
    needCommands(context, program);
    using world = createWorld();
    const release = makeRelease(world, '1.0.0');
    const bin = join(world.directory, 'only');
    mkdirSync(bin);
    const tools = [
      'sh',
      'uname',
      'sed',
      'cut',
      'awk',
      'grep',
      'mkdir',
      'rm',
      'mv',
      'chmod',
      'tar',
      'gzip',
      'sha256sum',
      'cmp',
      'cat',
      'rmdir',
      program,
    ];
    for (const tool of tools) symlinkSync(execFileSync('which', [tool], { encoding: 'utf8' }).trim(), join(bin, tool));
    const url = program === 'curl' ? `file://${release}` : undefined;
    if (url === undefined) {
      // wget has no file: addresses; what it is called with is what matters.
      rmSync(join(bin, 'wget'));
      writeFileSync(join(bin, 'wget'), `#!/bin/sh\n[ "$1 $2" = "-q -O" ] || exit 9\n/bin/cp "${release}/\${4##*/}" "$3"\n`, {
        mode: 0o755,
      });
    }
    const words = ['sh', INSTALLER, '--target', 'linux-x64', '--from', url ?? 'https://example.invalid/v1'] as [
      string,
      ...string[],
    ];
    const { status, stdout, stderr } = await runProgram(world, words, { environment: { PATH: bin } });

    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('Installed nono 1.0.0');
    // With all that the machine has, which may read more kinds of archives than there are; the other wget knows no such address.
    const path = program === 'curl' ? `${bin}:${world.environment['PATH']}` : bin;
    const again = await runProgram(world, words, { environment: { PATH: path } });
    expect(again.stdout).toContain('nono 1.0.0 is already installed');
    writeFileSync(join(release, 'SHA256SUMS'), `${'0'.repeat(64)}  ${ARCHIVE}\n`);
    expect((await runProgram(world, words, { environment: { PATH: bin } })).status).toBe(1);
  });
});
