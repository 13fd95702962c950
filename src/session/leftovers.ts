import type { Bytes } from '../bytes.ts';
import { isErrno } from '../errors.ts';
import type { Directory } from '../ports/files.ts';
import type { Processes } from '../ports/processes.ts';
import { removeUnlessMissing } from './remove-file.ts';

/**
 * What a session has in sessions/. The record goes when nearly all is gone, so that what a killed prune left is found again; the audit
 * log after it, since one that is missing is a sign of tampering. Those that end in .new were to replace others by a supervisor that was killed then.
 */
const EXTENSIONS = [
  '.sock',
  '.log.new',
  '.log',
  '.times.new',
  '.times',
  '.screen.json.new',
  '.screen.json',
  '.json',
  '.events.jsonl',
] as const;
/** `<id>.<pid>.json.new`, a record that is being written. */
const UNFINISHED_REGEXP = /^[0-9a-f]{6}\.(?<pid>\d+)\.json\.new$/;
const ID_LENGTH = 6;
const FILE_REGEXP = /^[0-9a-f]{6}(?<extension>\..*)$/;

/** All files of a session that has ended. */
export function removeSessionFiles(sessions: Directory, id: string): void {
  for (const extension of EXTENSIONS) removeUnlessMissing(sessions, `${id}${extension}` as Bytes);
}

/** Files that belong to no record: a start or a clean-up was killed between two steps. Never those of another pid namespace. */
export function removeLeftovers(sessions: Directory, processes: Processes): void {
  const names = sessions.names();
  const all = new Set<Bytes>(names);
  for (const name of names) {
    const { extension = '' } = FILE_REGEXP.exec(name)?.groups ?? {};
    const pid = UNFINISHED_REGEXP.exec(name)?.groups?.['pid'];
    if (pid !== undefined) removeUnfinished(sessions, name, processes.startTicks(Number(pid)) !== undefined);
    else if (isOwned(extension) && !all.has(recordOf(name)) && !isRecorded(sessions, name)) removeUnlessMissing(sessions, name);
  }
}

/**
 * The record is the first of a session's files: what has none belongs to nobody. Looked at anew, since a directory that is read in several
 * pieces may show what was made meanwhile and not the record that was made before it.
 */
function isRecorded(sessions: Directory, name: Bytes): boolean {
  return sessions.stat(recordOf(name)) !== undefined;
}

function recordOf(name: Bytes): Bytes {
  return `${name.slice(0, ID_LENGTH)}.json` as Bytes;
}

function isOwned(extension: string): boolean {
  return extension !== '.json' && EXTENSIONS.some((owned) => owned === extension);
}

function removeUnfinished(sessions: Directory, name: Bytes, isWriterAlive: boolean): void {
  try {
    using file = sessions.openFile(name);
    if (!isWriterAlive && !file.isLocked()) removeUnlessMissing(sessions, name);
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'EACCES', 'ELOOP', 'ENXIO')) throw error;
  }
}
