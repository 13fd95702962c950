import type { Bytes } from '../bytes.ts';
import type { Directory } from '../ports/files.ts';
import type { Hash } from '../ports/hash.ts';
import type { ContentResult } from './content.ts';
import { type Entry } from './entry.ts';
import type { PackedFile } from './node-codec.ts';
import { type RestoreAction } from './restore-plan.ts';
import type { RootDirectories } from './root-directories.ts';
import type { SnapshotTree } from './snapshot-tree.ts';

/** A plan that was journalled, and all that is needed to do it. */
export interface ApplyInput {
  readonly roots: RootDirectories;
  readonly actions: readonly RestoreAction[];
  /** All that the restore touches; more than `actions` when a part was done before an interruption. */
  readonly touched: readonly RestoreAction[];
  /** The snapshot to go to. */
  readonly targetTree: SnapshotTree;
  /** What was at a path before the restore began: of a directory an interrupted run may have widened the mode. */
  readonly before: (path: Bytes) => Entry | undefined;
  readonly objects: Directory;
  /** Makes many files at once, with one result for each, see restoreMissing(); undefined to make each in its turn. */
  readonly makeMissing?: ((files: readonly FileToMake[]) => Promise<readonly MadeFile[]>) | undefined;
  readonly hash: Hash;
  /** Makes the names of temporary files; the same for each run of one restore, so that a rerun finds them. */
  readonly temporaryPrefix: Bytes;
  /** How many actions have been tried. */
  readonly onProgress?: ((done: number) => void) | undefined;
}

/** A file that is not there and is to be. */
export interface FileToMake {
  readonly path: Bytes;
  readonly want: Entry;
  readonly temporary: Bytes;
}

/** Actions of which each was to make a file, and what became of them. */
export interface MadeFiles {
  readonly actions: readonly RestoreAction[];
  readonly results: readonly MadeFile[];
}

/** What restoreMissing() gives, the state of a file that was made still in bytes. */
export type MadeFile = Exclude<ContentResult, { kind: 'read' }> | { readonly kind: 'made'; readonly file: PackedFile };

/** What became of a plan. */
export interface ApplyResult {
  /** Files that were made and whose contents the undoing session holds already, with their state. */
  readonly written: ReadonlyMap<Bytes, PackedFile>;
  readonly done: readonly RestoreAction[];
  /** The names in the directories that were touched, sorted, as they were at the end; what cannot be listed is not in it. */
  readonly listed: ReadonlyMap<Bytes, readonly Bytes[]>;
  /** What was not done, and why. */
  readonly kept: readonly { readonly action: RestoreAction; readonly reason: string }[];
}
