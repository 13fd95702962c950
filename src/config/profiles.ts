import { type Bytes, bytesFromText, displayBytes, isUtf8, textFromBytes } from '../bytes.ts';
import { ConfigError, isErrno } from '../errors.ts';
import { nearest } from '../nearest.ts';
import { joinPath, parentPath, resolvePath } from '../paths.ts';
import type { Files } from '../ports/files.ts';
import { BUILT_IN_PROFILES } from './built-in-profiles.ts';
import { PROFILE_ENDING, profileFile } from './config-path.ts';
import { joinProfiles, layProfile, parseProfile } from './profile.ts';
import { EMPTY_PROFILE, type Profile } from './profile-type.ts';
import { readTextFile } from './text-file.ts';

export const PROFILE_NAME_REGEXP = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/** Where profiles are looked for. */
export interface ProfilePlaces {
  readonly files: Files;
  /** `~/.config/nono/profiles`, whether or not it exists. */
  readonly directory: Bytes;
  /** What a relative path on the command line begins at. */
  readonly workingDirectory: Bytes;
  readonly homeDirectory: Bytes;
}

/** A profile as it was found, unread. */
interface FoundProfile {
  /** The same for every way to name it. */
  readonly key: string;
  readonly fileName: string;
  readonly text: string;
  /** Where the relative paths of its `extends` begin; undefined for a built-in one. */
  readonly directory: Bytes | undefined;
}

/** A profile for `nono profile list`. */
export interface ListedProfile {
  readonly name: string;
  readonly isBuiltIn: boolean;
  /** For people; the built-in ones have `built-in/NAME.toml`. */
  readonly fileName: string;
}

/** A word with a slash or the ending of a file is a path, so that `--profile x` never reads ./x. */
export function isProfilePath(reference: Bytes): boolean {
  return reference.includes('/') || reference.endsWith(PROFILE_ENDING);
}

/** The file that a word which isProfilePath() names. */
export function profilePath(
  reference: Bytes,
  { homeDirectory, workingDirectory }: Pick<ProfilePlaces, 'homeDirectory' | 'workingDirectory'>,
): Bytes {
  if (reference.startsWith('~/')) return joinPath(homeDirectory, reference.slice(2) as Bytes);
  return resolvePath(workingDirectory, reference);
}

/**
 * Reads a profile and all that it extends.
 *
 * @throws {ConfigError} for one that is missing, wrong or extends itself; with file and line where there is one.
 */
export function resolveProfile(reference: Bytes, places: ProfilePlaces): Profile {
  const shown = displayBytes(reference);
  const reader = new ProfileReader(places);
  return { ...reader.read(reference, undefined), name: shown, sources: reader.sources };
}

/** The file of a profile as it was written. @throws {ConfigError} */
export function findProfileText(reference: Bytes, places: ProfilePlaces): string {
  return new ProfileReader(places).text(reference);
}

/** Every profile that can be named, the user's first; one that hides a built-in one stands for it. */
export function listProfiles(places: Pick<ProfilePlaces, 'files' | 'directory'>): readonly ListedProfile[] {
  const own = ownNames(places).map((name) => ({
    name,
    isBuiltIn: false,
    fileName: displayBytes(profileFile(places.directory, name)),
  }));
  const builtIn = [...BUILT_IN_PROFILES.keys()].filter((name) => !own.some((profile) => profile.name === name));
  return [...own, ...builtIn.map((name) => ({ name, isBuiltIn: true, fileName: builtInFile(name) }))];
}

function ownNames({ files, directory }: Pick<ProfilePlaces, 'files' | 'directory'>): readonly string[] {
  try {
    using opened = files.openDirectory(directory);
    return opened
      .names()
      .filter((name) => name.endsWith(PROFILE_ENDING) && isUtf8(name))
      .map((name) => textFromBytes(name).slice(0, -PROFILE_ENDING.length))
      .filter((name) => PROFILE_NAME_REGEXP.test(name))
      .sort();
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return [];
    throw error;
  }
}

function builtInFile(name: string): string {
  return `built-in/${name}${PROFILE_ENDING}`;
}

/** What names a profile: the command line, or a line of another profile. */
interface Referrer {
  readonly found: FoundProfile;
  readonly line: number;
}

class ProfileReader {
  readonly #places: ProfilePlaces;
  /** The user's files that were read. */
  readonly sources: Bytes[] = [];
  /** The files that are being read, each extending the next. */
  readonly #chain: FoundProfile[] = [];
  /** What was read, with all that it extends: what many profiles extend is read once. */
  readonly #read = new Map<string, Profile>();

  constructor(places: ProfilePlaces) {
    this.#places = places;
  }

  read(reference: Bytes, from: Referrer | undefined): Profile {
    const found = this.#find(reference, from) ?? this.#missing(reference, from);
    this.#refuseCycle(found, from);
    const known = this.#read.get(found.key);
    if (known !== undefined) return known;
    if (found.directory !== undefined) this.sources.push(found.key as Bytes);
    this.#chain.push(found);
    const file = parseProfile(found.text, found.fileName);
    const base = file.settings[''].extends.reduce(
      (joined, { text, line }) => joinProfiles(joined, this.read(bytesFromText(text), { found, line })),
      EMPTY_PROFILE,
    );
    this.#chain.pop();
    const profile = layProfile(base, file);
    this.#read.set(found.key, profile);
    return profile;
  }

  text(reference: Bytes): string {
    return (this.#find(reference, undefined) ?? this.#missing(reference, undefined)).text;
  }

  #find(reference: Bytes, from: Referrer | undefined): FoundProfile | undefined {
    if (isProfilePath(reference)) return this.#readFile(this.#pathOf(reference, from));
    if (!PROFILE_NAME_REGEXP.test(reference)) return undefined;
    const path = profileFile(this.#places.directory, reference);
    // The user's own profile of a built-in one's name adds to that one: it cannot mean itself.
    const own = from?.found.key === path ? undefined : this.#readFile(path);
    if (own !== undefined) return own;
    const text = BUILT_IN_PROFILES.get(reference);
    const fileName = builtInFile(reference);
    return text === undefined ? undefined : { key: fileName, fileName, text, directory: undefined };
  }

  /** From the directory of the file that names it, or from the working directory. */
  #pathOf(reference: Bytes, from: Referrer | undefined): Bytes {
    const { homeDirectory, workingDirectory } = this.#places;
    return profilePath(reference, { homeDirectory, workingDirectory: from?.found.directory ?? workingDirectory });
  }

  #readFile(path: Bytes): FoundProfile | undefined {
    const text = readTextFile(this.#places.files, path);
    return text === undefined ? undefined : { key: path, fileName: displayBytes(path), text, directory: parentPath(path) };
  }

  #missing(reference: Bytes, from: Referrer | undefined): never {
    const shown = displayBytes(reference);
    const guess = isProfilePath(reference)
      ? undefined
      : nearest(
          reference,
          // One that extends itself is there, and is not what was meant.
          listProfiles(this.#places).flatMap(({ name }) => (name === reference ? [] : [name])),
        );
    const hint = guess === undefined ? 'See `nono profile list`' : `Did you mean ${guess}?`;
    const what = isProfilePath(reference) ? `there is no file "${shown}"` : `there is no profile "${shown}"`;
    if (from !== undefined) throw placed(from, what, hint);
    throw new ConfigError(`Cannot use the profile "${shown}": ${what}`, { hint });
  }

  #refuseCycle({ key }: FoundProfile, from: Referrer | undefined): void {
    const at = this.#chain.findIndex((profile) => profile.key === key);
    if (at < 0 || from === undefined) return;
    const circle = [...this.#chain.slice(at), this.#chain[at] as FoundProfile].map(({ fileName }) => fileName);
    throw placed(from, `the profile extends itself: ${circle.join(' → ')}`, 'Take one of them out of `extends`');
  }
}

function placed({ found, line }: Referrer, message: string, hint?: string): ConfigError {
  return new ConfigError(`${found.fileName}:${line}: ${message}`, { hint });
}
