import { type Bytes, displayBytes } from '../../bytes.ts';
import { SystemError } from '../../errors.ts';

/** Loads what that takes, 1 ms, for a process that has nothing better to do. */
export function prepareToSync(): void {
  void import('node:fs');
}

/** fsync(2) in the runtime's own threads. node:fs is loaded by the first call: a start need not wait for it. */
export async function syncInBackground(descriptor: number, path: Bytes): Promise<void> {
  const { fsync } = await import('node:fs');
  await new Promise<void>((resolve, reject) => {
    const sync = () =>
      fsync(descriptor, (error) => {
        if (error === null || error === undefined) resolve();
        // A signal interrupted it, which network file systems let happen.
        else if (error.code === 'EINTR') sync();
        else reject(new SystemError('fsync', error.code ?? 'EIO', displayBytes(path)));
      });
    sync();
  });
}
