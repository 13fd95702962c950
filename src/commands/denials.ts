import { type Bytes, displayBytes, storeBytes } from '../bytes.ts';
import { isWithin, parentPath } from '../paths.ts';
import { decodeRefusals, type ObservedRefusal } from '../sandbox/linux/refusals.ts';
import { READ_WRITE } from '../sandbox/plan.ts';
import { findOverlap, type SensitivePlace, sensitiveNames } from '../sandbox/sensitive.ts';
import type { Denial } from '../session/approvals.ts';
import type { AuditEvent } from '../session/audit-event.ts';
import type { CommandEnd } from '../session/live-session.ts';
import { accessWord } from '../session/question.ts';
import { shownWord } from '../shell-word.ts';

/** More are only counted. */
const SHOWN_MAXIMUM = 10;
/** What no grant opens to changes; `/dev/shm` is a directory as any other. */
const INTERFACES = ['/proc', '/sys', '/dev'].map((path) => path as Bytes);
const SHARED_MEMORY = '/dev/shm' as Bytes;
const ONLY_WITH_ASK = 'Files that could not be opened are seen, and asked about, only with --ask';

/** What was seen of a run. */
export interface SeenDenials {
  /** Of questions, and of what nobody was asked about; undefined where nobody is asked. */
  readonly denials: readonly Denial[] | undefined;
  /** What the mediator noted down. */
  readonly refused: Uint8Array;
  /** Writable files whose directories are closed. */
  readonly loneFiles: readonly Bytes[];
  readonly homeDirectory: Bytes;
  readonly stateDirectory: Bytes;
  readonly uid: number;
}

/** What a command that failed was refused, each with the option that would have given it; nothing for one that worked. */
export function denialLines(
  { denials, refused, loneFiles, ...places }: SeenDenials,
  { exitCode }: CommandEnd,
): readonly string[] {
  if (exitCode === 0) return [];
  const { all, more: unnoted } = decodeRefusals(refused);
  const isLooked = all.length + loneFiles.length + (denials?.length ?? 0) > 0;
  const sensitive = isLooked ? sensitiveNames(places) : [];
  const seen = all
    .filter(({ kind, name }) => !isChange(kind) || !isInterface(name))
    .map((one) => describeRefusal(one, sensitive));
  const lines = [
    ...(denials ?? []).map((denial) => `Denied: ${accessWord(denial.access)} ${describe(denial, sensitive)}`),
    ...seen.map((line) => `Denied: ${line}`),
  ];
  const more = lines.length - SHOWN_MAXIMUM + unnoted;
  return [
    ...lines.slice(0, SHOWN_MAXIMUM),
    ...(more > 0 ? [`Denied: ${more} more, see \`nono inspect --events\``] : []),
    ...(denials === undefined && lines.length > 0 ? [ONLY_WITH_ASK] : []),
    ...loneFiles.slice(0, SHOWN_MAXIMUM).map((path) => describeLoneFile(path, sensitive)),
  ];
}

/** Nobody sees a rename that the kernel refuses: what is said is what the grant is, and not that it was too little. */
function describeLoneFile(path: Bytes, sensitive: readonly SensitivePlace[]): string {
  const directory = parentPath(path);
  const start = `Granted is the file ${displayBytes(path)}: to replace it by another one, as many programs save,`;
  const overlap = findOverlap(directory, READ_WRITE, sensitive);
  return overlap === undefined
    ? `${start} takes --allow ${shownWord(directory)}`
    : `${start} takes its directory, and that has ${displayBytes(overlap.place.path)} in it (${overlap.place.what})`;
}

/** The same for the audit log, also of a command that worked. */
export function refusalEvents(refused: Uint8Array): readonly AuditEvent[] {
  return decodeRefusals(refused).all.map(({ kind, name, count }) => ({
    event: 'refused',
    access: AUDITED[kind],
    target: storeBytes(name),
    requests: count,
  }));
}

const AUDITED = {
  change: 'change',
  change_directory: 'change',
  connect: 'connect',
  port: 'connect to port',
  listen: 'listen on port',
} as const;

function isChange(kind: ObservedRefusal['kind']): boolean {
  return kind === 'change' || kind === 'change_directory';
}

function isInterface(path: Bytes): boolean {
  return INTERFACES.some((place) => isWithin(path, place)) && !isWithin(path, SHARED_MEMORY);
}

function describeRefusal({ kind, name, count }: ObservedRefusal, sensitive: readonly SensitivePlace[]): string {
  const times = count > 1 ? `${count} times; ` : '';
  const shown = displayBytes(name);
  if (kind === 'port') return `connect to port ${shown} (${times}--allow-port ${shown} gives it)`;
  if (kind === 'listen') return `listen on port ${shown} (${times}--allow-bind ${shown} gives it)`;
  const what = isChange(kind) ? `change mode, owner, times or attributes of ${shown}` : `connect to ${shown}`;
  const option = kind === 'connect' ? '--allow-socket' : kind === 'change' ? '--write-file' : '--write';
  const overlap = findOverlap(name, READ_WRITE, sensitive);
  if (overlap === undefined) return `${what} (${times}${option} ${shownWord(name)} gives it)`;
  if (overlap.place.isAbsolute) return `${what} (${times}${overlap.place.what}; nothing gives it)`;
  return `${what} (${times}${overlap.place.what}; ${option} ${shownWord(name)} --override-deny ${shownWord(overlap.place.path)} gives it)`;
}

function describe({ path, access, reason, count }: Denial, sensitive: readonly SensitivePlace[]): string {
  const times = count > 1 ? `, ${count} times` : '';
  const shown = displayBytes(path);
  if (reason === 'sensitive') return `${shown} (a sensitive place${times}; no approval opens it)`;
  if (reason === 'kind') return `${shown} (no file or directory${times}; nobody is asked)`;
  if (reason === 'caller') return `${shown} (by a process with another user, group or root${times}; nobody is asked)`;
  if (reason === 'full') return `${shown} (too many requests at once${times})`;
  const granted = access.create ? parentPath(path) : path;
  const overlap = findOverlap(granted, READ_WRITE, sensitive);
  const way =
    overlap === undefined
      ? `${optionFor(access)} ${shownWord(granted)} gives it`
      : `that takes a directory with ${displayBytes(overlap.place.path)} in it, ${overlap.place.what}`;
  return `${shown} (${WHY[reason] ?? 'denied'}${times}; ${way})`;
}

const WHY: Readonly<Partial<Record<Denial['reason'], string>>> = {
  deny: 'by your answer',
  deny_session: 'by your answer',
  rule: 'by your answer',
  timeout: 'nobody answered in time',
};

function optionFor({ read, write, connect, create, directory }: Denial['access']): string {
  if (connect) return '--allow-socket';
  const base = (read && write) || create ? '--allow' : write ? '--write' : '--read';
  return directory || create ? base : `${base}-file`;
}
