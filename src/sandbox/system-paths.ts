import type { Bytes } from '../bytes.ts';
import { collect } from '../collect.ts';
import { isWithin, joinPath, parentPath } from '../paths.ts';
import type { FoundPath, PathFacts } from '../ports/path-facts.ts';
import { existing, listQuietly, namesQuietly, resolveQuietly } from './look-up.ts';
import { DEVICE, type PathRule, READ } from './plan.ts';
import type { Plantable } from './planted.ts';
import { isRoot, type World } from './policy.ts';
import type { SensitivePlace } from './sensitive.ts';

/** Where programs, their libraries and their data are on a Linux system. */
const PROGRAM_DIRECTORIES: readonly string[] = [
  '/usr',
  '/bin',
  '/sbin',
  '/lib',
  '/lib32',
  '/lib64',
  '/libx32',
  '/opt',
  '/home/linuxbrew/.linuxbrew',
  '/nix/store',
  '/gnu/store',
  '/run/current-system',
  '/snap',
];

/** What the C library and language runtimes read of the machine at start. */
const KERNEL_DIRECTORIES: readonly string[] = [
  '/proc',
  '/sys/devices/system/cpu',
  '/sys/devices/system/node',
  '/sys/fs/cgroup',
  '/sys/kernel/mm/transparent_hugepage',
];

const DEVICES: readonly string[] = [
  '/dev/null',
  '/dev/zero',
  '/dev/full',
  '/dev/random',
  '/dev/urandom',
  '/dev/tty',
  '/dev/ptmx',
  '/dev/pts/ptmx',
];

/** Directories of /etc that may hold secrets, at any depth, beside what everybody may read: of these each file is looked at. */
const MIXED_DIRECTORIES: readonly string[] = [
  'NetworkManager',
  'ansible',
  'apache2',
  'cups',
  'default',
  'docker',
  'dovecot',
  'exim4',
  'gitlab',
  'gitlab-runner',
  'grafana',
  'haproxy',
  'httpd',
  'ipsec.d',
  'k3s',
  'kubernetes',
  'ldap',
  'letsencrypt',
  'mosquitto',
  'mysql',
  'nginx',
  'openldap',
  'openvpn',
  'pki',
  'postfix',
  'postgresql',
  'ppp',
  'rabbitmq',
  'rancher',
  'redis',
  'samba',
  'security',
  'ssh',
  'ssl',
  'stunnel',
  'sysconfig',
  'systemd',
  'wireguard',
  'wpa_supplicant',
  'zabbix',
];
/** Below them, what is public throughout and holds hundreds of files: one rule. */
const PUBLIC_DIRECTORIES: readonly string[] = ['pki/ca-trust', 'pki/tls/certs', 'ssl/certs', 'systemd/system', 'systemd/user'];

const ETC = '/etc' as Bytes;
const RESOLVER_CONFIGURATION = '/etc/resolv.conf' as Bytes;
const GIT_FILE = '.gitconfig' as Bytes;
const GIT_DIRECTORY = '.config/git' as Bytes;
const GIT_CREDENTIALS = 'credentials' as Bytes;
const OTHERS_MAY_READ = 0o004;
const OTHERS_MAY_ENTER = 0o005;

/**
 * The paths that every program needs to start, readable; and the harmless devices.
 *
 * @param places What may lie among them and stays closed, as the home directory does.
 */
export function systemRules(world: World, plantable: Plantable, places: readonly SensitivePlace[]): readonly PathRule[] {
  const { facts } = world;
  const closed = closedPaths(world, places);
  const directories = [...PROGRAM_DIRECTORIES, ...KERNEL_DIRECTORIES] as Bytes[];
  const devices = DEVICES as readonly Bytes[];
  const git = joinPath(world.homeDirectory, GIT_DIRECTORY);
  facts.prepare?.([...directories, ...devices, ETC, RESOLVER_CONFIGURATION, git, joinPath(world.homeDirectory, GIT_FILE)]);
  return [
    ...collect(directories, (path) => collect(existing(facts, path, READ, 'system'), (rule) => around(closed, rule, facts))),
    ...collect(devices, (path) => existing(facts, path, DEVICE, 'device')),
    ...(isRoot(world) ? publicEntries(facts, ETC) : existing(facts, ETC, READ, 'system')),
    ...resolverRules(world),
    ...gitConfiguration(world, plantable, resolveQuietly(facts, git) === undefined ? undefined : git),
  ];
}

/**
 * /etc for root, whom no permission stops: what an ordinary user may not read there, such as shadow,
 * sudoers and host keys, stays closed. Landlock cannot take a file out of a directory, so the others are
 * granted one by one.
 */
function publicEntries(facts: PathFacts, path: Bytes): readonly PathRule[] {
  const rules: PathRule[] = [];
  const links: Bytes[] = [];
  addPublicEntries(facts, path, rules, links);
  // Links of all directories together: each call costs a start more than what it looks up.
  facts.prepare?.(links);
  for (const link of links) rules.push(...publicLink(facts, link));
  return rules;
}

function addPublicEntries(facts: PathFacts, path: Bytes, rules: PathRule[], links: Bytes[]): void {
  for (const entry of listQuietly(facts, path)) {
    if (!isPublic(entry)) continue;
    const { name, kind } = entry;
    const below = joinPath(path, name);
    if (kind === 'symlink') links.push(below);
    else if (kind !== 'directory') rules.push({ path: below, isDirectory: false, access: READ, origin: 'system' });
    else if (isMixed(below)) addPublicEntries(facts, below, rules, links);
    else rules.push({ path: below, isDirectory: true, access: READ, origin: 'system' });
  }
}

/** @param directory below /etc */
function isMixed(directory: Bytes): boolean {
  const inside = directory.slice(ETC.length + 1);
  const end = inside.indexOf('/');
  return MIXED_DIRECTORIES.includes(end < 0 ? inside : inside.slice(0, end)) && !PUBLIC_DIRECTORIES.includes(inside);
}

function isPublic({ kind, mode }: Pick<FoundPath, 'kind' | 'mode'>): boolean {
  const needed = kind === 'directory' ? OTHERS_MAY_ENTER : OTHERS_MAY_READ;
  return (mode & needed) === needed;
}

/** Only to a public file of /etc: a link must not open a directory of secrets, nor what is elsewhere. */
function publicLink(facts: PathFacts, path: Bytes): readonly PathRule[] {
  const target = resolveQuietly(facts, path);
  if (target === undefined || target.kind === 'directory' || !isWithin(target.path, ETC) || !isPublic(target)) return [];
  return [{ path: target.path, isDirectory: false, access: READ, origin: 'system' }];
}

/**
 * The home directory, and what of the sensitive places is outside of it: homes of services and of containers are in /opt (/opt/app-root/src), /usr or behind
 * a link there.
 */
function closedPaths({ homeDirectory }: World, places: readonly SensitivePlace[]): readonly Bytes[] {
  const closed = [homeDirectory];
  const isInHome = (path: Bytes): boolean => homeDirectory !== '/' && isWithin(path, homeDirectory);
  for (const { path, resolved, isWriteOnly } of places) {
    if (isWriteOnly) continue;
    if (!isInHome(path)) closed.push(path);
    if (resolved !== path && !isInHome(resolved)) closed.push(resolved);
  }
  return closed;
}

/** Landlock cannot take anything out of a directory: where it holds what stays closed, its other entries are given one by one. */
function around(closed: readonly Bytes[], rule: PathRule, facts: PathFacts): readonly PathRule[] {
  const inside = closed.filter((path) => isWithin(path, rule.path));
  if (inside.length === 0) return [rule];
  if (inside.includes(rule.path)) return [];
  return collect(listQuietly(facts, rule.path), ({ name, kind }) => {
    const path = joinPath(rule.path, name);
    // What a link leads to has a rule of its own, or none.
    return kind === 'symlink' ? [] : around(inside, { ...rule, path, isDirectory: kind === 'directory' }, facts);
  });
}

/** Resolver managers keep the file below /run and replace it: then its directory is what lasts, unless root would find there what is not for everybody. */
function resolverRules(world: World): readonly PathRule[] {
  const { facts } = world;
  const target = resolveQuietly(facts, RESOLVER_CONFIGURATION);
  if (target === undefined || isWithin(target.path, ETC)) return [];
  const directory = parentPath(target.path);
  const lasts =
    isWithin(directory, '/run' as Bytes) && directory !== '/run' && !(isRoot(world) && holdsSecrets(facts, directory));
  return existing(facts, lasts ? directory : target.path, READ, 'system');
}

/** Wi-Fi keys beside NetworkManager's resolv.conf, say. Sockets are none: who may connect is decided elsewhere. */
function holdsSecrets(facts: PathFacts, directory: Bytes): boolean {
  return listQuietly(facts, directory).some((entry) => (entry.kind === 'directory' || entry.kind === 'file') && !isPublic(entry));
}

/** Git's user configuration, without the credentials that it may store beside it. */
function gitConfiguration(
  { facts, homeDirectory }: World,
  plantable: Plantable,
  directory: Bytes | undefined,
): readonly PathRule[] {
  const paths = [joinPath(homeDirectory, GIT_FILE)];
  if (directory !== undefined)
    for (const name of namesQuietly(facts, directory)) if (name !== GIT_CREDENTIALS) paths.push(joinPath(directory, name));
  return collect(paths, (path) =>
    existing(facts, path, READ, 'system').filter((rule) => plantable.linkOutOn(path, rule.path) === undefined),
  );
}
