import { type Bytes, bytesFromText, displayBytes } from '../bytes.ts';
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
  // Most calls share nothing but the working directory: nothing is made for what they leave out.
  const grants: Grant[] = [];
  for (const [option, access, kind] of OPTIONS)
    for (const path of values.get(option) ?? []) grants.push({ path, option: `--${option}`, access, kind });
  for (const [key, access, kind] of KEYS)
    for (const written of profile.paths[key])
      grants.push({ ...expand(key, written, facts), access, kind, ...(key === 'create' ? NOTHING_IN_IT : {}) });
  for (const [path, { text, place }] of profile.madeFiles)
    grants.push({
      ...expand('create_file', { text: path, place }, facts),
      access: READ_WRITE,
      kind: 'file',
      made: { content: bytesFromText(text) },
    });
  const sockets: SourcedPath[] = [];
  for (const path of values.get('allow-socket') ?? []) sockets.push({ path, option: '--allow-socket' });
  for (const written of profile.paths.allow_socket) sockets.push(expand('allow_socket', written, facts));
  const overrides: Bytes[] = [...(values.get('override-deny') ?? [])];
  for (const { text } of profile.paths.override_deny) overrides.push(expandPath(text, facts));
  return { grants, sockets, overrides, tracked: profile.tracked.map((written) => expand('track', written, facts)) };
}

function expand(key: string, { text, place }: SourcedText, facts: ExpansionFacts): SourcedPath {
  return { path: expandPath(text, facts), option: key, place };
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
