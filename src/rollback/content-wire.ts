import type { Bytes } from '../bytes.ts';
import type { Stat } from '../ports/files.ts';
import type { ContentResult } from './content.ts';
import { SKIP_REASONS, type SkipReason } from './entry.ts';
import type { WantedFile } from './restore-file.ts';

/**
 * Tasks and results as they go between threads: one string of names and one of hashes out, one block of
 * fixed records back, because a message of a thousand objects costs more than the work.
 */
export interface TaskBatch {
  readonly roots: Uint32Array;
  /** Separated by NUL. */
  readonly paths: string;
  /** 32 bytes for each. */
  readonly knownHashes: string;
}

export const HASH_BYTES = 32;
export const RESULT_BYTES = 88;
const AT = {
  kind: 0,
  reason: 1,
  mode: 2,
  links: 4,
  size: 8,
  mtimeSeconds: 16,
  ctimeSeconds: 24,
  device: 32,
  inode: 40,
  mtimeNanoseconds: 48,
  ctimeNanoseconds: 52,
  hash: 56,
} as const;
const KINDS = ['kept', 'read', 'skipped', 'vanished'] as const;
const REASONS = Object.keys(SKIP_REASONS) as SkipReason[];

export function writeResult(into: Buffer, index: number, result: ContentResult): void {
  const at = index * RESULT_BYTES;
  into[at + AT.kind] = KINDS.indexOf(result.kind);
  if (result.kind === 'skipped') into[at + AT.reason] = REASONS.indexOf(result.reason);
  if (result.kind !== 'read') return;
  const { stat, hash } = result;
  into.writeUInt16LE(stat.mode, at + AT.mode);
  into.writeUInt32LE(stat.links, at + AT.links);
  into.writeDoubleLE(stat.sizeBytes, at + AT.size);
  into.writeDoubleLE(stat.mtimeSeconds, at + AT.mtimeSeconds);
  into.writeDoubleLE(stat.ctimeSeconds, at + AT.ctimeSeconds);
  into.writeDoubleLE(stat.device, at + AT.device);
  into.writeBigUInt64LE(stat.inode, at + AT.inode);
  into.writeUInt32LE(stat.mtimeNanoseconds, at + AT.mtimeNanoseconds);
  into.writeUInt32LE(stat.ctimeNanoseconds, at + AT.ctimeNanoseconds);
  into.write(hash, at + AT.hash, HASH_BYTES, 'latin1');
}

export function readResult(from: Buffer, index: number): ContentResult {
  const at = index * RESULT_BYTES;
  const kind = KINDS[from[at + AT.kind] as number] as ContentResult['kind'];
  if (kind === 'skipped') return { kind, reason: REASONS[from[at + AT.reason] as number] as SkipReason };
  if (kind !== 'read') return { kind };
  const stat: Stat = {
    kind: 'file',
    mode: from.readUInt16LE(at + AT.mode),
    links: from.readUInt32LE(at + AT.links),
    sizeBytes: from.readDoubleLE(at + AT.size),
    blocks: 0,
    uid: 0,
    device: from.readDoubleLE(at + AT.device),
    inode: from.readBigUInt64LE(at + AT.inode),
    mtimeSeconds: from.readDoubleLE(at + AT.mtimeSeconds),
    mtimeNanoseconds: from.readUInt32LE(at + AT.mtimeNanoseconds),
    ctimeSeconds: from.readDoubleLE(at + AT.ctimeSeconds),
    ctimeNanoseconds: from.readUInt32LE(at + AT.ctimeNanoseconds),
    isMountPoint: false,
  };
  return { kind, stat, hash: from.toString('latin1', at + AT.hash, at + AT.hash + HASH_BYTES) as Bytes };
}

/** Files to make, as they go to another thread: names as in TaskBatch, and a fixed record for each. */
export interface RestoreBatch {
  readonly roots: Uint32Array;
  readonly paths: string;
  readonly temporaries: string;
  readonly records: Uint8Array<ArrayBuffer>;
}

const WANTED_BYTES = 48;
const WANTED_AT = { mtimeSeconds: 0, mtimeNanoseconds: 8, mode: 12, hash: 16 } as const;

/** A file to make below a root. */
export interface RestoreTask {
  readonly root: number;
  readonly path: Bytes;
  /** The name of the temporary file, in the same directory. */
  readonly temporary: Bytes;
  readonly want: WantedFile;
}

export function encodeRestoreBatch(tasks: readonly RestoreTask[]): RestoreBatch {
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
