import type { Bytes } from '../bytes.ts';
import type { Hash } from '../ports/hash.ts';
import { RESULT_KINDS, readReason } from './content-wire.ts';
import type { Entry, NodeReference, SkipReason } from './entry.ts';
import {
  encodeHeader,
  encodeNode,
  HEADER_BYTES,
  NODE_HEADER_BYTES,
  type NodesHeader,
  nodeBytes,
  type PackedFile,
} from './node-codec.ts';
import {
  addToTotals,
  compactNode,
  isDirectoryAt,
  merkleHash,
  nextEntryOffset,
  patchChild,
  patchContent,
  patchSkipped,
  patchVanished,
  readDraftNumber,
} from './node-edit.ts';
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
  encode(snapshot: number, header: NodesHeader, hash: Hash, previous: SnapshotTree | undefined): EncodedNodes {
    const pieces: Buffer[] = [encodeHeader(header)];
    const places: { reference: NodeReference; merkle: Bytes }[] = [];
    const totals = { fileCount: 0, entryCount: 0, sizeBytes: 0, skipped: new Map<SkipReason, number>() };
    let end = HEADER_BYTES;
    for (const draft of this.#drafts) {
      const bytes = draft.hasVanished ? compactNode(draft.bytes) : draft.bytes;
      for (let at = NODE_HEADER_BYTES; at < bytes.length; at = nextEntryOffset(bytes, at)) {
        addToTotals(totals, bytes, at);
        if (!isDirectoryAt(bytes, at)) continue;
        const child = places[readDraftNumber(bytes, at)];
        if (child === undefined) throw new RangeError('A child was added after its parent');
        patchChild(bytes, at, child.reference, child.merkle);
      }
      const merkle = merkleHash(bytes, 0, hash);
      const shared = draft.previous !== undefined && previous?.nodeBytes(draft.previous).equals(bytes) === true;
      if (shared && draft.previous !== undefined) {
        places.push({ reference: draft.previous, merkle });
        continue;
      }
      places.push({ reference: { snapshot, offset: end }, merkle });
      pieces.push(bytes);
      end += bytes.length;
    }
    const root = places.at(-1);
    if (root === undefined) throw new RangeError('A tree has at least the node of its roots');
    return { pieces, nodesBytes: end, root: root.reference, merkleRoot: root.merkle, totals };
  }
}
