import { type Bytes, bytesFromText, displayBytes } from '../bytes.ts';
import { DamageError, isErrno, NotFoundError, SystemError, UsageError } from '../errors.ts';
import { nearest } from '../nearest.ts';
import type { Directory, OpenFile, SmallFile } from '../ports/files.ts';
import type { Processes, ProcessIdentity } from '../ports/processes.ts';
import { isSessionId } from './names.ts';
import { parseRecord, RECORD_BYTES_MAXIMUM, readRecord } from './read-record.ts';
import type { SessionRecord, SessionStatus } from './record.ts';

const EXTENSION = '.json';
/** No supervisor replaces its record so often while it is read; where numbers of files are not kept there is no other end. */
const REPLACED_MAXIMUM = 100;
/** So many wrong letters still mean the same name. */
const TYPOS = 2;

/** `lost`: the supervisor is gone without a word. `unknown`: nobody on this host can tell. */
export type SeenStatus = SessionStatus | 'lost' | 'unknown';

export interface Session {
  readonly record: SessionRecord;
  readonly status: SeenStatus;
  /** The supervisor lives. */
  readonly isLive: boolean;
  /** When the supervisor last touched the record: its heartbeat. */
  readonly touchedMs: number;
}

export interface UnreadableRecord {
  readonly id: string;
  readonly error: Error;
}

export interface SessionList {
  /** In the order of their start. */
  readonly sessions: readonly Session[];
  readonly unreadable: readonly UnreadableRecord[];
}

export interface ListDeps {
  readonly processes: Processes;
  readonly hostName: string;
}

/** Every record in `directory`; one that cannot be read hides no other. */
export function listSessions(directory: Directory, deps: ListDeps): SessionList {
  const self = deps.processes.self();
  const { uid } = directory.statSelf();
  const sessions: Session[] = [];
  const unreadable: UnreadableRecord[] = [];
  const ids = sessionIds(directory);
  const files = directory.readSmallFiles(ids.map((id) => `${id}${EXTENSION}` as Bytes));
  for (const [at, id] of ids.entries()) {
    try {
      const session = endedSession(id, files[at], uid) ?? readSession(directory, id, { ...deps, self, uid });
      if (session !== undefined) sessions.push(session);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      unreadable.push({ id, error });
    }
  }
  return { sessions: inOrderOfStart(sessions), unreadable };
}

/** Of all sessions that have a record, also of one whose supervisor is just replacing it (see Directory.names()). */
export function sessionIds(directory: Directory): readonly string[] {
  return directory
    .names()
    .filter((name) => name.endsWith(EXTENSION))
    .map((name) => name.slice(0, -EXTENSION.length))
    .filter(isSessionId);
}

/** What nearly all records are of. @returns undefined for anything else: that is read once more by itself. */
function endedSession(id: string, file: SmallFile | undefined, uid: number): Session | undefined {
  if (file === undefined || file.uid !== uid) return undefined;
  try {
    const record = parseRecord(id, file.bytes);
    return record.status === 'exited'
      ? { record, status: 'exited', isLive: false, touchedMs: file.mtimeSeconds * 1000 }
      : undefined;
  } catch (error) {
    // Perhaps half written: it may be whole by now.
    if (error instanceof DamageError) return undefined;
    throw error;
  }
}

/** The one that started first comes first: as times, since texts of them compare otherwise when the clock was put back or in another zone. */
export function inOrderOfStart<One extends Pick<Session, 'record'>>(sessions: readonly One[]): readonly One[] {
  // Read once for each: there may be a thousand, and a sort looks at each of them ten times.
  const started = sessions.map((session) => ({ session, ms: Date.parse(session.record.started) }));
  return started.sort((a, b) => a.ms - b.ms).map(({ session }) => session);
}

/** @param deps.uid Whose records they are: the owner of the directory. @returns undefined when there is none. @throws {DamageError} */
export function readSession(
  directory: Directory,
  id: string,
  deps: ListDeps & { readonly self: ProcessIdentity; readonly uid: number },
): Session | undefined {
  for (let tries = 1; ; tries += 1) {
    const read = readOnce(directory, id, deps);
    if (read === undefined || !read.isReplaced || tries === REPLACED_MAXIMUM) return read?.session;
  }
}

/** @returns isReplaced when its supervisor has put another record in its place since it was opened: then the lock of this one says nothing. */
function readOnce(
  directory: Directory,
  id: string,
  { uid, ...deps }: ListDeps & { readonly self: ProcessIdentity; readonly uid: number },
): { readonly session: Session; readonly isReplaced: boolean } | undefined {
  const name = `${id}${EXTENSION}` as Bytes;
  const stat = directory.stat(name);
  if (stat === undefined) return undefined;
  if (stat.kind !== 'file' || stat.sizeBytes > RECORD_BYTES_MAXIMUM) {
    throw new DamageError(`Cannot read the record of session ${id}: it is no regular file of a record's size`, {
      hint: `Look at ${displayBytes(directory.path)}/${id}.json`,
    });
  }
  if (stat.uid !== uid) {
    throw new DamageError(`Cannot read the record of session ${id}: it belongs to the user with the number ${stat.uid}`, {
      hint: `Look at ${displayBytes(directory.path)}/${id}.json`,
    });
  }
  try {
    using file = directory.openFile(name);
    const record = readRecord(id, file);
    const seen = judge(record, file, deps);
    const isTold = seen.isLive || record.status === 'exited' || directory.stat(name)?.inode === file.stat().inode;
    return { session: { record, ...seen, touchedMs: stat.mtimeSeconds * 1000 }, isReplaced: !isTold };
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined; // Pruned meanwhile.
    if (!(error instanceof SystemError)) throw error;
    throw new DamageError(`Cannot read the record of session ${id}`, { cause: error, hint: 'Make it readable for its owner' });
  }
}

function judge(
  record: SessionRecord,
  file: OpenFile,
  { processes, hostName, self }: ListDeps & { readonly self: ProcessIdentity },
): Pick<Session, 'status' | 'isLive'> {
  if (record.status === 'exited') return { status: 'exited', isLive: false };
  if (file.isLocked()) return { status: record.status, isLive: true };
  // The kernel that it runs on is this one, whose locks are all seen here, or one of this name.
  const isHere = record.boot_id === self.bootId || record.host === hostName;
  if (!isHere) return { status: 'unknown', isLive: false };
  // The lock may be lost where the file system has none; the process itself still tells.
  return hasItsSupervisor(record, self, processes) ? { status: record.status, isLive: true } : { status: 'lost', isLive: false };
}

/** Whether the pids of a record mean here what they mean there: it is of this boot, and not of a container, or of what is around this one. */
export function hasOwnPids(record: SessionRecord, self: ProcessIdentity): boolean {
  return record.boot_id === self.bootId && record.pid_namespace === self.pidNamespace;
}

/** Whether the process that has the supervisor's pid is the supervisor: any other one may have it, where it cannot be told too. */
export function hasItsSupervisor(record: SessionRecord, self: ProcessIdentity, processes: Processes): boolean {
  return hasOwnPids(record, self) && processes.startTicks(record.supervisor_pid) === record.supervisor_start;
}

/**
 * The session that a person means by an id, a prefix of one, or a name.
 *
 * @throws {UsageError} with the candidates when several fit, {NotFoundError} when none does, {DamageError} when it
 *   is the id of a record that cannot be read.
 */
export function findSession({ sessions, unreadable }: SessionList, wanted: Bytes): Session {
  const exact = sessions.find(({ record }) => record.session_id === wanted);
  if (exact !== undefined) return exact;
  const damaged = unreadable.find(({ id }) => id === wanted);
  if (damaged !== undefined) throw damaged.error;
  // A live session has its name for itself; those of ended ones may repeat.
  const named = sessions.filter(({ record }) => record.name === wanted);
  const live = named.filter(({ isLive }) => isLive);
  const candidates = live.length > 0 ? live : [...named, ...sessions.filter(({ record }) => isPrefix(wanted, record.session_id))];
  const [found] = candidates;
  if (found !== undefined && new Set(candidates).size === 1) return found;
  const shown = displayBytes(wanted);
  if (found === undefined) {
    const names = [...sessions].reverse().flatMap(({ record }) => [displayBytes(bytesFromText(record.name)), record.session_id]);
    const guess = nearest(shown, names, TYPOS);
    const hint = guess === undefined ? 'List sessions with `nono ps --all`' : `Did you mean ${guess}? See \`nono ps --all\``;
    throw new NotFoundError(`Cannot find session "${shown}"`, { hint });
  }
  const list = candidates.map(({ record }) => `${record.session_id} (${record.name})`).join(', ');
  throw new UsageError(`Cannot tell which session "${shown}" is: it fits ${list}`, { hint: 'Give more digits of the id' });
}

function isPrefix(wanted: string, id: string): boolean {
  return wanted !== '' && id.startsWith(wanted);
}
