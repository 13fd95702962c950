import { ConfigError } from '../errors.ts';
import { checkDocument, type Problem } from './check.ts';
import type { PlacedText } from './kinds.ts';
import { PROFILE_SCHEMA } from './profile-schema.ts';
import { mapPaths, type Profile, type SourcedText } from './profile-type.ts';
import type { Settings } from './schema.ts';
import { parseToml } from './toml.ts';

type ProfileSettings = Settings<typeof PROFILE_SCHEMA>;

/** One file as it was written. */
export interface ProfileFile {
  /** For messages. */
  readonly fileName: string;
  readonly settings: ProfileSettings;
}

/**
 * Reads one profile without what it extends.
 *
 * @throws {ConfigError} with one line `FILE:LINE: …` for each problem.
 */
export function parseProfile(text: string, fileName: string): ProfileFile {
  const { settings, problems } = checkDocument(parseToml(text, fileName), PROFILE_SCHEMA);
  const all = [...problems, ...contradictions(settings)].sort((a, b) => a.line - b.line);
  if (all.length > 0) throw new ConfigError(all.map(({ line, message }) => `${fileName}:${line}: ${message}`).join('\n'));
  return { fileName, settings };
}

/** `file` on top of `base`: lists grow, single values are replaced, and of a variable the last word counts. */
export function layProfile(base: Profile, { fileName, settings }: ProfileFile): Profile {
  const { '': top, workdir, filesystem, network, environment, rollback } = settings;
  const source = ({ text, line }: PlacedText): SourcedText => ({ text, place: `${fileName}:${line}` });
  const add = (known: readonly SourcedText[], more: readonly PlacedText[]) => union(known, more.map(source));
  const [allowed, denied] = [environment.allow_vars.map(source), environment.deny_vars.map(source)];
  const sources = (table: ReadonlyMap<string, PlacedText>) =>
    Array.from(table, ([name, value]) => [name, source(value)] as const);
  const set = sources(environment.set_vars);
  return {
    ...base,
    description: top.description ?? base.description,
    files: base.files.includes(fileName) ? base.files : [...base.files, fileName],
    asks: top.ask ?? base.asks,
    workdirAccess: workdir.access ?? base.workdirAccess,
    paths: mapPaths((key) => add(base.paths[key], filesystem[key])),
    madeFiles: new Map([...base.madeFiles, ...sources(filesystem.create_file)]),
    blocksNetwork: network.block ?? base.blocksNetwork,
    ...joinVariables(base, { allowedVariables: allowed, deniedVariables: denied, setVariables: new Map(set) }),
    excludePatterns: add(base.excludePatterns, rollback.exclude_patterns),
    excludeGlobs: add(base.excludeGlobs, rollback.exclude_globs),
    tracked: add(base.tracked, rollback.track),
  };
}

/** `other` after `base`, as a profile that extends both has it. */
export function joinProfiles(base: Profile, other: Profile): Profile {
  return {
    ...other,
    description: other.description === '' ? base.description : other.description,
    files: [...new Set([...base.files, ...other.files])],
    asks: base.asks || other.asks,
    workdirAccess: other.workdirAccess === 'none' ? base.workdirAccess : other.workdirAccess,
    paths: mapPaths((key) => union(base.paths[key], other.paths[key])),
    madeFiles: new Map([...base.madeFiles, ...other.madeFiles]),
    blocksNetwork: base.blocksNetwork === true ? true : other.blocksNetwork || base.blocksNetwork,
    ...joinVariables(base, other),
    excludePatterns: union(base.excludePatterns, other.excludePatterns),
    excludeGlobs: union(base.excludeGlobs, other.excludeGlobs),
    tracked: union(base.tracked, other.tracked),
  };
}

type Variables = Pick<Profile, 'allowedVariables' | 'deniedVariables' | 'setVariables'>;

/** Of a variable the last word counts: what `later` says of all names with a beginning it says of each of them. */
function joinVariables(base: Variables, later: Variables): Variables {
  const { allowedVariables: allowed, deniedVariables: denied, setVariables: set } = later;
  const given = [...allowed, ...Array.from(set.keys(), (text) => ({ text }))];
  const isOpen = (name: string) => !denied.some(({ text }) => covers(text, name));
  return {
    allowedVariables: union(
      base.allowedVariables.filter(({ text }) => isOpen(text)),
      allowed,
    ),
    deniedVariables: union(
      base.deniedVariables.filter((word) => !given.some(({ text }) => covers(text, word.text))),
      denied,
    ),
    setVariables: new Map([...[...base.setVariables].filter(([name]) => isOpen(name)), ...set]),
  };
}

/** Whether `entry`, a name or a beginning that ends with `*`, stands for all that `other` stands for. */
function covers(entry: string, other: string): boolean {
  return entry.endsWith('*') ? other.startsWith(entry.slice(0, -1)) : other === entry;
}

function union(known: readonly SourcedText[], more: readonly SourcedText[]): readonly SourcedText[] {
  const texts = new Set(known.map(({ text }) => text));
  const fresh = more.filter(({ text }) => {
    const isFresh = !texts.has(text);
    texts.add(text);
    return isFresh;
  });
  return [...known, ...fresh];
}

/** What one file says in two ways. */
function contradictions({ environment, filesystem }: ProfileSettings): readonly Problem[] {
  const { allow_vars, deny_vars, set_vars } = environment;
  const denied = new Map(deny_vars.map(({ text, line }) => [text, line]));
  const variables = [...allow_vars.map(({ text, line }) => ({ text, line, key: 'allow_vars' })), ...setNames(set_vars)];
  return [
    ...variables.flatMap(({ text, line, key }) => contradiction(text, { line, key }, denied.get(text), 'deny_vars')),
    ...(['allow_file', 'read_file', 'write_file'] as const).flatMap((key) => {
      const directories = new Map(filesystem[DIRECTORY_FORMS[key]].map(({ text, line }) => [text, line]));
      return filesystem[key].flatMap(({ text, line }) =>
        contradiction(text, { line, key }, directories.get(text), DIRECTORY_FORMS[key]),
      );
    }),
  ];
}

const DIRECTORY_FORMS = { allow_file: 'allow', read_file: 'read', write_file: 'write' } as const;

function setNames(set: ReadonlyMap<string, PlacedText>) {
  return Array.from(set, ([text, { line }]) => ({ text, line, key: 'set_vars' }));
}

interface Place {
  readonly line: number;
  readonly key: string;
}

function contradiction(text: string, { line, key }: Place, otherLine: number | undefined, otherKey: string): readonly Problem[] {
  if (otherLine === undefined) return [];
  const [at, first, before] = line > otherLine ? [line, key, otherKey] : [otherLine, otherKey, key];
  const message = `${JSON.stringify(text)} of "${first}" is also in "${before}" in line ${Math.min(line, otherLine)}: keep one of the two`;
  return [{ line: at, message }];
}
