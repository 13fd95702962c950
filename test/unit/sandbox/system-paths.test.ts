import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../../src/bytes.ts';
import { Plantable } from '../../../src/sandbox/planted.ts';
import type { World } from '../../../src/sandbox/policy.ts';
import { sensitivePlaces } from '../../../src/sandbox/sensitive.ts';
import { systemRules } from '../../../src/sandbox/system-paths.ts';
import { fakeWorld } from './fake-facts.ts';

const TREE = [
  '/etc/passwd',
  '!/etc/shadow',
  '/etc/ssh/ssh_config',
  '!/etc/ssh/ssh_host_rsa_key',
  '!/etc/sudoers.d/',
  '/etc/ssl/certs/ca.pem',
  '!/etc/ssl/private/',
  '/etc/alias -> shadow',
  '/etc/localtime -> /usr/share/zone',
  '/usr/share/zone',
  '/proc/',
  '/dev/null',
  '/dev/tty',
];

function paths(uid: number, lines: readonly string[] = TREE, changes: Partial<World> = {}): readonly string[] {
  const world = fakeWorld(lines, { uid, ...changes });
  return systemRules(world, new Plantable([], world), sensitivePlaces(world)).map(({ path }) => path);
}

describe('systemRules()', () => {
  test('gives an ordinary user /etc as a whole: permissions protect the rest', () => {
    expect(paths(1000)).toEqual(expect.arrayContaining(['/usr', '/proc', '/dev/null', '/etc']));
  });

  test('gives root only what everybody may read in /etc', () => {
    const inEtc = paths(0).filter((path) => path.startsWith('/etc'));

    expect(inEtc.toSorted()).toEqual(['/etc/passwd', '/etc/ssh/ssh_config', '/etc/ssl/certs']);
  });

  test('looks at each file, at any depth, where secrets are kept beside what everybody may read', () => {
    const tree = [
      '/etc/postgresql/15/main/postgresql.conf',
      '!/etc/postgresql/15/main/pg_hba.conf',
      '/etc/kubernetes/pki/ca.crt',
      '!/etc/kubernetes/pki/ca.key',
      '/etc/fonts/conf.d/10.conf',
    ];

    const inEtc = paths(0, tree).filter((path) => path.startsWith('/etc'));

    expect(inEtc.toSorted()).toEqual(['/etc/fonts', '/etc/kubernetes/pki/ca.crt', '/etc/postgresql/15/main/postgresql.conf']);
  });

  test.for([
    { target: '/run/systemd/resolve/stub-resolv.conf', expected: '/run/systemd/resolve' },
    { target: '/run/resolv.conf', expected: '/run/resolv.conf' },
    { target: '/mnt/wsl/resolv.conf', expected: '/mnt/wsl/resolv.conf' },
  ])('finds the resolver configuration at $target', ({ target, expected }) => {
    expect(paths(1000, [`/etc/resolv.conf -> ${target}`, target])).toContain(expected);
  });

  test('gives root the resolver configuration alone where secrets are beside it', () => {
    const file = '/run/NetworkManager/resolv.conf';
    const tree = [`/etc/resolv.conf -> ${file}`, file, '!/run/NetworkManager/system-connections/'];

    expect(paths(0, tree)).toContain(file);
    expect(paths(0, tree)).not.toContain('/run/NetworkManager');
    expect(paths(1000, tree)).toContain('/run/NetworkManager');
  });

  describe('where there are private things among programs', () => {
    const tree = [
      '/opt/app/bin/python',
      '/opt/app/notes -> src/notes',
      '/opt/app/src/.ssh/id',
      '/opt/app/src/notes',
      '/opt/tool/run',
    ];
    const inOpt = (lines: readonly string[], changes: Partial<World>) =>
      paths(1000, lines, changes)
        .filter((path) => path.startsWith('/opt'))
        .toSorted();

    test('gives what is beside a home directory, and nothing in it', () => {
      const homeDirectory = '/opt/app/src' as Bytes;

      expect(inOpt(tree, { homeDirectory, stateDirectory: '/opt/app/src/.nono' as Bytes })).toEqual([
        '/opt/app/bin',
        '/opt/tool',
      ]);
    });

    test.for([{ homeDirectory: '/home/u' }, { homeDirectory: '/' }])(
      "gives nothing of nono's own state from $homeDirectory",
      (home) => {
        const changes = { homeDirectory: home.homeDirectory as Bytes, stateDirectory: '/opt/state' as Bytes };

        expect(inOpt([...tree, '/opt/state/sessions/'], changes)).toEqual(['/opt/app', '/opt/tool']);
      },
    );

    test('gives nothing of keys that a link in the home directory leads to', () => {
      expect(inOpt([...tree, '/opt/keys/id', '/home/u/.ssh -> /opt/keys'], {})).toEqual(['/opt/app', '/opt/tool']);
    });
  });

  test("shares git's configuration without the credentials beside it", () => {
    const found = paths(1000, ['/home/u/.gitconfig', '/home/u/.config/git/config', '/home/u/.config/git/credentials']);

    expect(found).toEqual(expect.arrayContaining(['/home/u/.gitconfig', '/home/u/.config/git/config']));
    expect(found).not.toContain('/home/u/.config/git/credentials');
    expect(found).not.toContain('/home/u/.config/git');
  });

  test('opens neither the home directory nor /tmp', () => {
    expect(paths(1000).filter((path) => path.startsWith('/home') || path.startsWith('/tmp'))).toEqual([]);
  });
});
