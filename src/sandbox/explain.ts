import { type Bytes, displayBytes } from '../bytes.ts';
import { isWithin } from '../paths.ts';
import type { FileKind } from '../ports/files.ts';
import { shownWord } from '../shell-word.ts';
import { hasDatagrams, mediationOf } from './linux/mediation.ts';
import { type Access, type PathRule, type Plan, READ_WRITE } from './plan.ts';
import { findOverlap, findOverlaps, type SensitivePlace } from './sensitive.ts';

/** What `nono why --op` asks about. */
export type Operation = 'read' | 'write' | 'readwrite' | 'connect';

/** Whoever looks finds its own entries there: a rule is for those of the process that made it, and gives the command none. */
const OWN_PROCESS = '/proc/self' as Bytes;

/** What somebody asks about. */
export interface Target {
  /** Absolute, links resolved; for what does not exist yet where it would be. */
  readonly path: Bytes;
  /** Undefined for what does not exist, in a directory that does. */
  readonly kind: FileKind | undefined;
  /** The directory that it is in, links resolved. */
  readonly directory: Bytes;
  /** Whether it is a socket that datagrams are sent to, as far as that is known. */
  readonly isDatagram?: boolean;
}

/** How the plan answers, with the reason. */
export interface Explanation {
  readonly isAllowed: boolean;
  readonly reason: string;
  /** The rules that give something there, the closest first. */
  readonly rules: readonly PathRule[];
  /** The option that would give what is missing; undefined when nothing is missing, or nothing gives it. */
  readonly way?: string;
}

/**
 * What a plan says of connecting to a local socket by its path: the mediator connects to those that are named, and to
 * those in what may be written.
 */
export function explainConnect(
  plan: Pick<Plan, 'rules' | 'sockets' | 'network'>,
  { path, kind, isDatagram = false }: Target,
  places: readonly SensitivePlace[],
): Explanation {
  if (kind !== 'socket')
    return { isAllowed: false, reason: kind === undefined ? 'it does not exist' : 'it is no socket', rules: [] };
  const { writable, sockets } = mediationOf(plan);
  const named = sockets.find((socket) => isWithin(path, socket));
  if (named !== undefined) return { isAllowed: true, reason: `the socket grant of ${displayBytes(named)} gives it`, rules: [] };
  const rules = plan.rules.filter((rule) => covers(rule, path));
  const inside = writable.find(({ path: rule, isDirectory }) => (isDirectory ? isWithin(path, rule) : path === rule));
  if (inside !== undefined && isDatagram && !hasDatagrams(plan))
    return {
      isAllowed: false,
      reason: 'it is a datagram socket, which no command can connect to without --allow-socket',
      rules,
      way: `--allow-socket ${shownWord(path)}`,
    };
  if (inside !== undefined)
    return { isAllowed: true, reason: `it is in ${displayBytes(inside.path)}, which may be written`, rules };
  const overlaps = findOverlaps(path, READ_WRITE, places);
  const what = overlaps.slice(0, 1).map(({ relation, place }) => `; ${relationText(relation, place)}`);
  const refused = { isAllowed: false, reason: `no grant names this socket${what.join('')}`, rules };
  if (overlaps.some(({ place }) => place.isAbsolute)) return refused;
  return { ...refused, way: `--allow-socket ${shownWord(path)}${overridesFor(overlaps.map(({ place }) => place))}` };
}

/**
 * What a plan says of one path. Landlock adds up the rules of the path and of all directories above it, so a rule never
 * takes away what another one gives.
 */
export function explainAccess(
  plan: Pick<Plan, 'rules'>,
  { path, kind, directory }: Target,
  operation: Exclude<Operation, 'connect'>,
  places: readonly SensitivePlace[],
): Explanation {
  // What does not exist is made in its directory.
  const asked = kind === undefined ? directory : path;
  const rules = plan.rules.filter((rule) => covers(rule, asked)).toSorted((a, b) => b.path.length - a.path.length);
  const wanted: Access = { read: operation !== 'write', write: operation !== 'read', control: false };
  const missing = {
    read: wanted.read && !rules.some(({ access }) => access.read),
    write: wanted.write && !rules.some(({ access }) => access.write),
  };
  if (!missing.read && !missing.write) {
    const giving = rules.filter(({ access }) => (wanted.read && access.read) || (wanted.write && access.write));
    return { isAllowed: true, reason: `${giving.map(describeRule).slice(0, 2).join(' and ')} gives it`, rules };
  }
  const word = missing.read && missing.write ? 'reading or writing' : missing.read ? 'reading' : 'writing';
  const closest = rules[0];
  const only = closest === undefined ? 'no rule reaches it' : `${describeRule(closest)} gives no ${word}`;
  const opened: Access = { ...missing, control: false };
  const overlap = findOverlap(path, opened, places);
  const what = overlap === undefined ? '' : `; ${relationText(overlap.relation, overlap.place)}`;
  // All that the option would open: a directory, where what is asked about does not exist yet.
  const inWay = findOverlaps(asked, opened, places).map(({ place }) => place);
  const closed = inWay.find(({ isAbsolute }) => isAbsolute);
  if (closed !== undefined) {
    const why = overlap?.place === closed ? '' : `; ${directoryText(kind, closed)}`;
    return { isAllowed: false, reason: `${only}${what}${why}`, rules };
  }
  if (isWithin(asked, OWN_PROCESS)) return { isAllowed: false, reason: `${only}${what}`, rules };
  const option = optionFor(missing, kind === undefined || kind === 'directory');
  return {
    isAllowed: false,
    reason: `${only}${what}`,
    rules,
    way: `${option} ${shownWord(asked)}${overridesFor(inWay)}`,
  };
}

/** The options that permit them, behind the one that would open them. */
function overridesFor(places: readonly SensitivePlace[]): string {
  return [...new Set(places.map(({ path }) => ` --override-deny ${shownWord(path)}`))].join('');
}

/** Why nothing gives what could be given but for that place. */
function directoryText(kind: FileKind | undefined, { path, what }: SensitivePlace): string {
  const start = kind === undefined ? 'it does not exist, and its directory cannot be shared: that' : 'it cannot be shared: it';
  return `${start} contains ${displayBytes(path)}, ${what}`;
}

function covers({ path: rule, isDirectory }: PathRule, path: Bytes): boolean {
  return isDirectory ? isWithin(path, rule) : path === rule;
}

function relationText(relation: 'is' | 'inside' | 'contains', { path, what }: SensitivePlace): string {
  if (relation === 'is') return `it is ${what}`;
  return relation === 'inside' ? `it is inside ${displayBytes(path)}, ${what}` : `it contains ${displayBytes(path)}, ${what}`;
}

function optionFor({ read, write }: Pick<Access, 'read' | 'write'>, isDirectory: boolean): string {
  const base = read && write ? '--allow' : read ? '--read' : '--write';
  return isDirectory ? base : `${base}-file`;
}

const ORIGINS: Readonly<Record<PathRule['origin'], string>> = {
  system: 'the system path',
  toolchain: 'the toolchain',
  device: 'the device',
  stream: 'the standard stream',
  temporary: 'the temporary directory',
  profile: "the profile's",
  grant: 'the grant of',
};

function describeRule({ path, origin }: PathRule): string {
  return `${ORIGINS[origin]} ${displayBytes(path)}`;
}
