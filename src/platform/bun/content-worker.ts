import type { Bytes } from '../../bytes.ts';
import { SystemError } from '../../errors.ts';
import type { WorkerPlan } from '../../ports/content-workers.ts';
import { decodeBatch } from '../../rollback/batching-reader.ts';
import { RESULT_BYTES, type TaskBatch, writeResult } from '../../rollback/content-wire.ts';
import { performTask } from '../../rollback/inline-reader.ts';
import { CHUNK_BYTES, ObjectStore } from '../../rollback/objects.ts';
import { createLinuxFiles } from '../linux/files.ts';
import { createSystemClock } from '../system-clock.ts';
import { createBunHash } from './hash.ts';

/** The thread that reads, hashes and stores contents: see content-workers.ts for the other end. */
declare const self: Worker;

export type ToWorker =
  | { readonly kind: 'plan'; readonly plan: WorkerPlan; readonly writer: string }
  | { readonly kind: 'batch'; readonly id: number; readonly batch: TaskBatch }
  | { readonly kind: 'total'; readonly id: number };

export type FromWorker =
  | { readonly kind: 'results'; readonly id: number; readonly results: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'total'; readonly id: number; readonly storedBytes: number }
  | { readonly kind: 'failed'; readonly id: number; readonly call: string; readonly errno: string; readonly message: string };

let perform: ((message: Exclude<ToWorker, { kind: 'plan' }>) => FromWorker) | undefined;

self.onmessage = ({ data: message }: MessageEvent<ToWorker>) => {
  if (message.kind === 'plan') {
    perform = preparePlan(message.plan, message.writer);
    return;
  }
  const answer = perform?.(message);
  if (answer?.kind === 'results') self.postMessage(answer, [answer.results.buffer]);
  else self.postMessage(answer);
};

function preparePlan(plan: WorkerPlan, writer: string) {
  const files = createLinuxFiles();
  const open = (path: Bytes | undefined) => (path === undefined ? undefined : files.openDirectory(path));
  const roots = plan.roots.map((path) => files.openDirectory(path));
  const objects = open(plan.objects);
  const store = objects === undefined ? undefined : new ObjectStore(objects, { writer, isListed: plan.isListed });
  const deps = {
    hash: createBunHash(),
    clock: createSystemClock(),
    store,
    earlier: open(plan.earlierObjects),
    chunk: new Uint8Array(new ArrayBuffer(CHUNK_BYTES)),
    maxFileBytes: plan.maxFileBytes,
  };
  return (message: Exclude<ToWorker, { kind: 'plan' }>): FromWorker => {
    if (message.kind === 'total') return { kind: 'total', id: message.id, storedBytes: store?.storedBytes ?? 0 };
    try {
      const results = Buffer.from(new ArrayBuffer(message.batch.roots.length * RESULT_BYTES));
      let index = 0;
      for (const { root, path, knownHash } of decodeBatch(message.batch)) {
        const directory = roots[root];
        if (directory === undefined) throw new RangeError(`No root ${root}`);
        writeResult(results, index++, performTask(directory, path, knownHash, deps));
      }
      return { kind: 'results', id: message.id, results: new Uint8Array(results.buffer) };
    } catch (error) {
      // Only text crosses threads: the other end makes the error again.
      const { call, errno } = error instanceof SystemError ? error : { call: '', errno: '' };
      return { kind: 'failed', id: message.id, call, errno, message: error instanceof Error ? error.message : String(error) };
    }
  };
}
