import type { Bytes } from '../bytes.ts';
import type { KnownContents } from './content-reader.ts';
import type { Draft } from './drafts.ts';
import { ENTRY_BYTES, FIELD, HASH_BYTES, KIND_CODES } from './node-codec.ts';
import { nextEntryOffset } from './node-edit.ts';

/** In the reason of an entry whose content was not taken over, in what workers give back. */
export const NOT_TAKEN_OVER = 1;

/** The offsets of the entries, from the byte `from` up to `end`, that are files with a hash. */
export function* knownFiles(entries: Buffer, from: number, end: number): Generator<number> {
  for (let at = from; at < end; at = nextEntryOffset(entries, at)) {
    if (entries[at + FIELD.kind] === KIND_CODES.file && hasHash(entries, at + FIELD.hash)) yield at;
  }
}

/** Entries that say nothing but that a file has this hash. */
export function encodeKnownHashes(hashes: readonly Bytes[]): Uint8Array<ArrayBuffer> {
  const entries = Buffer.from(new ArrayBuffer(hashes.length * ENTRY_BYTES));
  for (const [index, hash] of hashes.entries()) {
    entries[index * ENTRY_BYTES + FIELD.kind] = KIND_CODES.file;
    entries.write(hash, index * ENTRY_BYTES + FIELD.hash, HASH_BYTES, 'latin1');
  }
  return new Uint8Array(entries.buffer);
}

/** Whether the 32 bytes at `at` are another hash than NO_HASH. */
export function hasHash(bytes: Buffer, at: number): boolean {
  for (let index = at; index < at + HASH_BYTES; index++) if (bytes[index] !== 0) return true;
  return false;
}

/** What is to be taken over of a draft. */
export function knownOf(draft: Pick<Draft, 'bytes' | 'expect' | 'settled'>, taskAt: KnownContents['taskAt']): KnownContents {
  draft.expect();
  return { node: draft.bytes, taskAt, onDone: () => draft.settled() };
}
