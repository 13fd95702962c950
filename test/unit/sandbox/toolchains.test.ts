import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../../src/bytes.ts';
import { type FoundFile, findCommand } from '../../../src/sandbox/command.ts';
import { type PathRule, READ_WRITE } from '../../../src/sandbox/plan.ts';
import { Plantable } from '../../../src/sandbox/planted.ts';
import type { World } from '../../../src/sandbox/policy.ts';
import { sensitivePlaces } from '../../../src/sandbox/sensitive.ts';
import { installationOf, toolchainRules } from '../../../src/sandbox/toolchains.ts';
import { fakeWorld, withPath } from './fake-facts.ts';

const PROJECT = '/home/u/project' as Bytes;

function writable(path: Bytes): PathRule {
  return { path, isDirectory: true, access: READ_WRITE, origin: 'grant' };
}

function shared(lines: readonly string[], ...path: readonly string[]): readonly string[] {
  return sharedBy(fakeWorld(lines, withPath(...path)), [], []);
}

function sharedBy(world: World, chain: readonly FoundFile[], grants: readonly PathRule[]): readonly string[] {
  const rules = toolchainRules(chain, world, sensitivePlaces(world), new Plantable(grants, world));
  expect(rules.every(({ access }) => access.read && !access.write)).toBe(true);
  return [...new Set(rules.map((rule) => rule.path))].toSorted();
}

describe('toolchainRules()', () => {
  test.for([
    { layout: 'a prefix', lines: ['/home/u/.nvm/v20/bin/node'], path: '/home/u/.nvm/v20/bin', expected: ['/home/u/.nvm/v20'] },
    { layout: 'shims', lines: ['/home/u/.pyenv/shims/python'], path: '/home/u/.pyenv/shims', expected: ['/home/u/.pyenv'] },
    {
      layout: 'a tool that keeps a token beside its programs',
      lines: ['/home/u/.pulumi/bin/pulumi', '/home/u/.pulumi/credentials.json'],
      path: '/home/u/.pulumi/bin',
      expected: ['/home/u/.pulumi/bin'],
    },
    {
      layout: 'the same without one',
      lines: ['/home/u/.pulumi/bin/pulumi'],
      path: '/home/u/.pulumi/bin',
      expected: ['/home/u/.pulumi'],
    },
    {
      layout: 'scripts of the user beside all else',
      lines: ['/home/u/Dropbox/bin/x', '/home/u/Dropbox/taxes/2025'],
      path: '/home/u/Dropbox/bin',
      expected: ['/home/u/Dropbox/bin'],
    },
    {
      layout: 'scripts of the user that are links',
      lines: [
        '/home/u/work/bin/x -> ../tools/x/bin/x',
        '/home/u/work/tools/x/bin/x',
        '/home/u/work/tools/x/lib/x',
        '/home/u/work/bin/y -> ../y/bin/y',
        '/home/u/work/y/bin/y',
        '/home/u/work/y/.env',
        '/home/u/work/bin/z -> ../../letters/z',
        '/home/u/letters/z',
        '/home/u/letters/one',
        '/home/u/work/other',
      ],
      path: '/home/u/work/bin',
      expected: ['/home/u/letters/z', '/home/u/work/bin', '/home/u/work/tools/x', '/home/u/work/y/bin/y'],
    },
    {
      layout: 'scripts of another project',
      lines: ['/home/u/work/x/bin/deploy', '/home/u/work/x/.env'],
      path: '/home/u/work/x/bin',
      expected: ['/home/u/work/x/bin'],
    },
    {
      layout: 'a program that has no bin, with its libraries',
      lines: ['/home/u/.local/bin/x -> ../../apps/x/x', '/home/u/apps/x/x', '/home/u/apps/x/libx.so.1.2'],
      path: '/home/u/.local/bin',
      expected: ['/home/u/.local/bin', '/home/u/apps/x'],
    },
    {
      layout: 'an editor that has no bin, with its runtime',
      lines: ['/home/u/.local/bin/hx -> ../../helix/hx', '/home/u/helix/hx', '/home/u/helix/runtime/themes/x'],
      path: '/home/u/.local/bin',
      expected: ['/home/u/.local/bin', '/home/u/helix'],
    },
    { layout: 'the working directory', lines: ['/home/u/project/x'], path: '', expected: [] },
    { layout: 'the working directory by a name', lines: ['/home/u/project/x'], path: '.', expected: [] },
    { layout: 'what is beside the working directory', lines: ['/home/u/letters/one'], path: '../letters', expected: [] },
    {
      layout: 'scripts of the project',
      lines: ['/home/u/project/bin/x', '/home/u/project/.env'],
      path: './bin',
      expected: ['/home/u/project/bin'],
    },
    {
      layout: 'an installation that is not hidden',
      lines: ['/home/u/jdk/bin/java', '/home/u/jdk/lib/x'],
      path: '/home/u/jdk/bin',
      expected: ['/home/u/jdk'],
    },
    { layout: 'bin of the home itself', lines: ['/home/u/bin/x'], path: '/home/u/bin', expected: ['/home/u/bin'] },
    { layout: 'the home itself', lines: ['/home/u/x'], path: '/home/u', expected: [] },
    {
      layout: 'a shared place',
      lines: ['/home/u/.local/bin/x', '/home/u/.local/share/private'],
      path: '/home/u/.local/bin',
      expected: ['/home/u/.local/bin'],
    },
    {
      layout: 'a link out of a shared place',
      lines: ['/home/u/.local/bin/x -> ../share/tools/x/bin/x', '/home/u/.local/share/tools/x/bin/x'],
      path: '/home/u/.local/bin',
      expected: ['/home/u/.local/bin', '/home/u/.local/share/tools/x'],
    },
    {
      layout: 'an environment made from another interpreter',
      lines: [
        '/home/u/.local/bin/x -> ../share/pipx/venvs/x/bin/x',
        '/home/u/.local/share/pipx/venvs/x/bin/x',
        '/home/u/.local/share/pipx/venvs/x/bin/python -> /home/u/.pyenv/versions/3.12/bin/python3.12',
        '/home/u/.pyenv/versions/3.12/bin/python3.12',
      ],
      path: '/home/u/.local/bin',
      expected: ['/home/u/.local/bin', '/home/u/.local/share/pipx/venvs/x', '/home/u/.pyenv/versions/3.12'],
    },
    {
      layout: 'rustup',
      lines: [
        '/home/u/.cargo/bin/cargo',
        '/home/u/.cargo/config.toml',
        '/home/u/.cargo/credentials.toml',
        '/home/u/.rustup/settings.toml',
      ],
      path: '/home/u/.cargo/bin',
      expected: ['/home/u/.cargo/bin', '/home/u/.cargo/config.toml', '/home/u/.rustup'],
    },
    {
      layout: 'a directory with a name that each object of JavaScript has',
      lines: ['/home/u/constructor/x'],
      path: '/home/u/constructor',
      expected: ['/home/u/constructor'],
    },
    {
      layout: 'a prefix that holds something sensitive',
      lines: ['/home/u/tools/bin/x', '/home/u/.ssh -> tools/keys', '/home/u/tools/keys/id'],
      path: '/home/u/tools/bin',
      expected: ['/home/u/tools/bin'],
    },
    {
      layout: 'a link to something sensitive',
      lines: ['/home/u/.local/bin/x -> /home/u/.ssh/id', '/home/u/.ssh/id'],
      path: '/home/u/.local/bin',
      expected: ['/home/u/.local/bin'],
    },
    { layout: 'a place outside the home', lines: ['/srv/tools/bin/x'], path: '/srv/tools/bin', expected: [] },
    {
      layout: 'the project',
      lines: ['/home/u/project/node_modules/.bin/x'],
      path: '/home/u/project/node_modules/.bin',
      expected: ['/home/u/project/node_modules'],
    },
    {
      layout: 'a package whose dependencies are beside it',
      lines: [
        '/home/u/tools/node_modules/.bin/x -> ../@s/x/bin/x.js',
        '/home/u/tools/node_modules/@s/x/bin/x.js',
        '/home/u/tools/.npmrc',
      ],
      path: '/home/u/tools/node_modules/.bin',
      expected: ['/home/u/tools/node_modules'],
    },
    {
      layout: 'a directory that is called .bin',
      lines: ['/home/u/x/.bin/y'],
      path: '/home/u/x/.bin',
      expected: ['/home/u/x/.bin'],
    },
  ])('shares what belongs to $layout', ({ lines, path, expected }) => {
    expect(shared(lines, path)).toEqual(expected);
  });
});

test.for([
  '.nimble/github_api_token',
  '.pub-cache/credentials.json',
  '.luarocks/upload_config.lua',
  '.fastlane/spaceship/me/cookie',
  '.fluvio/config',
])('what a tool signs in with, ~/%s, stays closed with its bin on PATH', (secret) => {
  const prefix = `/home/u/${secret.slice(0, secret.indexOf('/'))}`;

  expect(shared([`${prefix}/bin/x`, `/home/u/${secret}`], `${prefix}/bin`)).toEqual([`${prefix}/bin`]);
});

test('what cargo signs in with stays closed where CARGO_HOME has it beside the programs on PATH', () => {
  const lines = ['/home/u/rust/cargo/bin/cargo', '/home/u/rust/cargo/credentials.toml'];
  const { environment } = withPath('/home/u/rust/cargo/bin');
  const world = fakeWorld(lines, {
    environment: new Map([...environment, ['CARGO_HOME' as Bytes, '/home/u/rust/cargo' as Bytes]]),
  });

  expect(sharedBy(world, [], [])).toEqual(['/home/u/rust/cargo/bin']);
});

test.for([
  { command: '/home/u/Downloads/install.sh', expected: ['/home/u/Downloads/install.sh'] },
  { command: './run', expected: ['/home/u/project/run'] },
  { command: '/home/u/jdk/bin/java', expected: ['/home/u/jdk', '/home/u/jdk/bin/java'] },
])('of a command that is named by its path only the program is shared, unless it is installed there: $command', (named) => {
  const lines = ['/home/u/Downloads/install.sh', '/home/u/Downloads/letter', '/home/u/project/run', '/home/u/project/.env'];
  const world = fakeWorld([...lines, '/home/u/jdk/bin/java', '/home/u/jdk/lib/x']);

  expect(sharedBy(world, findCommand(named.command as Bytes, world).chain, [])).toEqual(named.expected);
});

test('where the home directory is the root, what many tools share is not shared whole either', () => {
  const lines = [
    '/.local/bin/x',
    '/.local/share/private',
    '/.nvm/v20/lib/node_modules/y/y.js',
    '/.local/bin/y -> ../../.nvm/v20/lib/node_modules/y/y.js',
  ];
  const world = fakeWorld(lines, { ...withPath('/.local/bin'), homeDirectory: '/' as Bytes });

  expect(sharedBy(world, [], [])).toEqual(['/.local/bin', '/.nvm/v20/lib/node_modules/y']);
});

describe('what an earlier run may have written into a directory that this one may write', () => {
  const around = (lines: readonly string[], grants: readonly PathRule[], ...path: readonly string[]) =>
    sharedBy(fakeWorld(lines, withPath(...path)), [], grants);
  const running = (command: string, ...lines: readonly string[]) => {
    const world = fakeWorld(lines, withPath('/home/u/tools/bin', '/usr/bin'));
    const { chain } = findCommand(command as Bytes, world);
    return sharedBy(world, chain, [writable(PROJECT)]).filter((path) => !/^\/usr\/|^\/home\/u\/project/.test(path));
  };
  const PYTHON = '/home/u/.pyenv/versions/3.12/bin/python3.12';

  test.for([
    { what: 'a directory', lines: ['/home/u/project/venv/bin/ruby -> /home/u/letters', '/home/u/letters/one'] },
    { what: 'a file', lines: ['/home/u/project/venv/bin/ruby -> /home/u/letters/one', '/home/u/letters/one'] },
    { what: 'a program', lines: ['/home/u/project/venv/bin/node -> /home/u/work/bin/app', '/home/u/work/bin/app'] },
  ])('gives nothing by a link on PATH to $what', ({ lines }) => {
    const environment = [...lines, '/home/u/project/venv/pyvenv.cfg'];
    expect(around(environment, [writable(PROJECT)], '/home/u/project/venv/bin')).toEqual(['/home/u/project/venv']);
    expect(around(environment, [], '/home/u/project/venv/bin')).not.toEqual(['/home/u/project/venv']);
  });

  test('gives nothing by a directory of PATH that it made a link, nor by one that others lead to', () => {
    const lines = ['/home/u/project/bin -> /home/u/letters', '/home/u/letters/one', '/home/u/.local/bin/x -> ../../project/x'];
    expect(around(lines, [writable(PROJECT)], '/home/u/project/bin')).toEqual([]);
    expect(around([...lines, '/home/u/project/x -> /home/u/letters/one'], [writable(PROJECT)], '/home/u/.local/bin')).toEqual([
      '/home/u/.local/bin',
    ]);
  });

  test('gives the interpreter that an environment was made from', () => {
    const lines = [`/home/u/project/venv/bin/python3 -> ${PYTHON}`, '/home/u/project/venv/pyvenv.cfg', PYTHON];
    expect(around(lines, [writable(PROJECT)], '/home/u/project/venv/bin')).toEqual([
      '/home/u/.pyenv/versions/3.12',
      '/home/u/project/venv',
    ]);
  });

  test.for([
    { line: '#!/usr/bin/env -S -u /home/u/letters/one sh' },
    { line: '#!/home/u/letters/one' },
    { line: '#!../letters/one' },
    { line: '#!/home/u/project/link' },
    { line: '#!/srv/letters' },
  ])('gives nothing by the first line of a script: $line', ({ line }) => {
    const tree = ['/home/u/letters/one', '/srv/letters', '/home/u/project/link -> ../letters/one', '/usr/bin/env', '/usr/bin/sh'];
    expect(running('./run', ...tree, `/home/u/project/run = ${line}\n`)).toEqual([]);
    expect(running('/home/u/mine/run', ...tree, `/home/u/mine/run = ${line}\n`)).not.toEqual(['/home/u/mine']);
  });

  test('gives the interpreter, and the environment, that a script names', () => {
    const lines = ['/home/u/.venvs/a/pyvenv.cfg', `/home/u/.venvs/a/bin/python -> ${PYTHON}`, PYTHON];
    const script = '/home/u/project/run = #!/home/u/.venvs/a/bin/python\n';
    expect(running('./run', ...lines, script)).toEqual(['/home/u/.pyenv/versions/3.12', PYTHON, '/home/u/.venvs/a']);
    expect(running('./run', ...lines, script, '/home/u/.venvs/a/letter')).toEqual(['/home/u/.pyenv/versions/3.12', PYTHON]);
  });

  test('gives what env finds on PATH', () => {
    const script = '/home/u/project/run = #!/usr/bin/env tool\n';
    expect(running('./run', script, '/home/u/tools/bin/tool', '/home/u/tools/lib/x')).toEqual([
      '/home/u/tools',
      '/home/u/tools/bin/tool',
    ]);
  });

  test('gives nothing by the settings of a tool that it made a link', () => {
    const lines = ['/home/u/.cargo/bin/cargo', '/home/u/.cargo/config.toml -> /home/u/letters', '/home/u/letters/one'];
    const cargo = writable('/home/u/.cargo' as Bytes);
    expect(around(lines, [cargo], '/home/u/.cargo/bin')).toEqual(['/home/u/.cargo/bin']);
  });
});

describe('installationOf()', () => {
  test.for([
    { path: '/home/u/.a/bin/x', expected: '/home/u/.a' },
    { path: '/home/u/.a/lib/node_modules/pkg/bin/x.js', expected: '/home/u/.a/lib/node_modules/pkg' },
    { path: '/home/u/.a/lib/node_modules/@s/pkg/x.js', expected: '/home/u/.a/lib/node_modules/@s/pkg' },
    { path: '/home/u/.a/versions/1.2', expected: '/home/u/.a/versions' },
    { path: '/home/u/x', expected: undefined },
  ])('of $path is $expected', ({ path, expected }) => {
    expect(installationOf(path as Bytes, '/home/u' as Bytes)).toBe(expected);
  });
});
