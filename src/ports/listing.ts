import type { Bytes } from '../bytes.ts';
import type { FileKind, Stat } from './files.ts';

/**
 * What a directory holds, in a form that costs nothing for each entry: the records of a listing have the layout of the entries of
 * a snapshot (rollback/FORMAT.md), so that one becomes the other by copying.
 */
export interface Listing {
  /** The records; good until the next listing of any directory of the same adapter. */
  readonly bytes: Buffer;
  /** Where each record begins, in the order of the bytes of the names. */
  readonly offsets: Uint32Array;
}

/** Offsets in a record; little endian. What no field covers is zero. */
export const RECORD = {
  /** One of RECORD_KINDS. */
  kind: 0,
  /** 1 where another file system or a bind mount begins. */
  isMountPoint: 1,
  mode: 2,
  nameLength: 4,
  size: 8,
  mtimeSeconds: 16,
  mtimeNanoseconds: 24,
  ctimeNanoseconds: 28,
  ctimeSeconds: 32,
  inode: 40,
  device: 48,
  links: 56,
  /** The end of what stat tells. */
  statEnd: 60,
  name: 104,
} as const;

/** ASCII letters. */
export const RECORD_KINDS: Readonly<Record<FileKind, number>> = {
  file: 0x66,
  directory: 0x64,
  symlink: 0x6c,
  fifo: 0x70,
  socket: 0x6b,
  characterDevice: 0x63,
  blockDevice: 0x62,
};

type PackedStat = Omit<Stat, 'kind' | 'blocks' | 'uid' | 'isMountPoint'>;

/** Writes what stat tells into the record at `at`. */
export function packStat(into: Buffer, at: number, stat: PackedStat): void {
  into.writeUInt16LE(stat.mode, at + RECORD.mode);
  writeUint53(into, at + RECORD.size, stat.sizeBytes);
  writeInt53(into, at + RECORD.mtimeSeconds, stat.mtimeSeconds);
  into.writeUInt32LE(stat.mtimeNanoseconds, at + RECORD.mtimeNanoseconds);
  into.writeUInt32LE(stat.ctimeNanoseconds, at + RECORD.ctimeNanoseconds);
  writeInt53(into, at + RECORD.ctimeSeconds, stat.ctimeSeconds);
  into.writeBigUInt64LE(stat.inode, at + RECORD.inode);
  writeUint53(into, at + RECORD.device, stat.device);
  into.writeUInt32LE(stat.links, at + RECORD.links);
}

/** The name in the record at `at`. */
export function nameIn(records: Buffer, at: number): Bytes {
  const nameAt = at + RECORD.name;
  return records.toString('latin1', nameAt, nameAt + records.readUInt16LE(at + RECORD.nameLength)) as Bytes;
}

/** What packStat() has written. */
export function unpackStat(from: Buffer, at: number): PackedStat {
  return {
    mode: from.readUInt16LE(at + RECORD.mode),
    sizeBytes: readUint64(from, at + RECORD.size),
    mtimeSeconds: readInt64(from, at + RECORD.mtimeSeconds),
    mtimeNanoseconds: from.readUInt32LE(at + RECORD.mtimeNanoseconds),
    ctimeNanoseconds: from.readUInt32LE(at + RECORD.ctimeNanoseconds),
    ctimeSeconds: readInt64(from, at + RECORD.ctimeSeconds),
    inode: from.readBigUInt64LE(at + RECORD.inode),
    device: readUint64(from, at + RECORD.device),
    links: from.readUInt32LE(at + RECORD.links),
  };
}

/** The nearest number: above 2^53 it is not exact. */
export function readUint64(from: Buffer, at: number): number {
  return from.readUInt32LE(at) + from.readUInt32LE(at + 4) * 2 ** 32;
}

/** Little-endian, two's complement; exact up to 2^53 either way. */
export function readInt64(from: Buffer, at: number): number {
  return from.readUInt32LE(at) + from.readInt32LE(at + 4) * 2 ** 32;
}

/** Eight bytes, little-endian; `value` from 0 to 2^53 - 1. */
export function writeUint53(into: Buffer, at: number, value: number): void {
  into.writeUInt32LE(value % 2 ** 32, at);
  into.writeUInt32LE(Math.floor(value / 2 ** 32), at + 4);
}

/** Eight bytes, little-endian, two's complement; exact up to 2^53 either way. */
export function writeInt53(into: Buffer, at: number, value: number): void {
  into.writeUInt32LE(((value % 2 ** 32) + 2 ** 32) % 2 ** 32, at);
  into.writeInt32LE(Math.floor(value / 2 ** 32), at + 4);
}

/** Makes a listing of single looks. @param stat Gives undefined for what is gone meanwhile. */
export function packListing(names: readonly Bytes[], stat: (name: Bytes) => Stat | undefined): Listing {
  const found = names
    .toSorted()
    .map((name) => ({ name, stat: stat(name) }))
    .filter((entry): entry is { name: Bytes; stat: Stat } => entry.stat !== undefined);
  const bytes = Buffer.alloc(found.reduce((sum, { name }) => sum + RECORD.name + name.length, 0));
  const offsets = new Uint32Array(found.length);
  let at = 0;
  for (const [index, entry] of found.entries()) {
    offsets[index] = at;
    bytes[at + RECORD.kind] = RECORD_KINDS[entry.stat.kind];
    bytes[at + RECORD.isMountPoint] = entry.stat.isMountPoint ? 1 : 0;
    bytes.writeUInt16LE(entry.name.length, at + RECORD.nameLength);
    packStat(bytes, at, entry.stat);
    bytes.write(entry.name, at + RECORD.name, 'latin1');
    at += RECORD.name + entry.name.length;
  }
  return { bytes, offsets };
}
