import { type Bytes, bytesFromStored, storeBytes } from '../bytes.ts';
import { DamageError } from '../errors.ts';
import type { Directory } from '../ports/files.ts';
import { isSafePath } from './node-codec.ts';
import { JOURNAL, type RollbackSession } from './session-directory.ts';
import { isRollbackId } from './session-id.ts';
import { readSmallFile } from './small-file.ts';

const JOURNAL_MODE = 0o600;
const FORMAT = 1;

/** What a restore set out to do; with the trees of its safety session it says all that is needed to go on. */
export interface Journal {
  readonly restores: Bytes;
  readonly snapshot: number;
  /** The state to go to is that snapshot of the restore's own session. */
  readonly isOwn: boolean;
  /** The time that files whose content comes back get; undefined for their own. */
  readonly touchedMs: number | undefined;
  readonly paths: readonly Bytes[];
}

export function writeJournal(directory: Directory, { restores, snapshot, isOwn, touchedMs, paths }: Journal): void {
  using file = directory.createFile(JOURNAL, JOURNAL_MODE);
  const lines = [
    {
      format: FORMAT,
      restores,
      snapshot,
      ...(isOwn ? { own: true } : {}),
      ...(touchedMs === undefined ? {} : { touched_ms: touchedMs }),
      paths: paths.length,
    },
    ...paths.map(storeBytes),
  ];
  file.write(Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join('')));
}

/** Reads the journal of a restore that has not been completed. @throws {DamageError} */
export function readJournal(session: RollbackSession): Journal {
  const wrong = new DamageError(`Cannot read "${session.id}/journal": it is not in the form that nono writes`);
  const text = readSmallFile(session.directory, JOURNAL, Number.POSITIVE_INFINITY);
  if (text === undefined) throw wrong;
  const lines = Buffer.from(text, 'latin1').toString('utf8').split('\n').slice(0, -1);
  const [head, ...rest] = lines.map((line) => parseLine(line, wrong));
  const { format, restores, snapshot, own, touched_ms: touchedMs, paths: count } = (head ?? {}) as Record<string, unknown>;
  const paths = rest.map(bytesFromStored);
  if (format !== FORMAT || typeof restores !== 'string' || !isRollbackId(restores) || count !== paths.length) throw wrong;
  if (typeof snapshot !== 'number' || !Number.isSafeInteger(snapshot) || snapshot < 0) throw wrong;
  if (!paths.every((path) => path !== undefined && isSafePath(path))) throw wrong;
  if (touchedMs !== undefined && !isTime(touchedMs)) throw wrong;
  return { restores, snapshot, isOwn: own === true, touchedMs, paths: paths as Bytes[] };
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function parseLine(line: string, wrong: DamageError): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) throw wrong;
    throw error;
  }
}
