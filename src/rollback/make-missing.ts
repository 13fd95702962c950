import type { Bytes } from '../bytes.ts';
import { baseName, joinPath, parentPath } from '../paths.ts';
import type { MadeFile, MakeMissing } from './apply.ts';
import { encodeRestoreBatch, RESULT_BYTES, RESULT_KINDS, type RestoreTask, readUnread } from './content-wire.ts';
import type { RollbackDeps } from './snapshot.ts';
import { placeInRoots } from './tree-index.ts';

/** Fewer files than this are made faster than threads start. */
const MANY_FILES = 300;
const BATCH_FILES = 250;

export interface MakeMissingPlan {
  readonly rootPaths: readonly Bytes[];
  /** Absolute paths of the objects to restore, and of those of the session that will undo it. */
  readonly objects: Bytes;
  readonly undoObjects: Bytes;
}

/** Makes files in other threads; undefined where there are none, or for so few that it is not worth it. */
export function makeMissingIn(deps: RollbackDeps, count: number, plan: MakeMissingPlan): MakeMissing | undefined {
  const { loadContentWorkers } = deps;
  if (loadContentWorkers === undefined || count < MANY_FILES) return undefined;
  return async (files) => {
    const { rootPaths, objects, undoObjects } = plan;
    const start = await loadContentWorkers();
    await using workers = start({
      // From the directory that holds it on, so that a root that is a link by now is not followed.
      roots: rootPaths.map(parentPath),
      objects: undoObjects,
      earlierObjects: objects,
      maxFileBytes: Number.POSITIVE_INFINITY,
      isListed: true,
    });
    const tasks = files.map(({ path, want, temporary }): RestoreTask => {
      const place = placeInRoots(rootPaths, path);
      if (place === undefined) throw new RangeError('A file to restore lies in no root');
      const relative = joinPath(baseName(place.root), place.relative);
      return { root: rootPaths.indexOf(place.root), path: relative, temporary, want };
    });
    const batches: RestoreTask[][] = [];
    for (let at = 0; at < tasks.length; at += BATCH_FILES) batches.push(tasks.slice(at, at + BATCH_FILES));
    const answers = await Promise.all(
      batches.map(async (batch) => decodeResults(await workers.restore(encodeRestoreBatch(batch)), batch)),
    );
    return answers.flat();
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
