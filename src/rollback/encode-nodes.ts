import type { Bytes } from '../bytes.ts';
import type { Hash, HashStream } from '../ports/hash.ts';
import { writeUint53 } from '../ports/listing.ts';
import { type NodeWork, TOTALS } from '../ports/node-work.ts';
import type { Drafts } from './drafts.ts';
import { NO_HASH, type NodeReference, SKIP_REASONS, type SkipReason } from './entry.ts';
import { encodeHeader, FIELD, HASH_BYTES, HEADER_BYTES, type NodesHeader } from './node-codec.ts';
import { compactNode, MERKLE_PREFIX } from './node-edit.ts';
import { PLACE_BYTES, plainNodeWork } from './node-work.ts';
import type { SnapshotTree } from './snapshot-tree.ts';

/** Over all roots. */
export interface SnapshotTotals {
  readonly fileCount: number;
  readonly entryCount: number;
  readonly sizeBytes: number;
  /** How many entries the snapshot does not hold, by reason. */
  readonly skipped: ReadonlyMap<SkipReason, number>;
}

/** What a nodes file holds, and where in it the node of the roots is. */
export interface EncodedNodes {
  /** One after the other they are the file. Each is good until the next is asked for. None where they were given to EncodeOrder.onPiece. */
  readonly pieces: Iterable<Buffer>;
  readonly nodesBytes: number;
  /** The SHA-256 of the file: 32 bytes. */
  readonly nodesHash: Bytes;
  readonly root: NodeReference;
  /** The Merkle hash of the node of the roots: 32 bytes. */
  readonly merkleRoot: Bytes;
  readonly totals: SnapshotTotals;
}

export interface EncodeDeps {
  readonly hash: Hash;
  readonly nodeWork?: NodeWork | undefined;
}

/** What is encoded, and where it will stand. */
export interface EncodeOrder {
  readonly drafts: Drafts;
  /** Of the snapshot. */
  readonly number: number;
  readonly header: NodesHeader;
  /** The snapshot before it in the same session. */
  readonly previous?: SnapshotTree | undefined;
  /** Takes the pieces as they come, each good until it returns: in memory they would be as large as all else. */
  readonly onPiece?: ((piece: Buffer) => void) | undefined;
}

/** @returns the nodes of drafts all of whose contents are settled. */
export function encodeNodes(deps: EncodeDeps, order: EncodeOrder): EncodedNodes {
  return new NodesEncoding(deps, order).finish();
}

const FIRST_PLACES = 64;

/**
 * Gives nodes their places, one after the other while others are still captured. A node that is the same, byte for byte, as that of the
 * directory in the previous snapshot of the session is not written again but referred to.
 */
export class NodesEncoding {
  readonly #hash: Hash;
  readonly #nodeWork: NodeWork;
  readonly #order: EncodeOrder;
  readonly #pieces: Pieces;
  readonly #totals = new Float64Array(TOTALS.length);
  #places = Buffer.alloc(FIRST_PLACES * PLACE_BYTES);
  #input = Buffer.alloc(0);
  /** The draft to encode next. */
  #number = 0;
  #endBytes = HEADER_BYTES;
  #root: NodeReference | undefined;
  #merkleRoot = NO_HASH;

  constructor({ hash, nodeWork = plainNodeWork }: EncodeDeps, order: EncodeOrder) {
    this.#hash = hash;
    this.#nodeWork = nodeWork;
    this.#order = order;
    this.#pieces = new Pieces(hash.createSha256(), order.onPiece);
    this.#pieces.add(encodeHeader(order.header));
  }

  /** Encodes what is settled, up to the first draft that is not. */
  advance(): void {
    for (let bytes = this.#next(); bytes !== undefined; bytes = this.#next()) this.#encode(bytes);
  }

  /** @throws {RangeError} for drafts that are no tree, or are not settled. */
  finish(): EncodedNodes {
    this.advance();
    if (this.#root === undefined) throw new RangeError('A tree has at least the node of its roots');
    if (this.#number < this.#order.drafts.count) throw new RangeError('Contents of a tree are not settled');
    return {
      ...this.#pieces.finish(),
      nodesBytes: this.#endBytes,
      root: this.#root,
      merkleRoot: this.#merkleRoot,
      totals: readTotals(this.#totals),
    };
  }

  #next(): Buffer | undefined {
    const draft = this.#order.drafts.at(this.#number);
    if (draft?.isSettled !== true) return undefined;
    return draft.hasVanished ? compactNode(draft.bytes) : draft.bytes;
  }

  #encode(bytes: Buffer): void {
    const { drafts, previous, number: snapshot } = this.#order;
    const before = drafts.at(this.#number)?.previous;
    const inputBytes = this.#nodeWork.settleEntries(bytes, this.#places, this.#number, this.#roomFor(bytes), this.#totals);
    if (inputBytes < 0) throw new RangeError('A child was added after its parent');
    this.#merkleRoot = this.#hash.sha256(this.#input.subarray(0, inputBytes));
    const isShared = before !== undefined && previous?.nodeBytes(before).equals(bytes) === true;
    this.#root = isShared ? before : { snapshot, offset: this.#endBytes };
    this.#place(this.#root);
    this.#number += 1;
    if (isShared) return;
    this.#pieces.add(bytes);
    this.#endBytes += bytes.length;
  }

  #roomFor({ length }: Buffer): Buffer {
    const sizeBytes = MERKLE_PREFIX.length + length;
    if (this.#input.length < sizeBytes) this.#input = Buffer.allocUnsafe(2 * sizeBytes);
    return this.#input;
  }

  /** Writes the reference and the hash of the draft as they will stand in the entry of its directory. */
  #place({ snapshot, offset }: NodeReference): void {
    const from = this.#number * PLACE_BYTES;
    if (from === this.#places.length) this.#places = Buffer.concat([this.#places, Buffer.alloc(this.#places.length)]);
    const at = from - FIELD.childSnapshot;
    this.#places.writeUInt32LE(snapshot, at + FIELD.childSnapshot);
    writeUint53(this.#places, at + FIELD.childOffset, offset);
    this.#places.write(this.#merkleRoot, at + FIELD.hash, HASH_BYTES, 'latin1');
  }
}

function readTotals(totals: Float64Array): SnapshotTotals {
  const { files, entries, sizeBytes, reasons } = TOTALS;
  const numberAt = (index: number) => totals[index] as number;
  const counts = Object.entries(SKIP_REASONS).map(([reason, code]) => [reason as SkipReason, numberAt(reasons + code)] as const);
  return {
    fileCount: numberAt(files),
    entryCount: numberAt(entries),
    sizeBytes: numberAt(sizeBytes),
    skipped: new Map(counts.filter(([, count]) => count > 0)),
  };
}

const FIRST_PIECE_BYTES = 8 * 1024;
/** Enough that a write of a piece costs nothing beside its bytes. */
const PIECE_BYTES_MAXIMUM = 256 * 1024;

/** Puts nodes one behind the other, and hashes them. */
class Pieces {
  readonly #sha256: HashStream;
  readonly #onPiece: ((piece: Buffer) => void) | undefined;
  readonly #whole: Buffer[] = [];
  #piece = Buffer.allocUnsafe(FIRST_PIECE_BYTES);
  #length = 0;

  constructor(sha256: HashStream, onPiece: ((piece: Buffer) => void) | undefined) {
    this.#sha256 = sha256;
    this.#onPiece = onPiece;
  }

  add(bytes: Buffer): void {
    if (this.#length + bytes.length > this.#piece.length) this.#begin(bytes.length);
    this.#length += bytes.copy(this.#piece, this.#length);
  }

  finish(): Pick<EncodedNodes, 'pieces' | 'nodesHash'> {
    this.#end();
    return { pieces: this.#whole, nodesHash: this.#sha256.digest() };
  }

  #begin(roomBytes: number): void {
    this.#end();
    const sizeBytes = Math.max(roomBytes, Math.min(PIECE_BYTES_MAXIMUM, 2 * this.#piece.length));
    if (this.#onPiece === undefined || sizeBytes > this.#piece.length) this.#piece = Buffer.allocUnsafe(sizeBytes);
  }

  #end(): void {
    const piece = this.#piece.subarray(0, this.#length);
    this.#length = 0;
    if (piece.length === 0) return;
    this.#sha256.update(piece);
    if (this.#onPiece === undefined) this.#whole.push(piece);
    else this.#onPiece(piece);
  }
}
