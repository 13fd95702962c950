import type { Bytes } from '../bytes.ts';
import { baseName, joinPath, parentPath } from '../paths.ts';
import type { ContentWorkers, StartingWorkers } from '../ports/content-workers.ts';
import type { FileToMake, MadeFile } from './apply-input.ts';
import { encodeRestoreBatch, RESULT_BYTES, RESULT_KINDS, type RestoreTask, readUnread } from './content-wire.ts';
import { encodeKnownHashes } from './known-contents.ts';
import type { RollbackDeps } from './rollback-deps.ts';
import { placeInRoots } from './tree-index.ts';

/** Fewer files than this are made faster than threads start. */
const MANY_FILES = 300;
const LINKED_AT_ONCE = 500;

/** Where files are made, and what of. */
export interface FileMakerOptions {
  readonly rootPaths: readonly Bytes[];
  /** Absolute paths of the objects to restore, and of those of the session that will undo it. */
  readonly objects: Bytes;
  readonly undoObjects: Bytes;
}

/** Starts the threads that make files; undefined where there are none, or for so few that it is not worth it. */
export async function startMaking(deps: RollbackDeps, count: number): Promise<StartingWorkers | undefined> {
  if (deps.loadContentWorkers === undefined || count < MANY_FILES) return undefined;
  const start = await deps.loadContentWorkers();
  return start();
}

/** Makes files in threads, which whoever started them ends. */
export class FileMaker {
  readonly #workers: ContentWorkers;
  readonly #rootPaths: readonly Bytes[];
  #isLinked = false;

  constructor(threads: StartingWorkers, { rootPaths, objects, undoObjects }: FileMakerOptions) {
    this.#rootPaths = rootPaths;
    this.#workers = threads.workOn({
      // From the directory that holds it on, so that a root that is a link by now is not followed.
      roots: rootPaths.map(parentPath),
      objects: undoObjects,
      earlierObjects: objects,
      maxFileBytes: Number.POSITIVE_INFINITY,
      isListed: true,
    });
  }

  /** Links the contents of files that will be made into the session that will undo it, while this thread does other things. */
  async linkAhead(hashes: readonly Bytes[]): Promise<void> {
    const batches: Promise<Uint8Array | undefined>[] = [];
    for (let at = 0; at < hashes.length; at += LINKED_AT_ONCE) {
      batches.push(this.#workers.takeOver(encodeKnownHashes(hashes.slice(at, at + LINKED_AT_ONCE))));
    }
    const left = await Promise.all(batches);
    // Where one could not be linked each file says for itself whether its own was.
    this.#isLinked = left.every((entries) => entries === undefined);
  }

  /** @returns one result for each, in their order. */
  async make(files: readonly FileToMake[]): Promise<readonly MadeFile[]> {
    const rootPaths = this.#rootPaths;
    const tasks = files.map(({ path, want, temporary }): RestoreTask => {
      const place = placeInRoots(rootPaths, path);
      if (place === undefined) throw new RangeError('A file to restore lies in no root');
      const relative = joinPath(baseName(place.root), place.relative);
      return { root: rootPaths.indexOf(place.root), path: relative, temporary, want };
    });
    return decodeResults(await this.#workers.restore(encodeRestoreBatch(tasks, this.#isLinked)), tasks);
  }
}

function decodeResults(results: Uint8Array, tasks: readonly RestoreTask[]): MadeFile[] {
  const record = Buffer.from(results.buffer, results.byteOffset, results.byteLength);
  return tasks.map(({ path }, index) => {
    const from = index * RESULT_BYTES;
    if (record[from] === RESULT_KINDS.read) return { kind: 'made', file: { kind: 'file', name: baseName(path), record, from } };
    return readUnread(record, index);
  });
}
