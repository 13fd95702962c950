import type { Bytes } from '../bytes.ts';
import type { StartContentWorkers } from '../ports/content-workers.ts';
import type { Directory } from '../ports/files.ts';
import { BatchingReader } from './batching-reader.ts';
import type { ContentReader } from './content-reader.ts';
import { InlineReader } from './inline-reader.ts';
import { CHUNK_BYTES, ObjectStore } from './objects.ts';
import { openReadable } from './open-root.ts';
import type { RollbackDeps } from './rollback-deps.ts';

/** What is read for one snapshot, and where it goes. */
export interface ReaderOptions {
  /** Absolute paths of the directories that tasks are relative to. */
  readonly roots: readonly Bytes[];
  /** Where the contents go; undefined to hash only. */
  readonly objects: Directory | undefined;
  /** Objects of another session that may hold a content already. */
  readonly earlierObjects: Directory | undefined;
  readonly maxFileBytes: number;
  /** False while nobody can see the session that `objects` belongs to. */
  readonly isListed: boolean;
}

/** A reader in this thread, which takes others to help it where there are some and the work is worth it. */
export async function openReader(deps: RollbackDeps, options: ReaderOptions): Promise<ContentReader & AsyncDisposable> {
  const { files, hash, clock, loadContentWorkers } = deps;
  const { roots, objects, earlierObjects, maxFileBytes, isListed } = options;
  const store = objects === undefined ? undefined : new ObjectStore(objects, { writer: `main-${clock.nowMs()}`, isListed });
  const contents = {
    hash,
    clock,
    store,
    earlier: earlierObjects,
    chunk: new Uint8Array(new ArrayBuffer(CHUNK_BYTES)),
    maxFileBytes,
  };
  const directories = roots.map((path) => openReadable(files, path));
  const inline = new InlineReader(directories, contents);
  const start: StartContentWorkers | undefined = await loadContentWorkers?.();
  if (start === undefined) return inline;
  const paths = { roots, objects: objects?.path, earlierObjects: earlierObjects?.path };
  return new BatchingReader(inline, start, { ...paths, maxFileBytes, isListed });
}
