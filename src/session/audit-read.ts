import { type Bytes, bufferFromBytes, textFromBytes } from '../bytes.ts';
import { isTooDeep } from '../json-depth.ts';
import type { Hash } from '../ports/hash.ts';
import { AUDIT_FORMAT } from './audit-event.ts';

/** `prev` of a first line. */
export const NO_LINE = '0'.repeat(64);

/** Where a log stands: a reader that finds fewer lines, or another last one, knows that some were taken away. */
export interface AuditHead {
  readonly events: number;
  /** SHA-256 of the last line in hex digits. */
  readonly digest: string;
}

/** SHA-256 in hex digits; of a line without its newline. */
export function hexDigest(data: Uint8Array, hash: Hash): string {
  return Buffer.from(hash.sha256(data), 'latin1').toString('hex');
}

export type EventFields = Readonly<Record<string, unknown>>;

/** One place where a log is not what was written. */
export interface AuditBreak {
  /** From 1; one more than there are where lines are missing at the end. */
  readonly line: number;
  readonly reason: string;
}

export interface ReadAudit {
  /** Those that can be read, in their order; a break may be between two of them. */
  readonly events: readonly EventFields[];
  readonly breaks: readonly AuditBreak[];
  /** The last line was not finished: its writer was killed, or the machine stopped. No break. */
  readonly isTorn: boolean;
  /** Events that the disk did not take, by the log's own account. No break. */
  readonly missing: number;
  readonly head: AuditHead;
}

/**
 * Reads a log and follows its chain: each line names the one before it by its SHA-256. Kinds of events that are not known
 * are kept as they are.
 *
 * @param recorded What the record says of the end of the log, once the session has ended.
 */
export function readAudit(text: Bytes, hash: Hash, recorded: AuditHead | undefined): ReadAudit {
  const lines = text.split('\n') as Bytes[];
  const isTorn = lines.pop() !== '';
  const events: EventFields[] = [];
  const breaks: AuditBreak[] = [];
  let prev = NO_LINE;
  let isRecordedSeen = recorded === undefined;
  lines.forEach((line, at) => {
    const fields = parseLine(line);
    const reason = fields === undefined ? 'it is no JSON object' : whatIsWrong(fields, at + 1, prev);
    if (reason !== undefined) breaks.push({ line: at + 1, reason });
    if (fields !== undefined) events.push(fields);
    prev = hexDigest(bufferFromBytes(line), hash);
    isRecordedSeen ||= recorded?.events === at + 1 && recorded.digest === prev;
  });
  if (!isRecordedSeen)
    breaks.push({
      line: Math.min(lines.length + 1, recorded?.events ?? 1),
      reason: 'the log ended with another line when the session ended',
    });
  const missing = events.reduce((sum, fields) => sum + missingBefore(fields), 0);
  return { events, breaks, isTorn, missing, head: { events: lines.length, digest: prev } };
}

/** What a log says of itself is no more than a claim: it may be any value. */
function missingBefore({ event, lost, reason }: EventFields): number {
  // A line that was torn off counts as one; that is said already.
  return event === 'gap' && reason !== 'torn' && typeof lost === 'number' && lost > 0 ? lost : 0;
}

function whatIsWrong({ format, number, prev }: EventFields, expected: number, digest: string): string | undefined {
  if (typeof format !== 'number' || format < 1) return 'it has no format';
  if (format > AUDIT_FORMAT) return `it has the format ${format}, expected ${AUDIT_FORMAT}`;
  if (prev !== digest) return 'it does not follow the line before it';
  if (number !== expected)
    return `it is numbered ${typeof number === 'number' ? number : 'with no number'}, expected ${expected}`;
  return undefined;
}

function parseLine(line: Bytes): EventFields | undefined {
  try {
    const value: unknown = JSON.parse(textFromBytes(line));
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject && !isTooDeep(value) ? (value as EventFields) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Where the whole lines of a log end; what comes after is a torn one. */
export function wholeLinesSize(text: Bytes): number {
  return text.lastIndexOf('\n') + 1;
}
