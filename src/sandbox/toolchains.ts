import type { Bytes } from '../bytes.ts';
import { collect } from '../collect.ts';
import { baseName, isWithin, joinPath, parentPath, relativePath } from '../paths.ts';
import type { PathFacts } from '../ports/path-facts.ts';
import { type FoundFile, pathEntries, searchPath } from './command.ts';
import { existing, listQuietly, namesQuietly, resolveQuietly } from './look-up.ts';
import { type PathRule, READ } from './plan.ts';
import type { Plantable } from './planted.ts';
import type { World } from './policy.ts';
import { findOverlap, type SensitivePlace } from './sensitive.ts';

/** Directories of programs: what is beside them belongs to the same installation. */
const PROGRAM_NAMES: readonly string[] = ['bin', 'sbin', 'shims', 'libexec'];

/** Places below the home directory that many tools share, with data beside programs: never shared whole. */
const SHARED: readonly string[] = [
  '',
  '.local',
  '.local/share',
  '.local/state',
  '.local/lib',
  '.config',
  '.cache',
  '.cargo',
  '.npm',
  '.gem',
  '.var',
  'go',
  'Library',
  'snap',
];

/** What is beside the `bin` of an installation, of which each has one at least; beside that of the user's own scripts there is anything. */
const PARTS: readonly string[] = [
  'lib',
  'lib64',
  'libs',
  'libexec',
  'share',
  'include',
  'jars',
  'pkg',
  'packages',
  'plugins',
  'runtime',
  'jre',
  'node_modules',
  'pyvenv.cfg',
];
/** A library, beside a program that was unpacked without a `bin`. */
const LIBRARY_REGEXP = /\.so[.\d]*$/;
const MODULES_REGEXP = /(?:^|\/)node_modules(?:\/|$)/;

/** What a tool in `bin` needs elsewhere: the toolchains behind rustup's proxies, and cargo's own settings. */
const COMPANIONS: ReadonlyMap<string, readonly string[]> = new Map([
  ['.cargo/bin', ['.rustup', '.cargo/config.toml', '.cargo/config', '.cargo/env']],
]);
const COMPANION_VARIABLES: ReadonlyMap<string, readonly string[]> = new Map([['.cargo/bin', ['RUSTUP_HOME']]]);

/** Names under which an environment links to the interpreter that it was made from. */
const INTERPRETERS: readonly string[] = ['python', 'python3', 'node', 'ruby'];

/** What says that a directory is an environment of Python, and what such a one has in it. */
const ENVIRONMENT_FILE = 'pyvenv.cfg' as Bytes;
const ENVIRONMENT_NAMES: readonly string[] = [
  ENVIRONMENT_FILE,
  'bin',
  'lib',
  'lib64',
  'include',
  'share',
  'etc',
  'man',
  '.gitignore',
  'CACHEDIR.TAG',
];
const ANY_MAY_EXECUTE = 0o111;

/** Installations found behind links of installations: a version manager, an interpreter, an environment. */
const DEPTH_MAXIMUM = 4;

/**
 * Rules for the tools that the user installed below the home directory: the prefix of each PATH entry and
 * of the command itself, readable and executable.
 */
export function toolchainRules(
  chain: readonly FoundFile[],
  world: World,
  places: readonly SensitivePlace[],
  plantable: Plantable,
): readonly PathRule[] {
  const search = new Search(world, places, plantable);
  const absolute: readonly string[] = pathEntries(world).filter((entry) => entry.startsWith('/'));
  // One that begins where the command works means what happens to be there, unless it is called as a directory of programs is.
  const directories = searchPath(world).filter((entry) => absolute.includes(entry) || holdsPrograms(entry));
  world.facts.prepare?.(directories);
  for (const directory of directories) search.addPrograms(directory, 0);
  const files = collect(chain, (file) => {
    if (!search.mayUse(file)) return [];
    const directory = parentPath(file.path);
    search.addProgram(file.resolved, 0);
    if (holdsPrograms(directory) && search.mayUseAround(file)) search.addPrograms(directory, 0);
    return existing(world.facts, file.resolved, READ, 'toolchain');
  });
  return [...files.filter(({ path }) => findOverlap(path, READ, places) === undefined), ...search.rules];
}

class Search {
  readonly rules: PathRule[] = [];
  readonly #world: World;
  readonly #places: readonly SensitivePlace[];
  readonly #plantable: Plantable;
  readonly #visited = new Set<Bytes>();

  constructor(world: World, places: readonly SensitivePlace[], plantable: Plantable) {
    this.#world = world;
    this.#places = places;
    this.#plantable = plantable;
  }

  /** Not what a script or a link names that an earlier run may have written, unless it is an interpreter: environments link to those wherever they are. */
  mayUse(file: FoundFile): boolean {
    const { path, resolved } = file;
    const isPlanted = this.#isNamedByPlanted(file) || this.#plantable.linkOutOn(path, resolved) !== undefined;
    return !isPlanted || isInterpreter(resolved, this.#world);
  }

  /** The directory that it was named in, too. */
  mayUseAround(file: FoundFile): boolean {
    return !this.#isNamedByPlanted(file) || isEnvironment(parentPath(parentPath(file.path)), this.#world);
  }

  #isNamedByPlanted({ resolved, namedBy }: FoundFile): boolean {
    return namedBy !== undefined && this.#plantable.has(namedBy) && !this.#plantable.has(resolved);
  }

  /** A directory of programs: its installation, and what its links lead to. */
  addPrograms(written: Bytes, depth: number): void {
    const { facts, homeDirectory } = this.#world;
    const directory = resolveQuietly(facts, written)?.path;
    if (directory === undefined || !this.#isInHome(directory) || this.#visited.has(directory)) return;
    if (this.#plantable.linkOutOn(written, directory) !== undefined) return;
    this.#visited.add(directory);
    const prefix = holdsPrograms(directory) ? parentPath(directory) : directory;
    const isShared = (prefix === directory || this.#mayBeInstallation(prefix)) && this.#share(prefix);
    if (!isShared) this.#share(directory);
    this.#addCompanions(relativePath(directory, homeDirectory));
    if (depth >= DEPTH_MAXIMUM) return;
    // An installation has its programs inside; only the interpreter of an environment may be elsewhere.
    const links = isShared ? INTERPRETERS : linksIn(facts, directory);
    for (const name of links) {
      const path = joinPath(directory, name as Bytes);
      const resolved = resolveQuietly(facts, path)?.path;
      if (resolved === undefined || isWithin(resolved, isShared ? prefix : directory)) continue;
      if (this.mayUse({ path, resolved })) this.addProgram(resolved, depth + 1);
    }
  }

  /**
   * What a program lies in, or what is above its `bin`: not `~/Dropbox`, `~/Downloads` or `~/work/x` for the sake of a script there. Hidden directories are the
   * tools' own.
   */
  #mayBeInstallation(prefix: Bytes): boolean {
    const { facts, homeDirectory } = this.#world;
    const inside = relativePath(prefix, homeDirectory);
    if (inside.startsWith('.') || baseName(prefix).startsWith('.') || MODULES_REGEXP.test(inside)) return true;
    return namesQuietly(facts, prefix).some((name) => PARTS.includes(name) || LIBRARY_REGEXP.test(name));
  }

  /** One program with its links resolved: the installation that it is part of, or the file alone. */
  addProgram(path: Bytes, depth: number): void {
    if (!this.#isInHome(path) || this.#visited.has(path)) return;
    this.#visited.add(path);
    const installation = installationOf(path, this.#world.homeDirectory);
    if (installation !== undefined && this.#mayBeInstallation(installation) && this.#share(installation)) {
      this.addPrograms(joinPath(installation, 'bin' as Bytes), depth + 1);
    } else {
      this.#share(path);
    }
  }

  #addCompanions(relative: string): void {
    const { homeDirectory, environment } = this.#world;
    for (const name of COMPANIONS.get(relative) ?? []) this.#share(joinPath(homeDirectory, name as Bytes));
    for (const name of COMPANION_VARIABLES.get(relative) ?? []) {
      const path = environment.get(name as Bytes);
      if (path?.startsWith('/')) this.#share(path);
    }
  }

  #isInHome(path: Bytes): boolean {
    return path !== this.#world.homeDirectory && isWithin(path, this.#world.homeDirectory);
  }

  /** @returns false for what is shared by many tools, holds something sensitive or does not exist. */
  #share(path: Bytes): boolean {
    const { facts, homeDirectory } = this.#world;
    const [rule] = existing(facts, path, READ, 'toolchain');
    if (rule === undefined || !this.#isInHome(rule.path)) return false;
    if (this.#plantable.linkOutOn(path, rule.path) !== undefined) return false;
    if (SHARED.includes(relativePath(rule.path, homeDirectory))) return false;
    if (findOverlap(rule.path, READ, this.#places) !== undefined) return false;
    this.rules.push(rule);
    return true;
  }
}

/** By its name and place: what lies around one is an installation, and nothing of the user's. */
function isInterpreter(path: Bytes, { facts }: World): boolean {
  const found = resolveQuietly(facts, path);
  if (found?.kind !== 'file' || (found.mode & ANY_MAY_EXECUTE) === 0) return false;
  return (
    PROGRAM_NAMES.includes(baseName(parentPath(path))) &&
    /^(?:python|pypy|node|ruby|perl|php|bun|deno)[\d.]*[dt]?$/.test(baseName(path))
  );
}

/** Of Python, and nothing else in it: a project can be its own environment. */
function isEnvironment(prefix: Bytes, { facts }: World): boolean {
  const names = namesQuietly(facts, prefix);
  return names.includes(ENVIRONMENT_FILE) && names.every((name) => ENVIRONMENT_NAMES.includes(name));
}

/** A package that is installed beside others, as npm does without `--global`, has its dependencies beside it too. */
function holdsPrograms(directory: Bytes): boolean {
  const name = baseName(directory);
  return PROGRAM_NAMES.includes(name) || (name === '.bin' && baseName(parentPath(directory)) === 'node_modules');
}

/**
 * The directory that a program was installed as: its package below the innermost node_modules, else what
 * is above its bin, else the directory that it is in.
 */
export function installationOf(path: Bytes, homeDirectory: Bytes): Bytes | undefined {
  const parts = relativePath(path, homeDirectory).split('/');
  const modules = parts.lastIndexOf('node_modules');
  if (modules >= 0) {
    const end = modules + (parts[modules + 1]?.startsWith('@') === true ? 3 : 2);
    return end < parts.length ? joinPath(homeDirectory, parts.slice(0, end).join('/') as Bytes) : undefined;
  }
  const programs = parts.findLastIndex((part, at) => at < parts.length - 1 && PROGRAM_NAMES.includes(part));
  const end = programs >= 0 ? programs : parts.length - 1;
  return end === 0 ? undefined : joinPath(homeDirectory, parts.slice(0, end).join('/') as Bytes);
}

function linksIn(facts: PathFacts, path: Bytes): readonly string[] {
  return listQuietly(facts, path)
    .filter(({ kind }) => kind === 'symlink')
    .map(({ name }) => name);
}
