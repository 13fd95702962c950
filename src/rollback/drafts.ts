import type { Bytes } from '../bytes.ts';
import type { Hash } from '../ports/hash.ts';
import { writeUint53 } from '../ports/listing.ts';
import { type NodeWork, TOTALS } from '../ports/node-work.ts';
import { RESULT_KINDS, readReason } from './content-wire.ts';
import { type Entry, NO_HASH, type NodeReference, SKIP_REASONS, type SkipReason } from './entry.ts';
import {
  encodeHeader,
  encodeNode,
  FIELD,
  HASH_BYTES,
  HEADER_BYTES,
  NODE_HEADER_BYTES,
  type NodesHeader,
  nodeBytes,
  type PackedFile,
} from './node-codec.ts';
import { compactNode, MERKLE_PREFIX, nextEntryOffset, patchContent, patchSkipped, patchVanished } from './node-edit.ts';
import { PLACE_BYTES, plainNodeWork } from './node-work.ts';
import type { SnapshotTree } from './snapshot-tree.ts';

/** Takes what came of the content at a position that was given with the task. */
export interface ContentSink {
  /** @param results Holds the result (content-wire.ts) at the byte `at`. */
  settle(position: number, results: Buffer, at: number): void;
}

/** The encoded node of one directory, some of whose contents may still be missing. */
export class Draft implements ContentSink {
  readonly bytes: Buffer;
  /** The node of the same directory in the previous snapshot of the session. */
  readonly previous: NodeReference | undefined;
  #hasVanished = false;

  constructor(bytes: Buffer, previous: NodeReference | undefined) {
    this.bytes = bytes;
    this.previous = previous;
  }

  /** The position of the first entry. */
  readonly firstEntryOffset = NODE_HEADER_BYTES;

  /** The position of the entry after the one at `position`. */
  offsetAfter(position: number): number {
    return nextEntryOffset(this.bytes, position);
  }

  /** Whether an entry was found to be gone. */
  get hasVanished(): boolean {
    return this.#hasVanished;
  }

  /** @param position The offset of the entry in the node. */
  settle(position: number, results: Buffer, at: number): void {
    const kind = results[at];
    if (kind === RESULT_KINDS.read) patchContent(this.bytes, position, results, at);
    else if (kind === RESULT_KINDS.skipped) patchSkipped(this.bytes, position, readReason(results, at));
    else if (kind === RESULT_KINDS.vanished) this.vanish(position);
  }

  /** Leaves the entry at `position` out. */
  vanish(position: number): void {
    patchVanished(this.bytes, position);
    this.#hasVanished = true;
  }
}

/** The encoded node of these entries, sorted by the bytes of their names. */
export function nodeOf(entries: readonly (Entry | PackedFile)[]): Buffer {
  const bytes = Buffer.allocUnsafe(nodeBytes(entries));
  encodeNode(bytes, 0, entries);
  return bytes;
}

export interface SnapshotTotals {
  readonly fileCount: number;
  readonly entryCount: number;
  readonly sizeBytes: number;
  /** How many entries the snapshot does not hold, by reason. */
  readonly skipped: ReadonlyMap<SkipReason, number>;
}

/** The bytes of a snapshot's nodes file, and where the node of its roots is. */
export interface EncodedNodes {
  /** One after the other they are the file: for a large tree a second copy of it would be as large as all else. */
  readonly pieces: readonly Buffer[];
  readonly nodesBytes: number;
  readonly root: NodeReference;
  /** The Merkle hash of the node of the roots: 32 bytes. */
  readonly merkleRoot: Bytes;
  readonly totals: SnapshotTotals;
}

/** What it takes to give nodes their places. */
export interface EncodeDeps {
  readonly hash: Hash;
  readonly nodeWork?: NodeWork | undefined;
}

/** Enough that a write of a piece costs nothing beside its bytes. */
const GROUP_BYTES = 256 * 1024;
/** Such a piece is not worth copying. */
const LARGE_BYTES = 16 * 1024;

/** The same bytes in few pieces. */
export function* groupPieces(pieces: readonly Buffer[]): Generator<Buffer> {
  let group: Buffer[] = [];
  let length = 0;
  for (const piece of pieces) {
    if (length === 0 && piece.length >= LARGE_BYTES) {
      yield piece;
      continue;
    }
    group.push(piece);
    length += piece.length;
    if (length < GROUP_BYTES) continue;
    yield Buffer.concat(group);
    group = [];
    length = 0;
  }
  if (length > 0) yield Buffer.concat(group);
}

/** The nodes of a tree while it is captured: children before parents, the node of the roots last. */
export class Drafts {
  readonly #drafts: Draft[] = [];

  /**
   * Adds a node. The `child.offset` of a directory entry is the number of the child's draft.
   *
   * @returns its number.
   */
  add(draft: Draft): number {
    return this.#drafts.push(draft) - 1;
  }

  /** Adds the node of these entries, all of whose contents are known. */
  addEntries(entries: readonly (Entry | PackedFile)[]): number {
    return this.add(new Draft(nodeOf(entries), undefined));
  }

  /**
   * Gives the nodes their places. A node that is the same, byte for byte, as that of the directory in
   * the previous snapshot of the session is not written again but referred to.
   */
  encode(
    snapshot: number,
    header: NodesHeader,
    { hash, nodeWork = plainNodeWork }: EncodeDeps,
    previous?: SnapshotTree,
  ): EncodedNodes {
    const pieces: Buffer[] = [encodeHeader(header)];
    const places = Buffer.alloc(this.#drafts.length * PLACE_BYTES);
    const totals = new Float64Array(TOTALS.length);
    let input = Buffer.alloc(0);
    let end = HEADER_BYTES;
    let root: NodeReference | undefined;
    let merkleRoot = NO_HASH;
    for (const [number, draft] of this.#drafts.entries()) {
      const bytes = draft.hasVanished ? compactNode(draft.bytes) : draft.bytes;
      if (input.length < MERKLE_PREFIX.length + bytes.length)
        input = Buffer.allocUnsafe(2 * (MERKLE_PREFIX.length + bytes.length));
      const inputBytes = nodeWork.settleEntries(bytes, places, number, input, totals);
      if (inputBytes < 0) throw new RangeError('A child was added after its parent');
      merkleRoot = hash.sha256(input.subarray(0, inputBytes));
      const isShared = draft.previous !== undefined && previous?.nodeBytes(draft.previous).equals(bytes) === true;
      root = isShared ? draft.previous : { snapshot, offset: end };
      writePlace(places, number, root, merkleRoot);
      if (isShared) continue;
      pieces.push(bytes);
      end += bytes.length;
    }
    if (root === undefined) throw new RangeError('A tree has at least the node of its roots');
    return { pieces, nodesBytes: end, root, merkleRoot, totals: readTotals(totals) };
  }
}

/** As it will stand in the entry of the directory whose node it is. */
function writePlace(places: Buffer, number: number, reference: NodeReference, merkle: Bytes): void {
  const at = number * PLACE_BYTES - FIELD.childSnapshot;
  places.writeUInt32LE(reference.snapshot, at + FIELD.childSnapshot);
  writeUint53(places, at + FIELD.childOffset, reference.offset);
  places.write(merkle, at + FIELD.hash, HASH_BYTES, 'latin1');
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
