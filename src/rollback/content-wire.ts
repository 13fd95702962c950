import type { Bytes } from '../bytes.ts';
import { packStat, unpackStat } from '../ports/listing.ts';
import type { ContentResult } from './content.ts';
import { SKIP_REASONS, type SkipReason } from './entry.ts';
import { ENTRY_BYTES, FIELD, HASH_BYTES } from './node-codec.ts';
import type { WantedFile } from './restore-file.ts';

/**
 * Tasks and results as they go between threads: one string of names out, one block of fixed records back, because a message of
 * a thousand objects costs more than the work.
 */
export interface TaskBatch {
  readonly roots: Uint32Array;
  /** Separated by NUL. */
  readonly paths: string;
}

/** A result is an encoded entry without a name. */
export const RESULT_BYTES = ENTRY_BYTES;
/** In the first byte of a result; the second is the code of a reason. The rest has the fields of an entry. */
export const RESULT_KINDS = { kept: 0, read: 1, skipped: 2, vanished: 3 } as const;
const REASONS = new Map<number, SkipReason>(Object.entries(SKIP_REASONS).map(([reason, code]) => [code, reason as SkipReason]));

export function writeResult(into: Buffer, index: number, result: ContentResult): void {
  const at = index * RESULT_BYTES;
  into[at + FIELD.kind] = RESULT_KINDS[result.kind];
  if (result.kind === 'skipped') into[at + FIELD.reason] = SKIP_REASONS[result.reason];
  if (result.kind !== 'read') return;
  packStat(into, at, result.stat);
  into.write(result.hash, at + FIELD.hash, HASH_BYTES, 'latin1');
}

/** The opposite of writeResult(), for those that need more than bytes. */
export function readResult(from: Buffer, index: number): ContentResult {
  const at = index * RESULT_BYTES;
  if (from[at + FIELD.kind] !== RESULT_KINDS.read) return readUnread(from, index);
  const stat = { ...unpackStat(from, at), kind: 'file', blocks: 0, uid: 0, isMountPoint: false } as const;
  return { kind: 'read', stat, hash: readHash(from, at) };
}

/** The same of a result that is not `read`. */
export function readUnread(from: Buffer, index: number): Exclude<ContentResult, { kind: 'read' }> {
  const at = index * RESULT_BYTES;
  const kind = from[at + FIELD.kind];
  if (kind === RESULT_KINDS.skipped) return { kind: 'skipped', reason: readReason(from, at) };
  return { kind: kind === RESULT_KINDS.kept ? 'kept' : 'vanished' };
}

/** The hash in the result at the byte `at`. */
export function readHash(from: Buffer, at: number): Bytes {
  return from.toString('latin1', at + FIELD.hash, at + FIELD.hash + HASH_BYTES) as Bytes;
}

/** Why the content of the result at the byte `at` was skipped. */
export function readReason(from: Buffer, at: number): SkipReason {
  return REASONS.get(from[at + FIELD.reason] as number) ?? 'unreadable';
}

/** Files to make, as they go to another thread: names as in TaskBatch, and a fixed record for each. */
export interface RestoreBatch {
  readonly roots: Uint32Array;
  readonly paths: string;
  readonly temporaries: string;
  /** Whether the session that will undo it holds the contents already. */
  readonly isLinked: boolean;
  readonly records: Uint8Array<ArrayBuffer>;
}

/** A record of a file to make; WANTED_AT has its fields, numbers little-endian. */
export const WANTED_BYTES = 48;
export const WANTED_AT = { mtimeSeconds: 0, mtimeNanoseconds: 8, mode: 12, hash: 16 } as const;

/** A file to make below a root. */
export interface RestoreTask {
  readonly root: number;
  readonly path: Bytes;
  /** The name of the temporary file, in the same directory. */
  readonly temporary: Bytes;
  readonly want: WantedFile;
}

export function encodeRestoreBatch(tasks: readonly RestoreTask[], isLinked: boolean): RestoreBatch {
  const records = Buffer.from(new ArrayBuffer(tasks.length * WANTED_BYTES));
  for (const [index, { want }] of tasks.entries()) {
    const at = index * WANTED_BYTES;
    records.writeDoubleLE(want.mtimeSeconds, at + WANTED_AT.mtimeSeconds);
    records.writeUInt32LE(want.mtimeNanoseconds, at + WANTED_AT.mtimeNanoseconds);
    records.writeUInt16LE(want.mode, at + WANTED_AT.mode);
    records.write(want.hash, at + WANTED_AT.hash, HASH_BYTES, 'latin1');
  }
  return {
    roots: Uint32Array.from(tasks, ({ root }) => root),
    paths: tasks.map(({ path }) => path).join('\0'),
    temporaries: tasks.map(({ temporary }) => temporary).join('\0'),
    records: new Uint8Array(records.buffer),
    isLinked,
  };
}

export function* decodeRestoreBatch({ roots, paths, temporaries, records }: RestoreBatch): Generator<RestoreTask> {
  const data = Buffer.from(records.buffer);
  const names = temporaries.split('\0');
  for (const [index, path] of paths.split('\0').entries()) {
    const at = index * WANTED_BYTES;
    const want = {
      mtimeSeconds: data.readDoubleLE(at + WANTED_AT.mtimeSeconds),
      mtimeNanoseconds: data.readUInt32LE(at + WANTED_AT.mtimeNanoseconds),
      mode: data.readUInt16LE(at + WANTED_AT.mode),
      hash: data.toString('latin1', at + WANTED_AT.hash, at + WANTED_AT.hash + HASH_BYTES) as Bytes,
    };
    yield { root: roots[index] as number, path: path as Bytes, temporary: names[index] as Bytes, want };
  }
}
