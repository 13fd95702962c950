import type { Bytes } from '../../bytes.ts';
import { SystemError } from '../../errors.ts';
import type { SyncAnswer } from './sync-worker.ts';
import { workerFile } from './worker-file.ts';

/** syncfs(2) in a thread of its own. */
export function syncDiskInThread(directory: Bytes): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const worker = new Worker(workerFile('sync-worker'));
  worker.onmessage = ({ data: failure }: MessageEvent<SyncAnswer>) => {
    worker.terminate();
    if (failure === undefined) resolve();
    else reject(failure.errno === '' ? new Error(failure.message) : new SystemError(failure.call, failure.errno));
  };
  worker.onerror = ({ message }) => reject(new Error(`The thread that waits for the disk ended: ${message}`));
  worker.postMessage(directory);
  return promise;
}
