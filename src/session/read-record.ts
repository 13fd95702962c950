import { type Bytes, bytesFromStored, bytesFromText, textFromBytes } from '../bytes.ts';
import { DamageError } from '../errors.ts';
import { isTooDeep, mayBeTooDeep } from '../json-depth.ts';
import type { OpenFile } from '../ports/files.ts';
import { isSessionId } from './names.ts';
import { readWhole } from './read-whole.ts';
import { RECORD_FORMAT, type SessionRecord } from './record.ts';
import { isShared } from './shared.ts';

const TEXTS = ['name', 'attachment', 'boot_id', 'host', 'started', 'profile'] as const;
const NUMBERS = ['supervisor_pid', 'supervisor_start', 'pid_namespace'] as const;
const NUMBERS_OR_NULL = ['child_pid', 'exit_code'] as const;
const TEXTS_OR_NULL = ['ended', 'signal', 'rollback_session', 'failure'] as const;
const STATUSES: readonly unknown[] = ['starting', 'running', 'paused', 'exited'];

/** A record is a few kilobytes; a command line may make it longer, and the kernel takes none above this. */
export const RECORD_BYTES_MAXIMUM = 8 * 1024 * 1024;

/** What of a record is optional for a reader: an older nono may not have written it. */
type Fields = Readonly<Record<string, unknown>>;

/** All of an open record: what was known of its name before may be of a shorter one, which this has replaced. @throws {DamageError} as parseRecord() does. */
export function readRecord(id: string, file: OpenFile): SessionRecord {
  return parseRecord(id, readWhole(file, RECORD_BYTES_MAXIMUM));
}

/**
 * Takes the text of `sessions/<id>.json` apart.
 *
 * @throws {DamageError} when it is not the record of that session, or of a newer form.
 */
export function parseRecord(id: string, text: Bytes): SessionRecord {
  const fields = parseObject(id, text);
  const format = fields['format'];
  if (typeof format !== 'number' || format < 1) throw damage(id, 'it has no format');
  if (format > RECORD_FORMAT) {
    throw new DamageError(`Cannot read the record of session ${id}: it has the format ${format}, expected ${RECORD_FORMAT}`, {
      hint: 'Use the nono that wrote it, or a newer one',
    });
  }
  checkFields(id, fields);
  return fields as unknown as SessionRecord;
}

function parseObject(id: string, text: Bytes): Fields {
  try {
    const value: unknown = JSON.parse(textFromBytes(text));
    if (mayBeTooDeep(text) && isTooDeep(value)) throw damage(id, 'it is nested deeper than nono nests anything');
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw damage(id, 'it is no JSON', error);
  }
  throw damage(id, 'it is no object');
}

function checkFields(id: string, fields: Fields): void {
  if (fields['session_id'] !== id || !isSessionId(id)) throw damage(id, 'its session_id is another one');
  if (!hasPlainFields(fields)) checkPlainFields(id, fields);
  if (!STATUSES.includes(fields['status'])) throw damage(id, '"status" is none that there is');
  const command = fields['command'];
  if (!Array.isArray(command) || command.length === 0 || command.some((word) => bytesFromStored(word) === undefined))
    throw damage(id, '"command" is no list of words');
  if (bytesFromStored(fields['workdir']) === undefined) throw damage(id, '"workdir" is no path');
  if (fields['terminal'] !== undefined && typeof fields['terminal'] !== 'boolean') throw damage(id, '"terminal" says nothing');
  if (fields['shared'] !== undefined && !isShared(fields['shared'])) throw damage(id, '"shared" says nothing');
  if (!isAuditHead(fields['audit'] ?? null)) throw damage(id, '"audit" says nothing');
  const { enforced } = fields;
  const missing = typeof enforced === 'object' && enforced !== null && 'missing' in enforced ? enforced.missing : undefined;
  if (!Array.isArray(missing) || missing.some((word) => typeof word !== 'string')) throw damage(id, '"enforced" says nothing');
}

/** What checkPlainFields() finds nothing in, nearly always: field by field, which takes a list of a thousand records a tenth less than names in a loop. */
function hasPlainFields(fields: Fields): boolean {
  return (
    typeof fields['name'] === 'string' &&
    typeof fields['attachment'] === 'string' &&
    typeof fields['boot_id'] === 'string' &&
    typeof fields['host'] === 'string' &&
    typeof fields['started'] === 'string' &&
    typeof fields['profile'] === 'string' &&
    Number.isSafeInteger(fields['supervisor_pid']) &&
    Number.isSafeInteger(fields['supervisor_start']) &&
    Number.isSafeInteger(fields['pid_namespace']) &&
    (fields['child_pid'] === null || Number.isSafeInteger(fields['child_pid'])) &&
    (fields['exit_code'] === null || Number.isSafeInteger(fields['exit_code'])) &&
    (fields['ended'] === null || typeof fields['ended'] === 'string') &&
    (fields['signal'] === null || typeof fields['signal'] === 'string') &&
    (fields['rollback_session'] === null || typeof fields['rollback_session'] === 'string') &&
    (fields['failure'] === null || typeof fields['failure'] === 'string')
  );
}

function checkPlainFields(id: string, fields: Fields): void {
  for (const name of TEXTS) if (typeof fields[name] !== 'string') throw damage(id, `"${name}" is no text`);
  for (const name of NUMBERS) if (!Number.isSafeInteger(fields[name])) throw damage(id, `"${name}" is no whole number`);
  for (const name of NUMBERS_OR_NULL)
    if (fields[name] !== null && !Number.isSafeInteger(fields[name])) throw damage(id, `"${name}" is no whole number`);
  for (const name of TEXTS_OR_NULL)
    if (fields[name] !== null && typeof fields[name] !== 'string') throw damage(id, `"${name}" is no text`);
}

/** Absent in the records of an older nono. */
function isAuditHead(value: unknown): boolean {
  if (value === null) return true;
  if (typeof value !== 'object' || !('events' in value) || !('digest' in value)) return false;
  return Number.isSafeInteger(value.events) && typeof value.digest === 'string';
}

/** The words of the command, as bytes. */
export function commandOf({ command }: SessionRecord): readonly Bytes[] {
  return command.map((word) => bytesFromStored(word) ?? bytesFromText(''));
}

export function workingDirectoryOf({ workdir }: SessionRecord): Bytes {
  return bytesFromStored(workdir) ?? bytesFromText('');
}

function damage(id: string, reason: string, cause?: unknown): DamageError {
  return new DamageError(`Cannot read the record of session ${id}: ${reason}`, {
    cause,
    hint: `Remove it when the session is over: rm ~/.nono/sessions/${id}.json`,
  });
}
