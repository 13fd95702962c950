import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runProgram } from '../support/nono.ts';
import { ARCHIVE, makeRelease, makeSmallRelease, PATH_WITHOUT_NONO, SMALLER, sha256 } from '../support/small-releases.ts';
import { needCommands } from '../support/tools.ts';
import { createWorld, type World } from '../support/world.ts';

const INSTALLER = resolve(import.meta.dirname, '../../scripts/install.sh');
const SHELLS: readonly (readonly string[])[] = [['dash'], ['bash', '--posix'], ['busybox', 'sh'], ['zsh']];

const install = (world: World, shell: readonly string[], ...words: readonly string[]) =>
  runProgram(world, [...shell, INSTALLER, '--target', 'linux-x64', ...words] as [string, ...string[]], {
    environment: { PATH: PATH_WITHOUT_NONO },
  });

/** All files below the home, without what a shell may have left. */
function filesBelow(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort();
}

describe('install.sh', () => {
  test('says what shellcheck has against it: nothing', async (context) => {
    needCommands(context, 'shellcheck');
    const scripts = [INSTALLER, resolve(INSTALLER, '../lib/smoke.sh')];

    expect(execFileSync('shellcheck', ['--shell=sh', ...scripts], { encoding: 'utf8' })).toBe('');
  });

  test.for(SHELLS)(
    'run by %s installs into the home, does nothing twice, upgrades and takes all away',
    async (shell, context) => {
      needCommands(context, shell[0] ?? 'sh');
      using world = createWorld();
      const bin = join(world.home, '.local', 'bin', 'nono');
      const release = makeRelease(world, '1.0.0');

      const first = await install(world, shell, '--from', release);
      expect({ status: first.status, stderr: first.stderr }).toEqual({ status: 0, stderr: '' });
      expect(first.stdout).toContain(`Installed nono 1.0.0 as ${bin}\n`);
      expect(first.stdout).toContain(`export PATH="${join(world.home, '.local', 'bin')}:$PATH"`);
      const installed = filesBelow(join(world.home, '.local'));
      expect(installed).toEqual([
        'bin/nono',
        'share/bash-completion/completions/nono',
        'share/doc/nono/LICENSE',
        'share/doc/nono/LICENSES-OF-OTHERS',
        'share/doc/nono/README.md',
        'share/fish/vendor_completions.d/nono.fish',
        'share/man/man1/nono.1',
        'share/zsh/site-functions/_nono',
      ]);
      expect(statSync(bin).mode & 0o7777).toBe(0o755);
      const { ino } = statSync(bin);

      const again = await install(world, shell, '--from', join(release, ARCHIVE));
      expect(again.stdout).toContain('nono 1.0.0 is already installed');
      expect(statSync(bin).ino).toBe(ino);

      const upgrade = await install(world, shell, `--from=${makeRelease(world, '1.1.0')}`);
      expect(upgrade.stdout).toContain(`Replaced nono 1.0.0 by nono 1.1.0 as ${bin}`);
      expect(filesBelow(join(world.home, '.local'))).toEqual(installed);

      mkdirSync(join(world.state, 'sessions'), { recursive: true, mode: 0o700 });
      const removal = await install(world, shell, '--uninstall');
      expect(removal.stdout).toContain(`Kept ${world.state}\n`);
      expect(filesBelow(join(world.home, '.local'))).toEqual([]);
      expect((await install(world, shell, '--uninstall')).stdout).toContain('nono is not installed below');
      expect((await install(world, shell, '--uninstall', '--purge')).stdout).toContain(`Removed ${world.state}\n`);
      expect(existsSync(world.state)).toBe(false);
    },
  );

  test.for(SHELLS)(
    'run by %s installs nothing of a release that was tampered with, cut off or is not whole',
    async (shell, context) => {
      needCommands(context, shell[0] ?? 'sh');
      using world = createWorld();
      const release = makeRelease(world, '1.0.0');
      const copy = (name: string) => {
        const place = join(world.directory, name);
        cpSync(release, place, { recursive: true });
        return place;
      };
      const tampered = copy('tampered');
      const bytes = readFileSync(join(tampered, ARCHIVE));
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
      writeFileSync(join(tampered, ARCHIVE), bytes);
      const truncated = copy('truncated');
      writeFileSync(join(truncated, ARCHIVE), bytes.subarray(0, 100));
      const summed = copy('summed');
      writeFileSync(join(summed, ARCHIVE), bytes.subarray(0, 100));
      writeFileSync(join(summed, 'SHA256SUMS'), `${sha256(join(summed, ARCHIVE))}  ${ARCHIVE}\n`);
      const unnamed = copy('unnamed');
      writeFileSync(join(unnamed, 'SHA256SUMS'), `${'0'.repeat(64)}  other.tar.gz\n`);
      const unsummed = copy('unsummed');
      rmSync(join(unsummed, 'SHA256SUMS'));
      const empty = copy('empty');
      rmSync(join(empty, ARCHIVE));
      const cases: readonly (readonly [from: string, complaint: RegExp])[] = [
        [tampered, /its SHA-256 is [0-9a-f]{64}, SHA256SUMS says/],
        [truncated, /its SHA-256 is/],
        [summed, /Cannot unpack/],
        [unnamed, /SHA256SUMS does not name it/],
        [unsummed, /there is no SHA256SUMS beside it/],
        [empty, /there is no nono-linux-x64\.tar\.gz in/],
        [join(world.directory, 'nowhere'), /there is no such file or directory/],
      ];
      for (const [from, complaint] of cases) {
        const { status, stderr } = await install(world, shell, '--from', from);
        expect(stderr).toMatch(complaint);
        expect(status).toBe(1);
      }
      expect(filesBelow(join(world.home, '.local'))).toEqual([]);
    },
  );

  // Busybox prefers what it has itself of that name, which reads no archive with a filter.
  test.for(SHELLS.slice(0, 2))('run by %s reads the smaller archive where there is an xz', async (shell, context) => {
    needCommands(context, shell[0] ?? 'sh', 'xz');
    using world = createWorld();
    const release = makeSmallRelease(world);

    const { status, stdout, stderr } = await install(world, shell, '--from', release);

    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('Installed nono 1.0.0');
  });

  test.for(SHELLS)('run by %s says what the smaller archive needs where busybox is all there is', async (shell, context) => {
    needCommands(context, shell[0] ?? 'sh', 'xz', 'busybox');
    using world = createWorld();
    const release = makeSmallRelease(world);
    const bin = join(world.directory, 'only-busybox');
    mkdirSync(bin);
    execFileSync('busybox', ['--install', '-s', bin]);
    const [file = '', ...rest] = shell;
    const program = execFileSync('which', [file], { encoding: 'utf8' }).trim();

    for (const from of [release, join(release, SMALLER)]) {
      const options = ['--target', 'linux-x64', '--prefix', join(world.directory, 'other'), '--from', from];
      const { status, stderr } = await runProgram(world, [program, ...rest, INSTALLER, ...options], {
        environment: { PATH: bin },
      });
      expect(stderr).toBe(
        `Error: Cannot read ${SMALLER}: there is no xz here that can\nHint: Install xz, or take ${ARCHIVE} of the same release\n`,
      );
      expect(status).toBe(1);
    }
    expect(filesBelow(join(world.directory, 'other'))).toEqual([]);
  });

  test.for(SHELLS)('run by %s leaves nothing behind when nobody reads what it says', async (shell, context) => {
    needCommands(context, shell[0] ?? 'sh');
    using world = createWorld();
    const release = makeRelease(world, '1.0.0');
    const script = 'rm -f pipe; mkfifo pipe; : <pipe & exec 3>pipe; wait; exec "$@" >&3';

    const words = [...shell, INSTALLER, '--target', 'linux-x64', '--from', release];
    const { status } = await runProgram(world, ['sh', '-c', script, 'sh', ...words]);

    expect(status).not.toBe(0);
    expect(readdirSync(join(world.home, '.local/bin'))).toEqual(['nono']);
  });

  test('keeps the executable that was there when the new one does not run here, and says what it said', async () => {
    using world = createWorld();
    await install(world, ['sh'], '--from', makeRelease(world, '1.0.0'));
    const broken = makeRelease(world, '2.0.0', 'echo "libfoo.so: not found" >&2; exit 127');

    const { status, stderr } = await install(world, ['sh'], '--from', broken);

    expect(stderr).toContain('libfoo.so: not found');
    expect(stderr).toContain('does not run here');
    expect(status).toBe(1);
    expect(readFileSync(join(world.home, '.local/bin/nono'), 'utf8')).toContain('nono 1.0.0');
    expect(readdirSync(join(world.home, '.local/bin'))).toEqual(['nono']);
  });

  test('replaces a link and leaves what it points to, and refuses a directory in its place', async () => {
    using world = createWorld();
    const release = makeRelease(world, '1.0.0');
    const bin = join(world.home, '.local', 'bin');
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(world.project, 'checkout'), '#!/bin/sh\n', { mode: 0o755 });
    symlinkSync(join(world.project, 'checkout'), join(bin, 'nono'));
    expect((await install(world, ['sh'], '--from', release)).status).toBe(0);
    expect(readFileSync(join(world.project, 'checkout'), 'utf8')).toBe('#!/bin/sh\n');

    const prefix = join(world.directory, 'other');
    mkdirSync(join(prefix, 'bin', 'nono'), { recursive: true });
    const { status, stderr } = await install(world, ['sh'], '--from', release, '--prefix', prefix);
    expect(stderr).toContain('a directory has its name');
    expect(status).toBe(1);
    expect(readdirSync(join(prefix, 'bin'))).toEqual(['nono']);
  });

  test('neither uninstalls under sessions that run, nor removes a NONO_HOME that is not its own', async () => {
    using world = createWorld();
    await install(world, ['sh'], '--from', makeRelease(world, '1.0.0', '[ "$1" = ps ] || echo "nono 1.0.0"'));
    const bin = join(world.home, '.local/bin/nono');
    const script = readFileSync(bin, 'utf8');
    writeFileSync(
      bin,
      script.replace('[ "$1" != ps ] || exit 0', '[ "$1" != ps ] || { echo HEADING; echo "a3f7c2 calm-node"; exit 0; }'),
    );

    const busy = await install(world, ['sh'], '--uninstall');
    expect(busy.stderr).toContain('a3f7c2 calm-node');
    expect(busy.status).toBe(1);
    writeFileSync(bin, script);
    writeFileSync(join(world.project, 'mine'), '');
    const words = ['sh', INSTALLER, '--uninstall', '--purge'] as [string, ...string[]];
    const { stdout } = await runProgram(world, words, { environment: { NONO_HOME: world.project, PATH: PATH_WITHOUT_NONO } });
    expect(stdout).toContain(`Kept ${world.project}: there is more in it than nono's state`);
    expect(existsSync(join(world.project, 'mine'))).toBe(true);
  });

  test.for([
    { what: 'nono refuses to look', script: 'exit 1', complaint: 'nono does not say whether sessions are running' },
    {
      what: 'one may run on another host',
      script: '[ "$2" != --all ] || echo "a3f7c2  calm-node  unknown"; exit 0',
      complaint: 'a3f7c2  calm-node  unknown\nError: Cannot purge: the sessions above may be running, here or elsewhere',
    },
  ])('--purge removes nothing where $what', async ({ script, complaint }) => {
    using world = createWorld();
    await install(world, ['sh'], '--from', makeRelease(world, '1.0.0'));
    writeFileSync(join(world.home, '.local/bin/nono'), `#!/bin/sh\necho HEADING; ${script}\n`);
    mkdirSync(join(world.state, 'sessions'), { recursive: true, mode: 0o700 });

    const { status, stderr } = await install(world, ['sh'], '--uninstall', '--purge');

    expect(stderr).toContain(complaint);
    expect(status).toBe(1);
    expect([join(world.state, 'sessions'), join(world.home, '.local/bin/nono')].map(existsSync)).toEqual([true, true]);
  });

  test('--purge leaves what is beside the state of nono in a NONO_HOME, and what only has its name', async () => {
    using world = createWorld();
    const at = (path: string) => join(world.project, path);
    for (const name of ['rollbacks', 'names']) mkdirSync(at(name), { mode: 0o700 });
    mkdirSync(at('sessions'), { mode: 0o755 });
    for (const path of ['rollbacks/theirs', 'sessions/mine', 'mine']) writeFileSync(at(path), '');
    const words = ['sh', INSTALLER, '--uninstall', '--purge'] as [string, ...string[]];
    const { stdout } = await runProgram(world, words, { environment: { NONO_HOME: world.project, PATH: PATH_WITHOUT_NONO } });
    expect(filesBelow(world.project)).toEqual(['mine', 'sessions/mine']);
    expect(existsSync(at('rollbacks'))).toBe(false);
    expect(stdout).toContain(`Kept ${world.project}: there is more`);
  });

  test('--purge leaves what another program of the name keeps beside the settings', async () => {
    using world = createWorld();
    const settings = join(world.home, '.config/nono');
    mkdirSync(join(settings, 'profiles'), { recursive: true });
    for (const name of ['config.toml', 'profiles/mine.toml', 'profiles/theirs.json']) writeFileSync(join(settings, name), '');

    const { stdout } = await install(world, ['sh'], '--uninstall', '--purge');

    expect(filesBelow(settings)).toEqual(['profiles/theirs.json']);
    expect(stdout).toContain(`Kept ${settings}: there is more in it than nono's settings`);
    rmSync(join(settings, 'profiles/theirs.json'));
    expect((await install(world, ['sh'], '--uninstall', '--purge')).stdout).toContain(`Removed ${settings}\n`);
    expect(existsSync(settings)).toBe(false);
  });

  test.for(SHELLS)('read by %s from a pipe that is cut off anywhere does nothing', async (shell, context) => {
    needCommands(context, shell[0] ?? 'sh');
    using world = createWorld();
    const release = makeRelease(world, '1.0.0');
    const script = readFileSync(INSTALLER, 'utf8');
    const lines = [...script.matchAll(/\n/g)].map(({ index }) => index + 1);
    // Within the last line too; each few lines before it, from where there are commands on.
    const cuts = [
      ...lines.slice(0, -1).filter((_, at) => at > 12 && at % 9 === 0),
      ...Array.from({ length: 12 }, (_, at) => script.length - 2 - at),
    ];
    const cut = join(world.directory, 'cut');
    for (const length of cuts) {
      writeFileSync(cut, script.slice(0, length));
      const [program = '', ...rest] = shell;
      const pipe = `exec "$0" "$@" -s -- --target linux-x64 --from ${release} < ${cut}`;
      const { stdout } = await runProgram(world, ['sh', '-c', pipe, program, ...rest]);
      expect(stdout, `cut off after ${length} bytes`).toBe('');
    }
    expect(filesBelow(join(world.home, '.local'))).toEqual([]);
    const { stdout } = await runProgram(world, [
      'sh',
      '-c',
      `exec "$0" "$@" -s -- --target linux-x64 --from ${release} < ${INSTALLER}`,
      ...shell,
    ] as [string, ...string[]]);
    expect(stdout).toContain('Installed nono 1.0.0');
  });

  test.for([
    { words: ['--frobnicate'], message: 'there is no such option' },
    { words: ['--from'], message: 'Cannot use --from without a value' },
    { words: ['--prefix='], message: 'Cannot use --prefix without a value' },
    { words: ['--purge'], message: 'Cannot use --purge without --uninstall' },
  ])('refuses $words with 2', async ({ words, message }) => {
    using world = createWorld();

    const { status, stderr } = await runProgram(world, ['sh', INSTALLER, ...words]);

    expect(stderr).toContain(message);
    expect(status).toBe(2);
  });
});
