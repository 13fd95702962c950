import type { Bytes } from '../bytes.ts';
import { collect } from '../collect.ts';
import { configPath, PROFILE_ENDING, profilesPath } from '../config/config-path.ts';
import { isWithin, joinPath, parentPath } from '../paths.ts';
import { CARGO_CREDENTIALS, HOME_PLACES, PACKAGES } from './home-places.ts';
import { futurePath, namesIfListed, namesQuietly, resolveQuietly } from './look-up.ts';
import { otherNames } from './other-names.ts';
import type { Access, ForbiddenPlace } from './plan.ts';
import { isRoot, type World } from './policy.ts';

/** A place that holds what a sandboxed command must not get by accident. */
export interface SensitivePlace {
  /** As written in the tables, made absolute. */
  readonly path: Bytes;
  /** Links resolved; of what does not exist, where it will be. */
  readonly resolved: Bytes;
  /** What is there, for people. */
  readonly what: string;
  /** Reading there is harmless. */
  readonly isWriteOnly: boolean;
  /** No option permits it. */
  readonly isAbsolute: boolean;
}

/** Where the sandbox's own rules come from: a command that writes there chooses the next run's; reading is harmless. */
const OWN_CONFIGURATION = "nono's configuration";

const SOCKETS: readonly string[] = ['/run/docker.sock', '/var/run/docker.sock', '/run/podman', '/run/containerd', '/run/dbus'];

const COMMANDS_SESSION = "a socket that commands the user's session";
/** In the directory of the user's services: who connects there has programs started outside, or another engine of containers. */
const SESSION_SOCKETS: readonly string[] = ['bus', 'dbus-1', 'systemd', 'docker.sock', 'podman'];

const KERNEL_INTERFACE = 'an interface of the kernel';
/** Writing there, as root above all, changes the machine and not files. */
const KERNEL_INTERFACES: readonly string[] = ['/proc', '/sys', '/dev'];
/** Whoever opens one by its name reads what is typed there; and what holds them all has the disks in it, which root may read. */
const TERMINALS: readonly string[] = ['/dev/pts'];
/** Below /dev, and shareable like any directory. */
const SHARED_MEMORY = '/dev/shm' as Bytes;

/** Secrets of the machine, which only root could read. */
const SYSTEM_SECRETS: readonly string[] = [
  '/etc/shadow',
  '/etc/gshadow',
  '/etc/sudoers',
  '/etc/sudoers.d',
  '/etc/ssh',
  '/etc/ssl/private',
  '/etc/NetworkManager/system-connections',
];

interface PlaceFlags extends Partial<SensitivePlace> {
  /** It counts by its name when it does not exist. */
  readonly isExpected?: boolean;
}

/**
 * The directory of nono's configuration, and what is read in it: in a home that is kept in git those are links, and what they lead to may lie in a
 * directory that is shared.
 */
function configurationPaths({ facts, environment, homeDirectory }: World): readonly Bytes[] {
  const file = configPath(environment, homeDirectory);
  const directory = parentPath(file);
  if (resolveQuietly(facts, directory) === undefined) return [directory];
  const profiles = profilesPath(environment, homeDirectory);
  const names = namesQuietly(facts, profiles).filter((name) => name.endsWith(PROFILE_ENDING));
  return [directory, file, profiles, ...names.map((name) => joinPath(profiles, name))];
}

/** Where the user keeps cargo elsewhere, with `bin` on PATH. */
function cargoCredentials({ environment }: World): readonly Bytes[] {
  const directory = environment.get('CARGO_HOME' as Bytes);
  return directory?.startsWith('/') === true ? CARGO_CREDENTIALS.map((name) => joinPath(directory, name as Bytes)) : [];
}

/** Connecting takes a grant for writing; the directory may be elsewhere than logging in makes it. */
function sessionSockets({ environment, uid }: Pick<World, 'environment' | 'uid'>): readonly Bytes[] {
  const named = environment.get('XDG_RUNTIME_DIR' as Bytes);
  const directories = new Set([`/run/user/${uid}` as Bytes, ...(named?.startsWith('/') === true ? [named] : [])]);
  return collect([...directories], (directory) => SESSION_SOCKETS.map((name) => joinPath(directory, name as Bytes)));
}

interface Candidate extends PlaceFlags {
  readonly path: Bytes;
  readonly what: string;
}

/** The sensitive places that exist, with their links resolved now, by all paths that lead to them; nono's state always. */
export function sensitivePlaces(world: World, { alsoMissing = false } = {}): readonly SensitivePlace[] {
  const { facts } = world;
  const candidates = candidatePlaces(world, alsoMissing);
  facts.prepare?.(candidates.map(({ path }) => path));
  const mounts = facts.mounts?.() ?? [];
  const kernel = (facts.kernelMounts?.() ?? []).map((path) => {
    return { path, resolved: path, what: KERNEL_INTERFACE, isWriteOnly: true, isAbsolute: false };
  });
  const places = collect(candidates, ({ path, isExpected = false, ...rest }): readonly SensitivePlace[] => {
    const resolved = resolveQuietly(facts, path)?.path;
    if (resolved === undefined && !isExpected && !alsoMissing) return [];
    const place = { path, resolved: resolved ?? futurePath(facts, path), isWriteOnly: false, isAbsolute: false, ...rest };
    return [place, ...otherNames(place.resolved, mounts).map((name) => ({ ...place, path: name, resolved: name }))];
  });
  return [...places, ...kernel];
}

function candidatePlaces(world: World, alsoMissing: boolean): readonly Candidate[] {
  const { facts, homeDirectory, stateDirectory } = world;
  // Most of the table is not there: one listing of the home directory, where it may be listed, saves asking for each.
  const listed = namesIfListed(facts, homeDirectory);
  const inHome = new Set<string>(listed);
  const mayBeThere = (name: string): boolean => {
    const slash = name.indexOf('/');
    return alsoMissing || listed === undefined || inHome.has(slash < 0 ? name : name.slice(0, slash));
  };
  const named = (paths: readonly string[], what: string, flags: PlaceFlags = {}) =>
    paths.map((path) => ({ path: path as Bytes, what, ...flags }));
  return [
    { path: stateDirectory, what: "nono's own state", isAbsolute: true, isExpected: true },
    // Also where it does not exist yet: whoever makes a default profile there chooses what the next run may do.
    ...named(configurationPaths(world), OWN_CONFIGURATION, { isWriteOnly: true, isExpected: true }),
    ...collect(Object.entries(HOME_PLACES), ([what, names]) =>
      names.filter(mayBeThere).map((name) => ({ path: joinPath(homeDirectory, name as Bytes), what })),
    ),
    ...named(cargoCredentials(world), PACKAGES),
    ...named(SOCKETS, 'a socket that commands the machine'),
    ...named(sessionSockets(world), COMMANDS_SESSION, { isWriteOnly: true }),
    ...named(KERNEL_INTERFACES, KERNEL_INTERFACE, { isWriteOnly: true }),
    ...named(TERMINALS, "the user's terminals"),
    ...(isRoot(world) ? named(SYSTEM_SECRETS, 'secrets of the machine') : []),
  ];
}

/** All of them by their names alone, whether they exist or not: for a word about a path that was seen, not for a decision. */
export function sensitiveNames(world: Pick<World, 'homeDirectory' | 'stateDirectory' | 'uid'>): readonly SensitivePlace[] {
  const { homeDirectory, stateDirectory, uid } = world;
  const named = (path: Bytes, what: string, flags: Partial<SensitivePlace> = {}): SensitivePlace => {
    return { path, resolved: path, what, isWriteOnly: false, isAbsolute: false, ...flags };
  };
  const inHome = (what: string, names: readonly string[], flags?: Partial<SensitivePlace>) =>
    names.map((name) => named(joinPath(homeDirectory, name as Bytes), what, flags));
  return [
    named(stateDirectory, "nono's own state", { isAbsolute: true }),
    ...inHome(OWN_CONFIGURATION, ['.config/nono'], { isWriteOnly: true }),
    ...Object.entries(HOME_PLACES).flatMap(([what, names]) => inHome(what, names)),
    ...SOCKETS.map((path) => named(path as Bytes, 'a socket that commands the machine')),
    ...sessionSockets({ environment: new Map(), uid }).map((path) => named(path, COMMANDS_SESSION, { isWriteOnly: true })),
    ...SYSTEM_SECRETS.map((path) => named(path as Bytes, 'secrets of the machine')),
  ];
}

/**
 * What stays closed whatever is approved while the command runs: also what does not exist yet.
 *
 * @param overrides Absolute, links resolved: sensitive paths that are permitted.
 */
export function forbiddenPlaces(world: World, overrides: readonly Bytes[]): readonly ForbiddenPlace[] {
  return sensitivePlaces(world, { alsoMissing: true })
    .filter((place) => place.isAbsolute || !isOverridden(place.resolved, place, overrides))
    .flatMap(({ path, resolved, isWriteOnly }) => [...new Set([path, resolved])].map((one) => ({ path: one, isWriteOnly })));
}

/** How a path and a sensitive place meet. */
export interface Overlap {
  readonly place: SensitivePlace;
  readonly relation: 'is' | 'inside' | 'contains';
}

/**
 * The first sensitive place that access to `path` would open.
 *
 * @param path Absolute, links resolved.
 * @param overrides Absolute, links resolved: sensitive paths that are permitted.
 */
export function findOverlap(
  path: Bytes,
  access: Access,
  places: readonly SensitivePlace[],
  overrides: readonly Bytes[] = [],
): Overlap | undefined {
  for (const place of places) {
    const overlap = overlapWith(place, path, access);
    if (overlap !== undefined && (place.isAbsolute || !isOverridden(path, place, overrides))) return overlap;
  }
  return undefined;
}

/** All sensitive places that access to `path` would open. @param path Absolute, links resolved. */
export function findOverlaps(path: Bytes, access: Access, places: readonly SensitivePlace[]): readonly Overlap[] {
  return places.flatMap((place) => overlapWith(place, path, access) ?? []);
}

function overlapWith(place: SensitivePlace, path: Bytes, access: Access): Overlap | undefined {
  if (place.isWriteOnly && !access.write) return undefined;
  const relation = relate(path, place);
  return relation && { place, relation };
}

function relate(path: Bytes, { path: written, resolved }: SensitivePlace): Overlap['relation'] | undefined {
  if (path === resolved || path === written) return 'is';
  if (isWithin(path, resolved) || isWithin(path, written)) {
    return isWithin(path, SHARED_MEMORY) && written === '/dev' ? undefined : 'inside';
  }
  return isWithin(resolved, path) || isWithin(written, path) ? 'contains' : undefined;
}

/** Named itself, or a part of it was named and the grant stays within that part. */
function isOverridden(path: Bytes, { path: written, resolved }: SensitivePlace, overrides: readonly Bytes[]): boolean {
  return overrides.some(
    (override) => override === written || override === resolved || (isWithin(override, resolved) && isWithin(path, override)),
  );
}
