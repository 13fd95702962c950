import type { Bytes } from '../bytes.ts';
import { SKIP_REASONS, type SkipReason } from './entry.ts';
import { ENTRY_BYTES, FIELD, HASH_BYTES, KIND_CODES, NODE_HEADER_BYTES } from './node-codec.ts';

const FIRST_BYTES = 16 * 1024;

/** Puts a node together out of the records of a directory listing (ports/listing.ts), in their order. */
export class NodeBuilder {
  #bytes = Buffer.allocUnsafe(FIRST_BYTES);
  #length = NODE_HEADER_BYTES;
  #count = 0;

  /** Adds a record, its hash and child still zero. @returns the offset of the entry in the node. */
  add(records: Buffer, at: number): number {
    const size = ENTRY_BYTES + records.readUInt16LE(at + FIELD.nameLength);
    const position = this.#makeRoom(size);
    records.copy(this.#bytes, position, at, at + size);
    this.#bytes[position + FIELD.reason] = 0;
    return position;
  }

  /** Adds an entry for what the snapshot does not hold. */
  addSkipped(records: Buffer, at: number, reason: SkipReason): void {
    const position = this.add(records, at);
    this.#bytes[position + FIELD.kind] = KIND_CODES.skipped;
    this.#bytes[position + FIELD.reason] = SKIP_REASONS[reason];
  }

  /** Adds a link, whose own mode means nothing. @param hash Of the target: 32 bytes. */
  addSymlink(records: Buffer, at: number, target: Bytes, hash: Bytes): void {
    const position = this.add(records, at);
    this.#bytes.writeUInt16LE(0o777, position + FIELD.mode);
    this.#bytes.writeUInt16LE(target.length, position + FIELD.targetLength);
    this.#bytes.write(hash, position + FIELD.hash, HASH_BYTES, 'latin1');
    const targetAt = this.#makeRoom(target.length);
    this.#count -= 1;
    this.#bytes.write(target, targetAt, 'latin1');
  }

  /** Gives the entry at `position` the hash of another node's entry. */
  copyHash(position: number, from: Buffer, at: number): void {
    from.copy(this.#bytes, position + FIELD.hash, at + FIELD.hash, at + FIELD.hash + HASH_BYTES);
  }

  /** @returns the node; the builder is empty again. */
  finish(): Buffer {
    this.#bytes.writeUInt32LE(this.#length, 0);
    this.#bytes.writeUInt32LE(this.#count, 4);
    const node = Buffer.allocUnsafe(this.#length);
    this.#bytes.copy(node, 0, 0, this.#length);
    this.reset();
    return node;
  }

  /** Forgets what was added. */
  reset(): void {
    this.#length = NODE_HEADER_BYTES;
    this.#count = 0;
  }

  #makeRoom(size: number): number {
    const position = this.#length;
    this.#length += size;
    this.#count += 1;
    if (this.#length > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(2 * this.#length);
      this.#bytes.copy(larger, 0, 0, position);
      this.#bytes = larger;
    }
    return position;
  }
}
