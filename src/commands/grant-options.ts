import { type Bytes, bytesFromText, displayBytes } from '../bytes.ts';
import { collect } from '../collect.ts';
import { type ExpansionFacts, expandPath } from '../config/expansion.ts';
import type { PathKey, Profile, SourcedText, WorkdirAccess } from '../config/profile-type.ts';
import { isWithin, joinPath, tildePath } from '../paths.ts';
import type { PathFacts } from '../ports/path-facts.ts';
import { resolveQuietly } from '../sandbox/look-up.ts';
import { type Access, describeAccess, READ, READ_WRITE, WRITE } from '../sandbox/plan.ts';
import type { Grant, SourcedPath } from '../sandbox/policy.ts';
import type { ParsedCall } from './spec.ts';

/** The options that share paths, and what each gives. */
const OPTIONS: readonly (readonly [option: string, access: Access, kind: Grant['kind']])[] = [
  ['allow', READ_WRITE, 'directory'],
  ['read', READ, 'directory'],
  ['write', WRITE, 'directory'],
  ['allow-file', READ_WRITE, 'file'],
  ['read-file', READ, 'file'],
  ['write-file', WRITE, 'file'],
];

/** The same for the keys of a profile. */
const KEYS: readonly (readonly [key: PathKey, access: Access, kind: Grant['kind']])[] = [
  ['allow', READ_WRITE, 'directory'],
  ['create', READ_WRITE, 'directory'],
  ['read', READ, 'directory'],
  ['write', WRITE, 'directory'],
  ['allow_file', READ_WRITE, 'file'],
  ['read_file', READ, 'file'],
  ['write_file', WRITE, 'file'],
];

const NOTHING_IN_IT: Pick<Grant, 'made'> = { made: { content: '' as Bytes } };

/** What `[workdir] access` shares; where it is none, `--allow-cwd` and the question mean reading and writing. */
const WORKDIR_ACCESS: Readonly<Record<WorkdirAccess, Access>> = {
  none: READ_WRITE,
  read: READ,
  write: WRITE,
  readwrite: READ_WRITE,
};

/** The paths that the options and the profile share, as written. */
export interface ChosenPaths {
  readonly grants: readonly Grant[];
  readonly sockets: readonly SourcedPath[];
  readonly overrides: readonly Bytes[];
  readonly tracked: readonly SourcedPath[];
}

export function choosePaths({ values }: ParsedCall, profile: Profile, facts: ExpansionFacts): ChosenPaths {
  const expand = (key: string, texts: readonly SourcedText[]): readonly SourcedPath[] =>
    texts.map(({ text, place }) => ({ path: expandPath(text, facts), option: key, place }));
  const given = (option: string): readonly SourcedPath[] =>
    (values.get(option) ?? []).map((path) => ({ path, option: `--${option}` }));
  return {
    grants: [
      ...collect(OPTIONS, ([option, access, kind]) => given(option).map((path) => ({ ...path, access, kind }))),
      ...collect(KEYS, ([key, access, kind]) =>
        expand(key, profile.paths[key]).map((path) => ({ ...path, access, kind, ...(key === 'create' ? NOTHING_IN_IT : {}) })),
      ),
      ...[...profile.madeFiles].map(
        ([path, { text, place }]): Grant => ({
          path: expandPath(path, facts),
          access: READ_WRITE,
          kind: 'file',
          option: 'create_file',
          place,
          made: { content: bytesFromText(text) },
        }),
      ),
    ],
    sockets: [...given('allow-socket'), ...expand('allow_socket', profile.paths.allow_socket)],
    overrides: [
      ...(values.get('override-deny') ?? []),
      ...profile.paths.override_deny.map(({ text }) => expandPath(text, facts)),
    ],
    tracked: expand('track', profile.tracked),
  };
}

/** The grant that `--allow-cwd` and a yes to the question stand for. */
export function workdirGrant({ workdirAccess }: Profile, workingDirectory: Bytes): Grant {
  return { path: workingDirectory, access: WORKDIR_ACCESS[workdirAccess], kind: 'directory', option: '--allow-cwd' };
}

/** Whether the user is to be asked for the working directory: nothing else is shared, or the profile works there. */
export function needsWorkdir(
  { grants, sockets }: ChosenPaths,
  profile: Profile,
  facts: PathFacts,
  workingDirectory: Bytes,
): boolean {
  if (grants.length === 0 && sockets.length === 0) return true;
  if (profile.workdirAccess === 'none') return false;
  const wanted = WORKDIR_ACCESS[profile.workdirAccess];
  const given = grants.filter((grant) => covers(grant, facts, workingDirectory)).map(({ access }) => access);
  return (wanted.read && !given.some(({ read }) => read)) || (wanted.write && !given.some(({ write }) => write));
}

function covers({ path, kind }: Grant, facts: PathFacts, workingDirectory: Bytes): boolean {
  if (kind !== 'directory') return false;
  const found = resolveQuietly(facts, path.startsWith('/') ? path : joinPath(workingDirectory, path));
  return found !== undefined && isWithin(workingDirectory, found.path);
}

/** "Share ~/project with the command, for reading and writing?" */
export function workdirQuestion(grant: Grant, profile: Profile, homeDirectory: Bytes): string {
  const whom = profile.name === 'default' ? 'the command' : `the command (profile ${profile.name})`;
  return `Share ${displayBytes(tildePath(grant.path, homeDirectory))} with ${whom}, for ${describeAccess(grant.access)}?`;
}

/** The variables that the profile sets, their beginnings expanded as those of paths are. */
export function profileVariables({ setVariables }: Profile, facts: ExpansionFacts): ReadonlyMap<Bytes, Bytes> {
  return new Map([...setVariables].map(([name, { text }]) => [bytesFromText(name), expandPath(text, facts)]));
}
