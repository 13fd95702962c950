import type { Bytes } from '../bytes.ts';
import { DamageError } from '../errors.ts';
import { packStat, RECORD, readInt64, readUint64, writeUint53 } from '../ports/listing.ts';
import { type Entry, type EntryKind, SKIP_REASONS, type SkipReason } from './entry.ts';

/**
 * The bytes of nodes; FORMAT.md has the table. A nodes file is a header and then nodes, each of which
 * lists one directory, children before parents.
 */
export const NODES_FORMAT = 1;
export const HEADER_BYTES = 32;
const MAGIC = 'NONONODE';
export const NODE_HEADER_BYTES = 8;
export const ENTRY_BYTES = RECORD.name;
export const HASH_BYTES = 32;
const PATH_BYTES_MAXIMUM = 4096;
/** Linux has 255 bytes in most places; where names are 255 UTF-16 units (vfat, exfat, ntfs) they are up to three times as many in UTF-8. */
const NAME_BYTES_MAXIMUM = 4095;

/** Offsets in the fixed part of an entry: what stat tells lies as in a directory listing, which is copied. */
export const FIELD = {
  ...RECORD,
  reason: RECORD.isMountPoint,
  targetLength: 6,
  childSnapshot: 60,
  childOffset: 64,
  hash: 72,
} as const;

export const KIND_CODES: Readonly<Record<EntryKind, number>> = { file: 0x66, directory: 0x64, symlink: 0x6c, skipped: 0x73 };
const KINDS = new Map<number, EntryKind>(Object.entries(KIND_CODES).map(([kind, code]) => [code, kind as EntryKind]));
const REASONS = new Map<number, SkipReason>(Object.entries(SKIP_REASONS).map(([reason, code]) => [code, reason as SkipReason]));

/** A file whose mode, size, times, inode and hash are where an entry has them, in bytes that came from another thread. */
export interface PackedFile {
  readonly kind: 'file';
  readonly name: Bytes;
  readonly record: Buffer;
  /** Where the entry begins in `record`. */
  readonly from: number;
}

/** When a snapshot began, by the clock that file times are set by. */
export interface NodesHeader {
  readonly startedSeconds: number;
  readonly startedNanoseconds: number;
}

/** A nodes file that cannot be read: which byte, and what is wrong there. */
export class NodesDamage extends DamageError {
  readonly offset: number;
  constructor(offset: number, message: string) {
    super(`Cannot read a snapshot: ${message} at byte ${offset} of its nodes`);
    this.offset = offset;
  }
}

/** HEADER_BYTES: magic, format, length, and when the snapshot was begun. */
export function encodeHeader({ startedSeconds, startedNanoseconds }: NodesHeader): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.write(MAGIC, 0, 'latin1');
  header.writeUInt32LE(NODES_FORMAT, 8);
  header.writeUInt32LE(HEADER_BYTES, 12);
  header.writeBigInt64LE(BigInt(startedSeconds), 16);
  header.writeUInt32LE(startedNanoseconds, 24);
  return header;
}

/** @throws {NodesDamage} also for a newer format, which the manifest has announced already. */
export function decodeHeader(file: Buffer): NodesHeader {
  if (file.length < HEADER_BYTES || file.toString('latin1', 0, 8) !== MAGIC) throw new NodesDamage(0, 'no nodes header');
  if (file.readUInt32LE(8) !== NODES_FORMAT) throw new NodesDamage(8, `unknown format ${file.readUInt32LE(8)}`);
  if (file.readUInt32LE(12) !== HEADER_BYTES) throw new NodesDamage(12, 'wrong size of the header');
  return { startedSeconds: readInt53(file, 16), startedNanoseconds: readNanoseconds(file, 24) };
}

/** The bytes that an entry takes in a node. */
export function entryBytes(entry: Pick<Entry, 'name' | 'target'>): number {
  return ENTRY_BYTES + entry.name.length + entry.target.length;
}

/** The bytes of a node with these entries. */
export function nodeBytes(entries: readonly (Entry | PackedFile)[]): number {
  let bytes = NODE_HEADER_BYTES;
  for (const entry of entries) bytes += ENTRY_BYTES + entry.name.length + ('record' in entry ? 0 : entry.target.length);
  return bytes;
}

/**
 * Writes a node. Entries are sorted by the bytes of their names and unique.
 *
 * @returns the offset after it.
 */
export function encodeNode(into: Buffer, offset: number, entries: readonly (Entry | PackedFile)[]): number {
  let at = offset + NODE_HEADER_BYTES;
  for (const entry of entries) at = 'record' in entry ? copyEntry(into, at, entry) : encodeEntry(into, at, entry);
  into.writeUInt32LE(at - offset, offset);
  into.writeUInt32LE(entries.length, offset + 4);
  return at;
}

function copyEntry(into: Buffer, at: number, { name, record, from }: PackedFile): number {
  record.copy(into, at, from, from + ENTRY_BYTES);
  into[at + FIELD.kind] = KIND_CODES.file;
  into[at + FIELD.reason] = 0;
  into.writeUInt16LE(name.length, at + FIELD.nameLength);
  into.writeUInt16LE(0, at + FIELD.targetLength);
  into.fill(0, at + FIELD.childSnapshot, at + FIELD.hash);
  into.write(name, at + ENTRY_BYTES, 'latin1');
  return at + ENTRY_BYTES + name.length;
}

function encodeEntry(into: Buffer, at: number, entry: Entry): number {
  into[at + FIELD.kind] = KIND_CODES[entry.kind];
  into[at + FIELD.reason] = entry.reason === undefined ? 0 : SKIP_REASONS[entry.reason];
  into.writeUInt16LE(entry.name.length, at + FIELD.nameLength);
  into.writeUInt16LE(entry.target.length, at + FIELD.targetLength);
  packStat(into, at, entry);
  into.writeUInt32LE(entry.child?.snapshot ?? 0, at + FIELD.childSnapshot);
  writeUint53(into, at + FIELD.childOffset, entry.child?.offset ?? 0);
  into.write(entry.hash, at + FIELD.hash, HASH_BYTES, 'latin1');
  const nameAt = at + ENTRY_BYTES;
  into.write(entry.name, nameAt, 'latin1');
  if (entry.target !== '') into.write(entry.target, nameAt + entry.name.length, 'latin1');
  return nameAt + entry.name.length + entry.target.length;
}

/** The bytes of the node at `offset`, header included. @throws {NodesDamage} */
export function nodeLength(file: Buffer, offset: number): number {
  if (offset < HEADER_BYTES || offset + NODE_HEADER_BYTES > file.length) throw new NodesDamage(offset, 'no node');
  const length = file.readUInt32LE(offset);
  if (length < NODE_HEADER_BYTES || offset + length > file.length) throw new NodesDamage(offset, 'node past the end');
  return length;
}

/**
 * Reads the node at `offset`. What comes back is safe to use as names below a directory: a nodes file
 * may have been edited by somebody who wants a restore to write elsewhere.
 *
 * @param snapshot The number of the snapshot that the file belongs to; children may only lie in an
 *   earlier one, or before this node in the same one, so that there can be no cycle.
 * @param isRoots True for the node of the roots, whose names are absolute paths.
 * @throws {NodesDamage}
 */
export function decodeNode(file: Buffer, offset: number, snapshot: number, isRoots: boolean): Entry[] {
  const end = offset + nodeLength(file, offset);
  const count = file.readUInt32LE(offset + 4);
  const entries: Entry[] = [];
  let at = offset + NODE_HEADER_BYTES;
  let previous: Bytes | undefined;
  for (let index = 0; index < count; index++) {
    if (at + ENTRY_BYTES > end) throw new NodesDamage(at, 'entry past the end of its node');
    const entry = decodeEntry(file, at, end);
    const isSafe = isRoots ? isSafeRootPath(entry.name) : isSafeName(entry.name);
    if (!isSafe) throw new NodesDamage(at, `unsafe name ${JSON.stringify(entry.name)}`);
    if (previous !== undefined && entry.name <= previous) throw new NodesDamage(at, 'names out of order');
    if (entry.child !== undefined && !isEarlier(entry.child.snapshot, entry.child.offset, snapshot, offset)) {
      throw new NodesDamage(at, 'child that is not earlier');
    }
    entries.push(entry);
    previous = entry.name;
    at += entryBytes(entry);
  }
  if (at !== end) throw new NodesDamage(at, 'bytes after the last entry');
  return entries;
}

/** The names in the node at `offset`, to be compared: nothing makes sure that they are safe to use. @throws {NodesDamage} */
export function decodeNames(file: Buffer, offset: number): Bytes[] {
  const end = offset + nodeLength(file, offset);
  const names: Bytes[] = [];
  for (let at = offset + NODE_HEADER_BYTES; at < end; ) {
    if (at + ENTRY_BYTES > end) throw new NodesDamage(at, 'entry past the end of its node');
    const nameAt = at + ENTRY_BYTES;
    const targetAt = nameAt + file.readUInt16LE(at + FIELD.nameLength);
    at = targetAt + file.readUInt16LE(at + FIELD.targetLength);
    if (at > end) throw new NodesDamage(at, 'name past the end of its node');
    names.push(file.toString('latin1', nameAt, targetAt) as Bytes);
  }
  return names;
}

function decodeEntry(file: Buffer, at: number, end: number): Entry {
  const kind = KINDS.get(file[at + FIELD.kind] ?? 0);
  if (kind === undefined) throw new NodesDamage(at, 'unknown kind of entry');
  const reason = REASONS.get(file[at + FIELD.reason] ?? 0);
  if ((kind === 'skipped') !== (reason !== undefined)) throw new NodesDamage(at, 'reason that does not fit the kind');
  const nameAt = at + ENTRY_BYTES;
  const targetAt = nameAt + file.readUInt16LE(at + FIELD.nameLength);
  const entryEnd = targetAt + file.readUInt16LE(at + FIELD.targetLength);
  if (entryEnd > end) throw new NodesDamage(at, 'name past the end of its node');
  const target = file.toString('latin1', targetAt, entryEnd) as Bytes;
  if ((kind === 'symlink') !== (target !== '') || target.includes('\0')) throw new NodesDamage(at, 'bad link target');
  const mode = file.readUInt16LE(at + FIELD.mode);
  if (mode > 0o7777) throw new NodesDamage(at, 'mode out of range');
  const isDirectory = kind === 'directory';
  return {
    name: file.toString('latin1', nameAt, targetAt) as Bytes,
    kind,
    reason,
    mode,
    // Some file systems have files of nearly 2^63 bytes, and times as far from now: a command that makes one must not cost the snapshot.
    sizeBytes: readSize(file, at + FIELD.size),
    mtimeSeconds: readInt64(file, at + FIELD.mtimeSeconds),
    mtimeNanoseconds: readNanoseconds(file, at + FIELD.mtimeNanoseconds),
    ctimeSeconds: readInt64(file, at + FIELD.ctimeSeconds),
    ctimeNanoseconds: readNanoseconds(file, at + FIELD.ctimeNanoseconds),
    inode: file.readBigUInt64LE(at + FIELD.inode),
    device: readUint53(file, at + FIELD.device),
    links: file.readUInt32LE(at + FIELD.links),
    hash: file.toString('latin1', at + FIELD.hash, at + FIELD.hash + HASH_BYTES) as Bytes,
    target,
    child: isDirectory
      ? { snapshot: file.readUInt32LE(at + FIELD.childSnapshot), offset: readUint53(file, at + FIELD.childOffset) }
      : undefined,
  };
}

function isEarlier(childSnapshot: number, childOffset: number, snapshot: number, offset: number): boolean {
  return childSnapshot < snapshot || (childSnapshot === snapshot && childOffset < offset);
}

function isSafeName(name: Bytes): boolean {
  if (name === '' || name === '.' || name === '..' || name.length > NAME_BYTES_MAXIMUM) return false;
  return !name.includes('/') && !name.includes('\0');
}

/** True for an absolute path without `.`, `..`, empty components and NUL that a call takes as it is. */
export function isSafeRootPath(path: Bytes): boolean {
  return path.length <= PATH_BYTES_MAXIMUM && isSafePath(path);
}

/** The same of any length: what is far below a root is reached step by step. */
export function isSafePath(path: Bytes): boolean {
  if (!path.startsWith('/') || path.includes('\0')) return false;
  return (
    path === '/' ||
    path
      .slice(1)
      .split('/')
      .every((name) => name !== '' && name !== '.' && name !== '..')
  );
}

function readNanoseconds(file: Buffer, at: number): number {
  const value = file.readUInt32LE(at);
  if (value >= 1_000_000_000) throw new NodesDamage(at, 'nanoseconds out of range');
  return value;
}

function readSize(file: Buffer, at: number): number {
  const value = readUint64(file, at);
  if (value >= 2 ** 63) throw new NodesDamage(at, 'size beyond 2^63');
  return value;
}

export function readUint53(file: Buffer, at: number): number {
  const value = readUint64(file, at);
  if (value > Number.MAX_SAFE_INTEGER) throw new NodesDamage(at, 'number beyond 2^53');
  return value;
}

function readInt53(file: Buffer, at: number): number {
  const value = readInt64(file, at);
  if (!Number.isSafeInteger(value)) throw new NodesDamage(at, 'number beyond 2^53');
  return value;
}
