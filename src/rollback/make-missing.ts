import type { Bytes } from '../bytes.ts';
import { baseName, joinPath, parentPath } from '../paths.ts';
import type { StartingWorkers } from '../ports/content-workers.ts';
import type { MadeFile, MakeMissing } from './apply.ts';
import { encodeRestoreBatch, RESULT_BYTES, RESULT_KINDS, type RestoreTask, readUnread } from './content-wire.ts';
import type { RollbackDeps } from './snapshot.ts';
import { placeInRoots } from './tree-index.ts';

/** Fewer files than this are made faster than threads start. */
const MANY_FILES = 300;

export interface MakeMissingPlan {
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

/** Makes files in these threads, which whoever started them ends. */
export function makeMissingIn(threads: StartingWorkers, { rootPaths, objects, undoObjects }: MakeMissingPlan): MakeMissing {
  const workers = threads.workOn({
    // From the directory that holds it on, so that a root that is a link by now is not followed.
    roots: rootPaths.map(parentPath),
    objects: undoObjects,
    earlierObjects: objects,
    maxFileBytes: Number.POSITIVE_INFINITY,
    isListed: true,
  });
  return async (files) => {
    const tasks = files.map(({ path, want, temporary }): RestoreTask => {
      const place = placeInRoots(rootPaths, path);
      if (place === undefined) throw new RangeError('A file to restore lies in no root');
      const relative = joinPath(baseName(place.root), place.relative);
      return { root: rootPaths.indexOf(place.root), path: relative, temporary, want };
    });
    return decodeResults(await workers.restore(encodeRestoreBatch(tasks)), tasks);
  };
}

function decodeResults(results: Uint8Array, tasks: readonly RestoreTask[]): MadeFile[] {
  const record = Buffer.from(results.buffer, results.byteOffset, results.byteLength);
  return tasks.map(({ path }, index) => {
    const from = index * RESULT_BYTES;
    if (record[from] === RESULT_KINDS.read) return { kind: 'made', file: { kind: 'file', name: baseName(path), record, from } };
    return readUnread(record, index);
  });
}
