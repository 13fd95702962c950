import type { Bytes } from '../bytes.ts';
import type { Files } from '../ports/files.ts';
import type { Hash } from '../ports/hash.ts';
import type { NodeWork } from '../ports/node-work.ts';
import type { ContentSink, Drafts } from './drafts.ts';
import type { GitTracked } from './git-work-tree.ts';
import { type KnownContents } from './known-contents.ts';
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

/** One content to read. */
export interface ContentTask {
  /** The index of the root; its directory is the one that holds it when the root is a file. */
  readonly root: number;
  readonly path: Bytes;
  readonly sink: ContentSink;
  readonly position: number;
}

/** Where the contents of files are read and stored: in this thread or in others. */
export interface ContentReader {
  /** Begins with a task; its sink is told later, in this thread, or before this returns. */
  submit(task: ContentTask): void;
  /** Takes over contents of an earlier session, and reads those that it does not have. */
  takeOver(known: KnownContents): void;
  /** Settles when so much of what was submitted is done that more may come; undefined when that is now. */
  room(): Promise<void> | undefined;
  /**
   * Resolves when all is done, with the bytes that were newly stored. Rejects with what is no property of
   * one file, such as a full disk.
   *
   * @param onWait Called when all has begun, and each time that some of it is done.
   */
  finish(onWait?: () => void): Promise<number>;
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
  readonly limits: CaptureLimits;
  readonly reader: ContentReader;
  /** Takes the nodes: children before parents, the node of the roots last. */
  readonly drafts: Drafts;
  /** Called while there is nothing to do but to wait for contents, each time that some have come. */
  readonly onWait: () => void;
  /** Called now and then with the number of entries so far. */
  readonly onProgress?: ((entries: number) => void) | undefined;
}
