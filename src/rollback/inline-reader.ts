import type { Bytes } from '../bytes.ts';
import type { Directory } from '../ports/files.ts';
import { type ContentDeps, captureContent } from './content.ts';
import type { ContentReader, ContentTask, KnownContents } from './content-reader.ts';
import { RESULT_BYTES, readHash, writeResult } from './content-wire.ts';
import { knownFiles } from './known-contents.ts';
import { NODE_HEADER_BYTES } from './node-codec.ts';

/** Reads contents in the thread that asks. */
export class InlineReader implements ContentReader, AsyncDisposable {
  readonly #roots: readonly (Directory | undefined)[];
  readonly #deps: ContentDeps;
  readonly #record = Buffer.alloc(RESULT_BYTES);

  /** @param roots Closed with the reader. By the number in a task; for a root that is a file, the directory that holds it; undefined for one that has gone. */
  constructor(roots: readonly (Directory | undefined)[], deps: ContentDeps) {
    this.#roots = roots;
    this.#deps = deps;
  }

  submit(task: ContentTask): void {
    const root = this.#roots[task.root];
    const result = root === undefined ? ({ kind: 'vanished' } as const) : captureContent(root, task.path, this.#deps);
    writeResult(this.#record, 0, result);
    task.sink.settle(task.position, this.#record, 0);
  }

  takeOver({ node, taskAt, onDone }: KnownContents): void {
    for (const at of knownFiles(node, NODE_HEADER_BYTES, node.length)) {
      if (!takeOver(readHash(node, at), this.#deps)) this.submit(taskAt(at));
    }
    onDone();
  }

  /** What is submitted is done at once. */
  room(): undefined {
    return undefined;
  }

  async finish(): Promise<number> {
    return this.#deps.store?.storedBytes ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const root of this.#roots) root?.[Symbol.dispose]();
  }
}

/** @returns false where the earlier session does not have the content, or cannot share it. */
export function takeOver(hash: Bytes, { store, earlier }: Pick<ContentDeps, 'store' | 'earlier'>): boolean {
  return store === undefined || (earlier !== undefined && store.linkFrom(earlier, hash));
}
