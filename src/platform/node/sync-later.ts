import { type Bytes, displayBytes } from '../../bytes.ts';
import { SystemError } from '../../errors.ts';

/** fsync(2) in the runtime's own threads. node:fs is loaded by the first call: a start need not wait for it. */
export async function syncInBackground(descriptor: number, path: Bytes): Promise<void> {
  const { fsync } = await import('node:fs');
  await new Promise<void>((resolve, reject) => {
    fsync(descriptor, (error) => {
      if (error === null || error === undefined) resolve();
      else reject(new SystemError('fsync', error.code ?? 'EIO', displayBytes(path)));
    });
  });
}
