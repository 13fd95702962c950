import { type Listing, readUint64 } from '../ports/listing.ts';
import { type NodeWork, TOTALS } from '../ports/node-work.ts';
import { ENTRY_BYTES, FIELD, KIND_CODES, NODE_HEADER_BYTES } from './node-codec.ts';
import { isDirectoryAt, nextEntryOffset, readDraftNumber, writeMerkleInput } from './node-edit.ts';

/** The bytes of a place: where a directory's own node is, and its hash, as they stand in its entry. */
export const PLACE_BYTES = ENTRY_BYTES - FIELD.childSnapshot;

/** Without help of the system's. */
export const plainNodeWork: NodeWork = {
  matchEntries(listing, node, matches) {
    const cursor = new NodeCursor(node);
    for (const [index, record] of listing.offsets.entries()) {
      const found = cursor.find(listing, record);
      if (cursor.damagedAt >= 0) return cursor.damagedAt;
      matches[index] = found < 0 ? -1 : 2 * found + Number(isSameState(listing.bytes, record, node, found));
    }
    return -1;
  },

  settleEntries(node, places, placeCount, into, totals) {
    for (let at = NODE_HEADER_BYTES; at < node.length; at = nextEntryOffset(node, at)) {
      addToTotals(totals, node, at);
      if (!isDirectoryAt(node, at)) continue;
      const number = readDraftNumber(node, at);
      if (number >= placeCount) return -1;
      places.copy(node, at + FIELD.childSnapshot, number * PLACE_BYTES, (number + 1) * PLACE_BYTES);
    }
    return writeMerkleInput(node, 0, into);
  },
};

/** From the size to the device: all that isSameInodeState() compares, and nothing else, lies in between. */
function isSameState(bytes: Buffer, record: number, node: Buffer, entry: number): boolean {
  return bytes.compare(node, entry + FIELD.size, entry + FIELD.links, record + FIELD.size, record + FIELD.links) === 0;
}

function addToTotals(totals: Float64Array, node: Buffer, at: number): void {
  add(totals, TOTALS.entries, 1);
  const reason = node[at + FIELD.reason] as number;
  if (reason !== 0) add(totals, TOTALS.reasons + reason, 1);
  if (node[at + FIELD.kind] !== KIND_CODES.file) return;
  add(totals, TOTALS.files, 1);
  add(totals, TOTALS.sizeBytes, readUint64(node, at + FIELD.size));
}

function add(totals: Float64Array, index: number, amount: number): void {
  totals[index] = (totals[index] as number) + amount;
}

/** Finds names in a node when they are asked for in their order. */
class NodeCursor {
  readonly #node: Buffer;
  #at = NODE_HEADER_BYTES;
  /** The entry that goes past the end of the node; -1 when none was met. */
  damagedAt = -1;

  constructor(node: Buffer) {
    this.#node = node;
  }

  /** @returns the offset of the entry with the name of the record, -1 when the node has none. */
  find({ bytes }: Listing, record: number): number {
    const nameAt = record + ENTRY_BYTES;
    const nameEnd = nameAt + bytes.readUInt16LE(record + FIELD.nameLength);
    while (this.#at < this.#node.length) {
      const found = this.#at;
      const ownAt = found + ENTRY_BYTES;
      const ownEnd = ownAt > this.#node.length ? ownAt : ownAt + this.#node.readUInt16LE(found + FIELD.nameLength);
      if (ownEnd > this.#node.length) {
        this.damagedAt = found;
        return -1;
      }
      const order = this.#node.compare(bytes, nameAt, nameEnd, ownAt, ownEnd);
      if (order > 0) return -1;
      this.#at = ownEnd + this.#node.readUInt16LE(found + FIELD.targetLength);
      if (order === 0) return found;
    }
    return -1;
  }
}
