import type { Bytes } from '../bytes.ts';
import type { Hash } from '../ports/hash.ts';
import type { ContentResult } from './content.ts';
import type { Entry, NodeReference, SkipReason } from './entry.ts';
import { encodeHeader, encodeNode, HEADER_BYTES, NODE_HEADER_BYTES, type NodesHeader, nodeBytes } from './node-codec.ts';
import {
  addToTotals,
  compactNode,
  entryOffsets,
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
  settle(position: number, result: ContentResult): void;
}

/** The encoded node of one directory, some of whose contents may still be missing. */
export class Draft implements ContentSink {
  readonly number: number;
  /** The node of the same directory in the previous snapshot of the session. */
  readonly previous: NodeReference | undefined;
  bytes: Buffer;

  constructor(number: number, entries: readonly Entry[], previous: NodeReference | undefined) {
    this.number = number;
    this.previous = previous;
    this.bytes = Buffer.allocUnsafe(nodeBytes(entries));
    encodeNode(this.bytes, 0, entries);
  }

  /** The position of the first entry. */
  readonly firstEntryOffset = NODE_HEADER_BYTES;

  /** The position of the entry after the one at `position`. */
  offsetAfter(position: number): number {
    return nextEntryOffset(this.bytes, position);
  }

  /** @param position The offset of the entry in the node. */
  settle(position: number, result: ContentResult): void {
    if (result.kind === 'read') patchContent(this.bytes, position, result.hash, result.stat);
    else if (result.kind === 'kept') return;
    else if (result.kind === 'skipped') patchSkipped(this.bytes, position, result.reason);
    else patchVanished(this.bytes, position);
  }
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
  readonly bytes: Buffer;
  readonly root: NodeReference;
  /** The Merkle hash of the node of the roots: 32 bytes. */
  readonly merkleRoot: Bytes;
  readonly totals: SnapshotTotals;
}

/** The nodes of a tree while it is captured: children before parents, the node of the roots last. */
export class Drafts {
  readonly #drafts: Draft[] = [];

  /** Adds a node. The `child.offset` of a directory entry is the number of the child's draft. */
  add(entries: readonly Entry[], previous: NodeReference | undefined): Draft {
    const draft = new Draft(this.#drafts.length, entries, previous);
    this.#drafts.push(draft);
    return draft;
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
      const bytes = compactNode(draft.bytes);
      for (const at of entryOffsets(bytes, 0)) {
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
    return { bytes: Buffer.concat(pieces), root: root.reference, merkleRoot: root.merkle, totals };
  }
}
