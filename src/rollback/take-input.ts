import type { Bytes } from '../bytes.ts';
import type { Directory } from '../ports/files.ts';
import type { CaptureLimits, CaptureRoot } from './capture-input.ts';
import type { EncodedNodes } from './encode-nodes.ts';
import type { Rules } from './rules.ts';
import type { SnapshotTree } from './snapshot-tree.ts';

/** One snapshot that is to be taken. */
export interface TakeInput {
  readonly roots: readonly CaptureRoot[];
  readonly number: number;
  readonly previous: SnapshotTree | undefined;
  /** Objects of the other session that `previous` belongs to, which is not used where it is damaged. */
  readonly earlierObjects: Directory | undefined;
  /** Where the contents go; undefined to hash only. */
  readonly objects: Directory | undefined;
  readonly limits: CaptureLimits;
  /** How many entries there were the last time, where that is known. */
  readonly expected?: number | undefined;
  readonly onProgress?: ((entries: number) => void) | undefined;
  /** @see EncodeOrder.onPiece */
  readonly onPiece?: ((piece: Buffer) => void) | undefined;
}

/** Nodes, and the bytes that their contents newly take. */
export interface StoredNodes extends EncodedNodes {
  readonly storedBytes: number;
}

/** Their bytes are there until this is disposed of. */
export interface TakenNodes extends StoredNodes, Disposable {
  /** In the order of the input's. */
  readonly roots: readonly TakenRoot[];
}

/** What the walk has found out about a root. */
export interface TakenRoot {
  /** Those that held: with the ignore files that were met. */
  readonly rules: Rules;
  /** Of the git work trees that were met. */
  readonly tops: readonly Bytes[];
}
