import type { Bytes } from '../bytes.ts';
import type { Hash } from '../ports/hash.ts';
import { writeUint53 } from '../ports/listing.ts';
import { type NodeReference, SKIP_REASONS, type SkipReason } from './entry.ts';
import { ENTRY_BYTES, FIELD, HASH_BYTES, KIND_CODES, NODE_HEADER_BYTES, readUint53 } from './node-codec.ts';

/** Work on encoded nodes while a tree is captured: no entry is decoded for it. */

/**
 * The Merkle hash of the encoded node at `offset`: SHA-256 over `nono node 1\n` and, for each entry that
 * the snapshot holds, kind, mode, name length, name and hash. Times, inodes and skipped entries are not
 * under it, so equal trees have equal hashes.
 */
export function merkleHash(node: Buffer, offset: number, hash: Hash): Bytes {
  const data = Buffer.allocUnsafe(MERKLE_PREFIX.length + node.readUInt32LE(offset));
  return hash.sha256(data.subarray(0, writeMerkleInput(node, offset, data)));
}

/** Writes what the Merkle hash is the SHA-256 of. @returns its length. */
export function writeMerkleInput(node: Buffer, offset: number, into: Buffer): number {
  const count = node.readUInt32LE(offset + 4);
  let to = into.write(MERKLE_PREFIX, 0, 'latin1');
  let at = offset + NODE_HEADER_BYTES;
  for (let index = 0; index < count; index++) {
    const nameLength = node.readUInt16LE(at + FIELD.nameLength);
    const next = nextEntryOffset(node, at);
    if (node[at] !== KIND_CODES.skipped) {
      into[to] = node[at] as number;
      node.copy(into, to + 1, at + FIELD.mode, at + FIELD.mode + 4);
      node.copy(into, to + 5, at + ENTRY_BYTES, at + ENTRY_BYTES + nameLength);
      to += 5 + nameLength;
      to += node.copy(into, to, at + FIELD.hash, at + FIELD.hash + HASH_BYTES);
    }
    at = next;
  }
  return to;
}

/** Hashed before a node, so that no content has the hash of one. */
export const MERKLE_PREFIX = 'nono node 1\n';

/** The offset of the entry after the encoded one at `at`. */
export function nextEntryOffset(node: Buffer, at: number): number {
  return at + ENTRY_BYTES + node.readUInt16LE(at + FIELD.nameLength) + node.readUInt16LE(at + FIELD.targetLength);
}

/** Visits the encoded entries of a node: the offset of each. */
export function* entryOffsets(node: Buffer, offset: number): Generator<number> {
  const count = node.readUInt32LE(offset + 4);
  let at = offset + NODE_HEADER_BYTES;
  for (let index = 0; index < count; index++) {
    yield at;
    at = nextEntryOffset(node, at);
  }
}

/** True when the encoded entry at `at` is a directory. */
export function isDirectoryAt(node: Buffer, at: number): boolean {
  return node[at + FIELD.kind] === KIND_CODES.directory;
}

/** While a tree is captured a directory entry holds the number of its draft where the reference will be. */
export function readDraftNumber(node: Buffer, at: number): number {
  return readUint53(node, at + FIELD.childOffset);
}

export function patchDraftNumber(node: Buffer, at: number, draft: number): void {
  writeUint53(node, at + FIELD.childOffset, draft);
}

/** Where the node of the encoded directory at `at` is; undefined for what is no directory. */
export function readReference(node: Buffer, at: number): NodeReference | undefined {
  if (!isDirectoryAt(node, at)) return undefined;
  return { snapshot: node.readUInt32LE(at + FIELD.childSnapshot), offset: readUint53(node, at + FIELD.childOffset) };
}

/**
 * What reading a file told about its entry: the content's hash and the state in which it was read.
 *
 * @param record Has the fields of an entry, at `from` on.
 */
export function patchContent(node: Buffer, at: number, record: Buffer, from: number): void {
  record.copy(node, at + FIELD.mode, from + FIELD.mode, from + FIELD.nameLength);
  record.copy(node, at + FIELD.size, from + FIELD.size, from + FIELD.statEnd);
  record.copy(node, at + FIELD.hash, from + FIELD.hash, from + FIELD.hash + HASH_BYTES);
}

/** Turns the entry into one that stands for something the snapshot does not hold. */
export function patchSkipped(node: Buffer, at: number, reason: SkipReason): void {
  node[at + FIELD.kind] = KIND_CODES.skipped;
  node[at + FIELD.reason] = SKIP_REASONS[reason];
}

/** Marks the entry of something that was gone when it was read; compactNode() leaves it out. */
export function patchVanished(node: Buffer, at: number): void {
  node[at + FIELD.kind] = VANISHED;
}

const VANISHED = 0;

/** A copy of the node without vanished entries; the node itself when there are none. */
export function compactNode(node: Buffer): Buffer {
  const kept: Buffer[] = [];
  let count = 0;
  for (const at of entryOffsets(node, 0)) {
    count += 1;
    if (node[at] === VANISHED) continue;
    kept.push(node.subarray(at, nextEntryOffset(node, at)));
  }
  if (kept.length === count) return node;
  const header = Buffer.alloc(NODE_HEADER_BYTES);
  const compact = Buffer.concat([header, ...kept]);
  compact.writeUInt32LE(compact.length, 0);
  compact.writeUInt32LE(kept.length, 4);
  return compact;
}
