import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../../src/bytes.ts';
import { kernelMounts, sharedMounts } from '../../../src/platform/linux/shared-mounts.ts';
import { resolveGrants } from '../../../src/sandbox/grants.ts';
import { otherNames } from '../../../src/sandbox/other-names.ts';
import { type Access, READ, READ_WRITE } from '../../../src/sandbox/plan.ts';
import { forbiddenPlaces, sensitivePlaces } from '../../../src/sandbox/sensitive.ts';
import { fakeWorld } from './fake-facts.ts';

/** A container: its own root, the home directory of the host, and that home once more with all else of the host; a file system of its own in the home. */
const MOUNTINFO = [
  '21 1 0:30 / / rw,relatime - overlay overlay rw',
  '22 21 254:0 /home/u /home/u rw,relatime master:1 - ext4 /dev/vda rw',
  '23 21 254:0 / /run/host rw,relatime - ext4 /dev/vda rw',
  '24 21 254:0 /home/u/my\\040keys/\\134old /srv/keys rw - ext4 /dev/vda rw',
  '25 22 0:31 / /home/u/memory rw - tmpfs tmpfs rw',
  '26 21 0:4 net:[4026531840] /run/netns/x rw - nsfs nsfs rw',
  '',
].join('\n');
const MOUNTS = sharedMounts(MOUNTINFO);

test.for([
  { path: '/home/u/.ssh', names: ['/run/host/home/u/.ssh'] },
  { path: '/home/u', names: ['/run/host/home/u', '/srv/keys'] },
  { path: '/home/u/my keys', names: ['/run/host/home/u/my keys', '/srv/keys'] },
  { path: '/home/u/my keys/\\old/id', names: ['/run/host/home/u/my keys/\\old/id', '/srv/keys/id'] },
  { path: '/srv/keys/id', names: ['/home/u/my keys/\\old/id', '/run/host/home/u/my keys/\\old/id'] },
  { path: '/home/u/memory/x', names: [] },
  { path: '/etc/shadow', names: [] },
])('$path has the other names $names', ({ path, names }) => {
  expect(otherNames(path as Bytes, MOUNTS)).toEqual(names);
});

test('what is mounted above something else on the same path counts', () => {
  const twice = sharedMounts('1 0 8:1 /a /m rw\n2 0 8:1 /b /m rw\n3 0 8:1 / /whole rw\n');

  expect(otherNames('/m/x' as Bytes, twice)).toEqual(['/whole/b/x']);
});

test('where nothing is mounted twice there is nothing to look through', () => {
  expect(sharedMounts('21 1 0:30 / / rw - overlay overlay rw\n22 21 254:0 / /home rw - ext4 /dev/vda rw\n')).toEqual([]);
});

test('interfaces of the kernel are found wherever they are mounted beside their usual places', () => {
  const lines = [
    '22 21 0:21 / /proc rw,nosuid shared:5 - proc proc rw',
    '23 21 0:22 / /sys rw - sysfs sysfs rw',
    '24 23 0:27 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw',
    '71 44 0:39 / /srv/a\\040root/proc rw,relatime shared:7 master:1 - proc proc rw',
    '72 44 0:40 / /srv/cg rw - cgroup2 none rw',
    '73 44 0:41 / /srv/proc rw - tmpfs proc rw',
    '',
  ];

  expect(kernelMounts(lines.join('\n')).toSorted()).toEqual(['/srv/a root/proc', '/srv/cg']);
});

describe('an interface of the kernel in a directory', () => {
  const plain = fakeWorld(['/srv/root/proc/', '/srv/root/etc/']);
  const world = { ...plain, facts: { ...plain.facts, kernelMounts: () => ['/srv/root/proc' as Bytes] } };
  const share = (path: string, access: Access, override?: string) => {
    const grants = [{ path: path as Bytes, access, kind: 'directory', option: '--allow' } as const];
    const overrides = (override === undefined ? [] : [override]) as Bytes[];
    return resolveGrants({ grants, overrides, sockets: [], tracked: [] }, world, sensitivePlaces(world)).rules.length;
  };

  test('is not shared for writing with what it is in, unless it is named', () => {
    expect(() => share('/srv/root', READ_WRITE)).toThrow(/contains \/srv\/root\/proc, an interface of the kernel/);
    expect(() => share('/srv/root/proc', READ_WRITE)).toThrow(/that is an interface of the kernel/);
    expect([share('/srv/root', READ), share('/srv/root/etc', READ_WRITE)]).toEqual([1, 1]);
    expect(share('/srv/root', READ_WRITE, '/srv/root/proc')).toBe(1);
  });
});

describe('a sensitive place that is mounted elsewhere too', () => {
  const plain = fakeWorld([
    '/home/u/.ssh/id',
    '/home/u/.nono/x',
    '/run/host/home/u/.ssh/id',
    '/run/host/home/v/',
    '/run/host/etc/',
  ]);
  const world = { ...plain, facts: { ...plain.facts, mounts: () => MOUNTS } };
  const share = (path: string, override?: string) => {
    const grants = [{ path: path as Bytes, access: READ, kind: 'directory', option: '--read' } as const];
    const overrides = (override === undefined ? [] : [override]) as Bytes[];
    return resolveGrants({ grants, overrides, sockets: [], tracked: [] }, world, sensitivePlaces(world)).rules.length;
  };

  test.for([
    { path: '/run/host', why: /contains \/run\/host\/home\/u\/\.nono, nono's own state/ },
    { path: '/run/host/home/u/.ssh', why: /SSH keys/ },
    { path: '/run/host/home/u', why: /contains/ },
  ])('is not shared as $path', ({ path, why }) => {
    expect(() => share(path)).toThrow(why);
  });

  test('can be permitted by that name, and leaves what is beside it', () => {
    expect(share('/run/host/home/u/.ssh', '/run/host/home/u/.ssh')).toBe(1);
    expect(share('/run/host/home/v')).toBe(1);
    expect(share('/run/host/etc')).toBe(1);
  });

  test('is opened by no yes there', () => {
    const closed = forbiddenPlaces(world, []).map(({ path }) => path);

    expect(closed).toEqual(expect.arrayContaining(['/home/u/.nono', '/run/host/home/u/.nono', '/run/host/home/u/.ssh']));
  });
});
