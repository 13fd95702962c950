import type { Bytes } from '../bytes.ts';
import type { Directory } from '../ports/files.ts';
import type { ContentReader, ContentTask } from './capture.ts';
import { type ContentDeps, captureContent } from './content.ts';
import { RESULT_BYTES, writeResult } from './content-wire.ts';
import { NO_HASH } from './entry.ts';

/** Reads contents in the thread that asks. */
export class InlineReader implements ContentReader, AsyncDisposable {
  readonly #roots: readonly Directory[];
  readonly #deps: ContentDeps;
  readonly #record = Buffer.alloc(RESULT_BYTES);

  /** @param roots Closed with the reader. By the number in a task; for a root that is a file, the directory that holds it. */
  constructor(roots: readonly Directory[], deps: ContentDeps) {
    this.#roots = roots;
    this.#deps = deps;
  }

  submit(task: ContentTask): void {
    const result = performTask(this.#roots[task.root] as Directory, task.path, task.knownHash, this.#deps);
    writeResult(this.#record, 0, result);
    task.sink.settle(task.position, this.#record, 0);
  }

  /** What is submitted is done at once. */
  room(): undefined {
    return undefined;
  }

  async finish(): Promise<number> {
    return this.#deps.store?.storedBytes ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const root of this.#roots) root[Symbol.dispose]();
  }
}

/** Takes a content over from the earlier session, or reads it where that cannot be done. */
export function performTask(root: Directory, path: Bytes, knownHash: Bytes, deps: ContentDeps) {
  const { store, earlier } = deps;
  if (knownHash !== NO_HASH) {
    if (store === undefined) return { kind: 'kept' } as const;
    if (earlier !== undefined && store.linkFrom(earlier, knownHash)) return { kind: 'kept' } as const;
  }
  return captureContent(root, path, deps);
}
