import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../../src/bytes.ts';
import { EXIT, SystemError } from '../../../src/errors.ts';
import { resolveGrants } from '../../../src/sandbox/grants.ts';
import { type Access, READ, READ_WRITE, WRITE } from '../../../src/sandbox/plan.ts';
import type { Grant, World } from '../../../src/sandbox/policy.ts';
import { sensitivePlaces } from '../../../src/sandbox/sensitive.ts';
import { fakeWorld } from './fake-facts.ts';

const TREE = [
  '/home/u/.ssh/id',
  '/home/u/.ssh/known_hosts',
  '/home/u/.nono/sessions/',
  '/home/u/.config/nono/config.toml',
  '/home/u/.config/git/credentials',
  '/home/u/data/file',
  '/home/u/keys -> .ssh',
  '/srv/home -> /home',
  '/home/u/.aws -> /mnt/aws',
  '/mnt/aws/credentials',
  '/mnt/other/',
  '/home/u/loop -> loop',
  '/proc/',
  '/dev/pts/3',
  '/dev/shm/',
  '/dev/null',
  '/etc/shadow',
  '/run/docker.sock',
  '/run/user/1000/bus',
  '/run/user/1000/pulse/native',
];

function grant(path: string, access: Access = READ, kind: Grant['kind'] = 'directory'): Grant {
  return { path: path as Bytes, access, kind, option: kind === 'file' ? '--read-file' : '--read' };
}

function resolve(item: Grant, overrides: readonly string[] = [], world: World = fakeWorld(TREE)) {
  return resolveGrants(
    { grants: [item], overrides: overrides as Bytes[], sockets: [], tracked: [] },
    world,
    sensitivePlaces(world),
  ).rules;
}

describe('resolveGrants()', () => {
  test('knows what is sensitive in a home directory that may be entered and not listed', () => {
    const world = fakeWorld(TREE);
    const names = (path: Bytes): readonly Bytes[] => {
      if (path === world.homeDirectory) throw new SystemError('open', 'EACCES', path);
      return world.facts.names(path);
    };

    expect(() => resolve(grant('../.ssh'), [], { ...world, facts: { ...world.facts, names } })).toThrow(/SSH keys/);
  });

  test('shares other sockets of the session, and its directory to read', () => {
    expect(resolve(grant('/run/user/1000/pulse', READ_WRITE))).toHaveLength(1);
    expect(resolve(grant('/run/user/1000'))).toHaveLength(1);
  });

  test("knows the session's sockets where XDG_RUNTIME_DIR says that they are", () => {
    const environment = new Map([['XDG_RUNTIME_DIR' as Bytes, '/srv/run' as Bytes]]);
    const world = fakeWorld([...TREE, '/srv/run/systemd/private'], { environment });

    expect(() => resolve(grant('/srv/run', WRITE), [], world)).toThrow(/it contains \/srv\/run\/systemd, a socket that/);
  });

  test.for([
    { path: '.', resolved: '/home/u/project' },
    { path: '../data', resolved: '/home/u/data' },
    { path: '/srv/home/u/data', resolved: '/home/u/data' },
    { path: '/dev/shm', resolved: '/dev/shm' },
  ])('resolves "$path" to $resolved', ({ path, resolved }) => {
    expect(resolve(grant(path, READ_WRITE))).toEqual([
      { path: resolved, isDirectory: true, access: READ_WRITE, origin: 'grant' },
    ]);
  });

  test.for([
    { what: 'a missing path', item: grant('nowhere'), message: /does not exist/ },
    { what: 'a file as a directory', item: grant('../data/file'), message: /not a directory/ },
    { what: 'a directory as a file', item: grant('../data', READ, 'file'), message: /is a directory/ },
    { what: 'a loop of links', item: grant('../loop'), message: /loop/ },
    { what: "nono's state", item: grant('../.nono'), message: /nono's own state/ },
    { what: "what is in nono's state", item: grant('../.nono/sessions'), message: /inside ~\/\.nono/ },
    { what: "what contains nono's state", item: grant('..'), message: /contains ~\/\.nono/ },
    { what: 'the root', item: grant('/'), message: /contains/ },
    { what: 'the state by another name', item: grant('/srv/home/u/.nono'), message: /nono's own state/ },
    { what: 'a sensitive place', item: grant('../.ssh'), message: /SSH keys/ },
    { what: 'a link to one', item: grant('../keys'), message: /SSH keys/ },
    { what: 'a file in one', item: grant('../.ssh/id', READ, 'file'), message: /inside ~\/\.ssh/ },
    { what: 'what a sensitive link leads to', item: grant('/mnt/aws'), message: /cloud credentials/ },
    { what: 'what contains that', item: grant('/mnt'), message: /contains ~\/\.aws/ },
    { what: 'what contains git credentials', item: grant('../.config/git'), message: /credentials/ },
    {
      what: "the session's bus",
      item: grant('/run/user/1000', WRITE),
      message: /contains \/run\/user\/1000\/bus, a socket that/,
    },
    { what: 'the docker socket', item: grant('/run/docker.sock', READ_WRITE, 'file'), message: /socket/ },
    { what: 'writing to the kernel', item: grant('/proc', WRITE), message: /interface of the kernel/ },
    { what: 'writing devices', item: grant('/dev', READ_WRITE), message: /interface of the kernel/ },
    { what: 'reading devices, terminals among them', item: grant('/dev'), message: /contains \/dev\/pts, the user's terminals/ },
    { what: 'reading a terminal', item: grant('/dev/pts/3', READ, 'file'), message: /inside \/dev\/pts, the user's terminals/ },
    { what: "writing nono's configuration", item: grant('../.config/nono', WRITE), message: /configuration/ },
  ])('refuses $what', ({ item, message }) => {
    expect(() => resolve(item)).toThrow(
      expect.objectContaining({ code: 'E_GRANT', exitCode: EXIT.nonoFailed, message: expect.stringMatching(message) }),
    );
  });

  test.for([
    { item: grant('../.ssh'), override: '/home/u/.ssh' },
    { item: grant('../.ssh/known_hosts', READ, 'file'), override: '../.ssh/known_hosts' },
    { item: grant('../.ssh/known_hosts', READ, 'file'), override: '/home/u/.ssh' },
    { item: grant('/mnt'), override: '/home/u/.aws' },
    { item: grant('/dev'), override: '/dev/pts' },
  ])('permits $item.path with --override-deny $override', ({ item, override }) => {
    expect(resolve(item, [override])).toHaveLength(1);
  });

  test.for([
    { item: grant('../.ssh'), override: '/home/u/.ssh/known_hosts' },
    { item: grant('../.ssh/id', READ, 'file'), override: '/home/u/.ssh/known_hosts' },
    { item: grant('../.nono'), override: '/home/u/.nono' },
    { item: grant('..'), override: '/home/u' },
  ])('refuses $item.path although $override is overridden', ({ item, override }) => {
    expect(() => resolve(item, [override])).toThrow(expect.objectContaining({ code: 'E_GRANT' }));
  });

  test("says for a working directory around nono's own state where to go", () => {
    expect(() => resolve({ ...grant('/home/u', READ_WRITE), option: '--allow-cwd' })).toThrow(
      expect.objectContaining({
        message: expect.stringMatching(/^Cannot use the working directory \(--allow-cwd\): it contains ~\//),
        hint: expect.stringMatching(/^Go to the directory of a project first/),
      }),
    );
  });

  test('lets root read no secrets of the machine, and an ordinary user not by our doing', () => {
    expect(() => resolve(grant('/etc/shadow', READ, 'file'), [], fakeWorld(TREE, { uid: 0 }))).toThrow(/secrets of the machine/);
    expect(resolve(grant('/etc/shadow', READ, 'file'))).toHaveLength(1);
  });
});

describe('a home that is kept in git', () => {
  const files = grant('../files', READ_WRITE);

  test.for([
    {
      what: 'a link above the configuration that is not there yet',
      lines: ['/home/u/.config -> files/config', '/home/u/files/config/'],
    },
    {
      what: 'a link to a configuration that is not there yet',
      lines: ['/home/u/.config/nono -> ../files/nono', '/home/u/files/'],
    },
    {
      what: 'the same by way of another',
      lines: ['/home/u/.config/nono -> ../next', '/home/u/next -> files/a/b', '/home/u/files/'],
    },
    { what: 'a linked file', lines: ['/home/u/.config/nono/config.toml -> ../../files/c', '/home/u/files/c'] },
    {
      what: 'a link to a file that is not there yet',
      lines: ['/home/u/.config/nono/config.toml -> ../../files/c', '/home/u/files/'],
    },
    { what: 'linked profiles', lines: ['/home/u/.config/nono/profiles -> ../../files/p', '/home/u/files/p/'] },
    { what: 'a linked profile', lines: ['/home/u/.config/nono/profiles/default.toml -> /home/u/files/d', '/home/u/files/d'] },
  ])('keeps its configuration for itself: $what', ({ lines }) => {
    expect(() => resolve(files, [], fakeWorld(lines))).toThrow(/contains ~\/\.config\/nono.*nono's configuration/);
    expect(resolve({ ...files, access: READ }, [], fakeWorld(lines))).toHaveLength(1);
  });

  test('is shared where the configuration is its own', () => {
    const lines = ['/home/u/files/nono.toml', '/home/u/.config/nono/profiles/default.toml', '/home/u/.bashrc -> files/bashrc'];
    expect(resolve(files, [], fakeWorld(lines))).toHaveLength(1);
  });

  test('permits a configuration that is named', () => {
    const lines = ['/home/u/.config/nono/config.toml -> ../../files/c', '/home/u/files/c'];
    expect(resolve(files, ['/home/u/.config/nono/config.toml'], fakeWorld(lines))).toHaveLength(1);
  });

  test('keeps a state for itself that a link above it leads there, before it is made', () => {
    const world = fakeWorld(['/home/u/state -> files/state', '/home/u/files/state/'], {
      stateDirectory: '/home/u/state/nono' as Bytes,
    });
    expect(() => resolve(files, [], world)).toThrow(/contains ~\/state\/nono, nono's own state/);
  });
});

describe('links that an earlier run may have put into a directory that the command may write', () => {
  const TREE_WITH_LINKS = [
    '/home/u/project/out -> /home/u/private',
    '/home/u/project/inner -> real',
    '/home/u/project/real/deep/',
    '/home/u/private/deep/',
    '/home/u/shared -> project',
    '/home/u/data -> project/out',
    '/home/u/more -> ./shared/inner/../out',
  ];

  function resolveAll(...paths: readonly string[]) {
    const world = fakeWorld(TREE_WITH_LINKS);
    const workdir = { ...grant('.', READ_WRITE), option: '--allow-cwd' };
    const grants = [workdir, ...paths.map((path) => grant(path))];
    return resolveGrants({ grants, overrides: [], sockets: [], tracked: [] }, world, sensitivePlaces(world)).rules;
  }

  test.for([
    'out',
    './out',
    'out/deep',
    '/home/u/project/out',
    '/home/u/shared/out',
    'real/../out',
    '/home/u/data',
    '/home/u/more/deep',
  ])('do not open "%s"', (path) => {
    expect(() => resolveAll(path)).toThrow(/\/home\/u\/project\/out is a link out of a directory that the command may write/);
  });

  test.for(['inner', 'inner/deep', '/home/u/shared/real', '/home/u/private'])('are not in the way of "%s"', (path) => {
    expect(resolveAll(path)).toHaveLength(2);
  });
});
