import { type Bytes, displayBytes } from '../../bytes.ts';
import { SystemError } from '../../errors.ts';

/** A thread that is there has looked at a descriptor by then, on whatever machine. */
const THREAD_TIMEOUT_MS = 2000;

let hasThreads: Promise<boolean> | undefined;

/** Loads what that takes, 1 ms, and begins the threads, which takes as long as the first of their work, while nobody waits for it. */
export function beginSyncing(): void {
  hasThreads ??= findThreads(0);
}

/** Where a limit of processes forbids the runtime its first thread, it keeps the work and says nothing. */
async function findThreads(descriptor: number): Promise<boolean> {
  const { fstat } = await import('node:fs');
  return await new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), THREAD_TIMEOUT_MS);
    fstat(descriptor, () => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}

function failureOf(call: () => void): NodeJS.ErrnoException | null {
  try {
    call();
    return null;
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
}

/** fsync(2) in the runtime's own threads. node:fs is loaded by the first call: a start need not wait for it. */
export async function syncInBackground(descriptor: number, path: Bytes): Promise<void> {
  const { fsync, fsyncSync } = await import('node:fs');
  hasThreads ??= findThreads(descriptor);
  const areThere = await hasThreads;
  await new Promise<void>((resolve, reject) => {
    const ended = (error: NodeJS.ErrnoException | null | undefined) => {
      if (error === null || error === undefined) resolve();
      // A signal interrupted it, which network file systems let happen.
      else if (error.code === 'EINTR') sync();
      else reject(new SystemError('fsync', error.code ?? 'EIO', displayBytes(path)));
    };
    const sync = () => (areThere ? fsync(descriptor, ended) : ended(failureOf(() => fsyncSync(descriptor))));
    sync();
  });
}
