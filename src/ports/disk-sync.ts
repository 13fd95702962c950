import type { Bytes } from '../bytes.ts';

/**
 * Makes everything on the file system of `directory`, an absolute path of nono's own, durable, while the caller's loop
 * goes on: beside another writer this may take minutes.
 *
 * @throws {SystemError} by rejecting.
 */
export type SyncDisk = (directory: Bytes) => Promise<void>;
