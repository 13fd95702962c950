import type { Bytes } from '../bytes.ts';
import type { Files } from '../ports/files.ts';
import type { Hash } from '../ports/hash.ts';
import type { NodeWork } from '../ports/node-work.ts';
import type { ContentReader } from './content-reader.ts';
import type { Drafts } from './drafts.ts';
import type { GitTracked } from './git-work-tree.ts';
import type { Rules } from './rules.ts';
import type { SnapshotTree } from './snapshot-tree.ts';

/** A directory or file that is tracked. */
export interface CaptureRoot {
  /** Absolute, links resolved. */
  readonly path: Bytes;
  readonly rules: Rules;
  /**
   * Given at the baseline only: ignore files are read on the way and added to the rules, and what git
   * tracks is kept in spite of them. Later snapshots go by the stored rules.
   */
  readonly collect: GitTracked | undefined;
}

/** Infinity for none. What is beyond them becomes a skipped entry. */
export interface CaptureLimits {
  readonly maxFileBytes: number;
  readonly maxSessionBytes: number;
  readonly maxEntries: number;
}

/** One walk over all roots. */
export interface CaptureInput {
  readonly files: Files;
  readonly hash: Hash;
  readonly nodeWork: NodeWork | undefined;
  readonly roots: readonly CaptureRoot[];
  /** A snapshot of the same roots: what is unchanged since is not read again. */
  readonly previous: SnapshotTree | undefined;
  /** True when `previous` belongs to another session, whose objects must be taken over. */
  readonly isForeign: boolean;
  /** Of the file system that each snapshot writes out; undefined where nothing is stored. */
  readonly objectsDevice: number | undefined;
  readonly limits: CaptureLimits;
  readonly reader: ContentReader;
  /** Takes the nodes: children before parents, the node of the roots last. */
  readonly drafts: Drafts;
  /** Called while there is nothing to do but to wait for contents, each time that some have come. */
  readonly onWait: () => void;
  /** Called now and then with the number of entries so far. */
  readonly onProgress?: ((entries: number) => void) | undefined;
}
