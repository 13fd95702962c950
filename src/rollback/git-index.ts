import type { Bytes } from '../bytes.ts';

/**
 * Reads the names from a git index file, versions 2 to 4 (gitformat-index(5)). Only the names: they say
 * which files git tracks in spite of an ignore rule.
 */
const HEADER_BYTES = 12;
/** ctime, mtime, dev, ino, mode, uid, gid, size: ten 32-bit fields. */
const STAT_BYTES = 40;
const HASH_BYTES = { sha1: 20, sha256: 32 } as const;
const NAME_LENGTH_MASK = 0x0fff;
const EXTENDED_FLAG = 0x4000;
/**
 * Version 4 leaves out what a name has in common with the one before: a small file could hold gigabytes of names. Each takes 63
 * bytes of the file, so that names of a thousand bytes each are still read.
 */
const NAMES_PER_FILE_MAXIMUM = 16;

/** @returns the names sorted by bytes, or undefined when the file is not an index that we understand. */
export function parseGitIndex(file: Buffer, objectFormat: 'sha1' | 'sha256' = 'sha1'): Bytes[] | undefined {
  if (file.length < HEADER_BYTES || file.toString('latin1', 0, 4) !== 'DIRC') return undefined;
  const version = file.readUInt32BE(4);
  if (version < 2 || version > 4) return undefined;
  const count = file.readUInt32BE(8);
  const fixedBytes = STAT_BYTES + HASH_BYTES[objectFormat] + 2;
  const names: Bytes[] = [];
  let at = HEADER_BYTES;
  let previous = '' as Bytes;
  let namesBytes = 0;
  for (let index = 0; index < count; index++) {
    if (at + fixedBytes > file.length) return undefined;
    const flags = file.readUInt16BE(at + fixedBytes - 2);
    const nameAt = at + fixedBytes + ((flags & EXTENDED_FLAG) !== 0 ? 2 : 0);
    const entry = version === 4 ? readCompressedName(file, nameAt, previous) : readName(file, nameAt, flags);
    if (entry === undefined) return undefined;
    previous = entry.name;
    namesBytes += previous.length;
    if (namesBytes > NAMES_PER_FILE_MAXIMUM * file.length) return undefined;
    names.push(entry.name);
    // Versions 2 and 3 pad each entry with 1 to 8 NULs to a multiple of eight.
    at = version === 4 ? entry.end + 1 : at + ((entry.end - at + 8) & ~7);
  }
  return names;
}

interface NameAt {
  readonly name: Bytes;
  /** The position of the NUL after it. */
  readonly end: number;
}

function readName(file: Buffer, at: number, flags: number): NameAt | undefined {
  const length = flags & NAME_LENGTH_MASK;
  const end = length < NAME_LENGTH_MASK ? at + length : file.indexOf(0, at);
  if (end < 0 || end >= file.length) return undefined;
  return { name: file.toString('latin1', at, end) as Bytes, end };
}

/** Version 4: a varint says how many bytes to drop from the end of the previous name. */
function readCompressedName(file: Buffer, at: number, previous: Bytes): NameAt | undefined {
  let position = at;
  let byte = file[position++] ?? 0;
  let dropped = byte & 0x7f;
  while ((byte & 0x80) !== 0) {
    byte = file[position++] ?? 0;
    dropped = (dropped + 1) * 128 + (byte & 0x7f);
  }
  const end = file.indexOf(0, position);
  if (end < 0 || dropped > previous.length) return undefined;
  return { name: (previous.slice(0, previous.length - dropped) + file.toString('latin1', position, end)) as Bytes, end };
}

/** True when `name` is in the sorted `names`. */
export function hasName(names: readonly Bytes[], name: Bytes): boolean {
  return names[lowerBound(names, name)] === name;
}

/** True when the sorted `names` hold something below `directory`. */
export function hasNameBelow(names: readonly Bytes[], directory: Bytes): boolean {
  const prefix = `${directory}/` as Bytes;
  return names[lowerBound(names, prefix)]?.startsWith(prefix) ?? false;
}

function lowerBound(names: readonly Bytes[], wanted: Bytes): number {
  let low = 0;
  let high = names.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((names[middle] as Bytes) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
