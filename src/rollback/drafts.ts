import { RESULT_KINDS, readReason } from './content-wire.ts';
import type { Entry, NodeReference } from './entry.ts';
import { encodeNode, NODE_HEADER_BYTES, nodeBytes, type PackedFile } from './node-codec.ts';
import { nextEntryOffset, patchContent, patchSkipped, patchVanished } from './node-edit.ts';

/** Takes what came of the content at a position that was given with the task. */
export interface ContentSink {
  /** @param results Holds the result (content-wire.ts) at the byte `at`. */
  settle(position: number, results: Buffer, at: number): void;
}

/** The encoded node of one directory, some of whose contents may still be missing: each was expected before it is settled. */
export class Draft implements ContentSink {
  readonly bytes: Buffer;
  /** The node of the same directory in the previous snapshot of the session. */
  readonly previous: NodeReference | undefined;
  #hasVanished = false;
  #awaited = 0;

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

  /** Something about its contents is still to be told, by settle() or settled(). */
  expect(): void {
    this.#awaited += 1;
  }

  settled(): void {
    this.#awaited -= 1;
  }

  /** Whether nothing of it changes any more but where its directories' own nodes are. */
  get isSettled(): boolean {
    return this.#awaited === 0;
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
    this.settled();
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

  get count(): number {
    return this.#drafts.length;
  }

  at(number: number): Draft | undefined {
    return this.#drafts[number];
  }
}
