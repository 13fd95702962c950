import type { Bytes } from '../../bytes.ts';
import { SystemError } from '../../errors.ts';
import { createLinuxFiles } from '../linux/files.ts';

/** The thread that waits for a disk: see sync-disk.ts for the other end. */
declare const self: Worker;

/** What kept the directory from being synced; undefined when nothing did. */
export type SyncAnswer = { readonly call: string; readonly errno: string; readonly message: string } | undefined;

self.onmessage = ({ data: path }: MessageEvent<Bytes>) => self.postMessage(sync(path));

function sync(path: Bytes): SyncAnswer {
  try {
    using directory = createLinuxFiles().openDirectory(path);
    directory.syncFileSystem();
    return undefined;
  } catch (error) {
    // Only text crosses threads: the other end makes the error again.
    const { call, errno } = error instanceof SystemError ? error : { call: '', errno: '' };
    return { call, errno, message: error instanceof Error ? error.message : String(error) };
  }
}
