import { type Bytes, displayBytes } from '../bytes.ts';
import { collect } from '../collect.ts';
import { isErrno } from '../errors.ts';
import { baseName, isWithin, joinPath, parentPath, resolvePath, tildePath } from '../paths.ts';
import type { FoundPath } from '../ports/path-facts.ts';
import { GrantError } from './grant-error.ts';
import { resolveQuietly } from './look-up.ts';
import { type Access, type InitialFile, type PathRule, READ_WRITE, type SkippedGrant } from './plan.ts';
import { absolute, Plantable } from './planted.ts';
import type { Grant, SourcedPath, World } from './policy.ts';
import { findOverlap, type Overlap, type SensitivePlace } from './sensitive.ts';

/** What the written grants mean on this machine. */
export interface ResolvedGrants {
  readonly rules: readonly PathRule[];
  /** Absolute, links resolved. */
  readonly sockets: readonly Bytes[];
  /** What the command line shares for writing, and what the profile wants tracked of its own. */
  readonly writable: readonly Bytes[];
  /** Directories to make, each after its parents. */
  readonly missingDirectories: readonly Bytes[];
  readonly missingFiles: readonly InitialFile[];
  readonly skipped: readonly SkippedGrant[];
  /** Sensitive paths that are permitted: absolute, links resolved. */
  readonly permitted: readonly Bytes[];
}

interface WrittenGrants {
  readonly grants: readonly Grant[];
  readonly overrides: readonly Bytes[];
  readonly sockets: readonly SourcedPath[];
  readonly tracked: readonly SourcedPath[];
}

/**
 * Turns what the user and the profile wrote into rules. What a profile names and this machine does not have is skipped.
 *
 * @throws {GrantError} for an option's path that is missing or of the other type, and for any that is too dangerous to share.
 */
export function resolveGrants(written: WrittenGrants, world: World, places: readonly SensitivePlace[]): ResolvedGrants {
  const resolver = new Resolver(world, places, written.overrides);
  for (const grant of written.grants) resolver.add(grant);
  const sockets = collect(written.sockets, (socket) => resolver.socket(socket));
  resolver.refusePlantedLinks();
  return {
    rules: resolver.rules,
    sockets: [...new Set(sockets)].sort(),
    writable: [...resolver.writable, ...collect(written.tracked, (path) => resolver.tracked(path))],
    missingDirectories: resolver.missingDirectories,
    missingFiles: resolver.missingFiles,
    skipped: resolver.skipped,
    permitted: resolver.permitted,
  };
}

class Resolver {
  readonly rules: PathRule[] = [];
  readonly writable: Bytes[] = [];
  readonly missingDirectories: Bytes[] = [];
  readonly missingFiles: InitialFile[] = [];
  readonly skipped: SkippedGrant[] = [];
  readonly #resolved: { readonly source: SourcedPath; readonly path: Bytes }[] = [];
  readonly #world: World;
  readonly #places: readonly SensitivePlace[];
  readonly permitted: readonly Bytes[];

  constructor(world: World, places: readonly SensitivePlace[], overrides: readonly Bytes[]) {
    this.#world = world;
    this.#places = places;
    this.permitted = overrides.map((path) => resolveOverride(path, world));
  }

  add(grant: Grant): void {
    const found = this.#find(grant);
    if (found === 'skipped') return;
    if (found === undefined) {
      if (grant.made !== undefined) this.#addMissing(grant, grant.made.content);
      else this.#skipMissing(grant);
      return;
    }
    const isDirectory = grant.kind === 'directory';
    if (isDirectory && found.kind !== 'directory') {
      this.#skip(grant, 'it is not a directory', `Use ${fileForm(grant)} for a single file`);
    } else if (!isDirectory && found.kind === 'directory') {
      this.#skip(grant, 'it is a directory', `Use ${directoryForm(grant)} for a directory`);
    } else {
      this.#share(grant, found.path);
    }
  }

  /** A socket, or a directory of sockets. */
  socket(socket: SourcedPath): readonly Bytes[] {
    const found = this.#find(socket);
    if (found === 'skipped') return [];
    if (found === undefined) this.#skip(socket, 'it does not exist', 'Start what listens there first, or grant its directory');
    else if (found.kind !== 'socket' && found.kind !== 'directory') this.#skip(socket, 'it is no socket', 'Correct the path');
    else {
      this.#refuseOverlap(socket, found.path, READ_WRITE);
      this.#resolved.push({ source: socket, path: found.path });
      return [found.path];
    }
    return [];
  }

  /** What a profile wants tracked has to be something that it lets the command write. */
  tracked(path: SourcedPath): readonly Bytes[] {
    const found = this.#future(path.path).path;
    const isWritable = this.rules.some(({ path: rule, access }) => access.write && isWithin(found, rule));
    if (isWritable) return [found];
    if (this.skipped.some((skipped) => this.#future(skipped.path).path === found)) return [];
    throw new GrantError(
      `Cannot track ${name(path)}: the command may not write it`,
      'Share it with `allow` or `write` in the same profile, or take it out of `track`',
    );
  }

  #share(grant: Grant, path: Bytes): void {
    this.#refuseOverlap(grant, path, grant.access);
    this.#resolved.push({ source: grant, path });
    const isOption = grant.place === undefined;
    const origin = isOption ? 'grant' : 'profile';
    this.rules.push({ path, isDirectory: grant.kind === 'directory', access: grant.access, origin });
    if (isOption && grant.access.write) this.writable.push(path);
  }

  /**
   * A link in a directory that the command may write may be the work of an earlier run, and must not lead this one
   * out of there: it would have chosen its own grants.
   *
   * @throws {GrantError} for one that leads to where no grant for writing is.
   */
  refusePlantedLinks(): void {
    const plantable = new Plantable(this.rules, this.#world);
    for (const { source, path } of this.#resolved) {
      const link = plantable.linkOutOn(source.path, path);
      if (link === undefined) continue;
      throw new GrantError(
        `Cannot use ${name(source)}: ${displayBytes(link)} is a link out of a directory that the command may write`,
        `An earlier run may have put it there: look at it, and grant ${displayBytes(path)} itself`,
      );
    }
  }

  /** What must never be shared is refused before it exists too. */
  #skipMissing(grant: Grant): void {
    this.#refuseOverlap(grant, this.#future(grant.path).path, grant.access);
    this.#skip(grant, 'it does not exist', missingHint(grant));
  }

  #addMissing(grant: Grant, content: Bytes): void {
    const { path, missing } = this.#future(grant.path);
    this.#share(grant, path);
    const isFile = grant.kind === 'file';
    if (isFile) this.missingFiles.push({ path, content });
    for (const directory of isFile ? missing.slice(0, -1) : missing)
      if (!this.missingDirectories.includes(directory)) this.missingDirectories.push(directory);
  }

  /** Where a missing path will be once it is made, and the directories that lead to it. */
  #future(written: Bytes): { readonly path: Bytes; readonly missing: readonly Bytes[] } {
    const { facts, workingDirectory } = this.#world;
    const path = resolvePath(workingDirectory, written);
    const above = parentPath(path);
    const found = resolveQuietly(facts, path)?.path;
    if (found !== undefined || above === '') return { path: found ?? path, missing: [] };
    const parent = this.#future(above);
    const made = joinPath(parent.path, baseName(path));
    return { path: made, missing: [...parent.missing, made] };
  }

  #find(source: SourcedPath): FoundPath | 'skipped' | undefined {
    try {
      return this.#world.facts.resolve(absolute(source.path, this.#world.workingDirectory));
    } catch (error) {
      const [reason, hint] = lookUpFailure(error) ?? [];
      if (reason === undefined || hint === undefined) throw error;
      this.#skip(source, reason, hint);
      return 'skipped';
    }
  }

  /** The end of an option that cannot be given; a profile is for many machines. */
  #skip(source: SourcedPath, reason: string, hint: string): void {
    if (source.place === undefined) throw new GrantError(`Cannot use ${name(source)}: ${reason}`, hint);
    const { place, path } = source;
    if (!this.skipped.some((known) => known.place === place && known.path === path)) this.skipped.push({ place, path, reason });
  }

  #refuseOverlap(source: SourcedPath, path: Bytes, access: Access): void {
    const overlap = findOverlap(path, access, this.#places, this.permitted);
    if (overlap !== undefined) throw refusal(source, path, overlap, this.#world);
  }
}

/** An override may name what does not exist (yet): then its name counts. */
function resolveOverride(path: Bytes, { facts, workingDirectory }: World): Bytes {
  return resolveQuietly(facts, absolute(path, workingDirectory))?.path ?? resolvePath(workingDirectory, path);
}

function lookUpFailure(error: unknown): readonly [reason: string, hint: string] | undefined {
  if (isErrno(error, 'EACCES')) return ['permission denied', 'Grant a path that you may use yourself'];
  if (isErrno(error, 'ELOOP')) return ['its links form a loop', 'Grant the path that was meant'];
  if (isErrno(error, 'ENAMETOOLONG')) return ['the name is too long', 'Grant a directory above it'];
  return undefined;
}

function missingHint({ kind, access, path }: Grant): string {
  if (path.startsWith('~'))
    return 'A shell leaves ~ as it is in quotes and behind =: write the path behind a blank, or with $HOME';
  if (kind === 'directory') return 'Create it first with `mkdir`, or correct the path';
  return access.write ? 'Create it first with `touch`, or grant the directory that it will be in' : 'Correct the path';
}

function fileForm({ option, place }: Grant): string {
  return place === undefined ? `${option}-file` : `${option}_file`;
}

function directoryForm({ option }: Grant): string {
  return option.replace(/[-_]file$/, '');
}

function refusal(source: SourcedPath, path: Bytes, { place, relation }: Overlap, { homeDirectory }: World): GrantError {
  const shown = displayBytes(tildePath(place.path, homeDirectory));
  const reasons = {
    is: `that is ${place.what}`,
    inside: `it is inside ${shown}, ${place.what}`,
    contains: `it contains ${shown}, ${place.what}, which cannot be carved out of it`,
  };
  const resolved = path === source.path || source.path === '.' ? '' : ` (${displayBytes(path)})`;
  const isWorkdir = source.option === '--allow-cwd';
  const narrower =
    relation !== 'contains'
      ? 'Leave it out'
      : isWorkdir
        ? 'Go to the directory of a project first, or share those that it needs with --allow DIR'
        : 'Grant narrower directories';
  const permit = source.place === undefined ? `--override-deny ${shown}` : `override_deny = ["${shown}"]`;
  return new GrantError(
    `Cannot use ${name(source)}${resolved}: ${reasons[relation]}`,
    place.isAbsolute ? `${narrower}: no option permits this one` : `${narrower}, or permit it with ${permit}`,
  );
}

/** `--allow "x"`, or `"x" of allow in profile.toml:3`. */
function name({ option, place, path }: SourcedPath): string {
  if (place !== undefined) return `"${displayBytes(path)}" of ${option} in ${place}`;
  return option === '--allow-cwd' ? 'the working directory (--allow-cwd)' : `${option} "${displayBytes(path)}"`;
}
