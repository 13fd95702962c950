import type { Bytes } from '../bytes.ts';
import { isErrno } from '../errors.ts';
import type { Directory, OpenFile, Stat } from '../ports/files.ts';
import type { Hash } from '../ports/hash.ts';
import { isSameInodeState, type SkipReason } from './entry.ts';
import { CHUNK_BYTES, type ObjectStore } from './objects.ts';

/** How often a file that changes while it is read is read again. */
const ATTEMPTS = 3;

/** What reading one file gave. */
export type ContentResult =
  /** An earlier session's object was taken over: the entry is right as it is. */
  | { readonly kind: 'kept' }
  | { readonly kind: 'read'; readonly hash: Bytes; readonly stat: Stat }
  | { readonly kind: 'skipped'; readonly reason: SkipReason }
  | { readonly kind: 'vanished' };

export interface ContentDeps {
  readonly hash: Hash;
  /** Where contents go; undefined when only the hash is wanted. */
  readonly store: ObjectStore | undefined;
  /** Objects of an earlier session that may hold the content already. */
  readonly earlier: Directory | undefined;
  /** CHUNK_BYTES of memory. */
  readonly chunk: Uint8Array;
  readonly maxFileBytes: number;
}

/** Reads, hashes and stores the regular file at `path` below `root`. */
export function captureContent(root: Directory, path: Bytes, deps: ContentDeps): ContentResult {
  try {
    using file = root.openFile(path);
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const result = readOnce(file, deps, attempt);
      if (result !== undefined) return result;
    }
    return { kind: 'skipped', reason: 'changing' };
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return { kind: 'vanished' };
    // A name that has become a link, a FIFO or another file system since it was listed.
    if (isErrno(error, 'ELOOP', 'ENXIO', 'EXDEV')) return { kind: 'skipped', reason: 'changing' };
    if (isErrno(error, 'EACCES', 'EPERM')) return { kind: 'skipped', reason: 'unreadable' };
    throw error;
  }
}

/** @returns undefined when the file changed meanwhile. */
function readOnce(file: OpenFile, deps: ContentDeps, attempt: number): ContentResult | undefined {
  const before = file.stat();
  if (before.kind !== 'file') return { kind: 'skipped', reason: 'changing' };
  if (before.sizeBytes > deps.maxFileBytes) return { kind: 'skipped', reason: 'file-limit' };
  if (attempt > 0) file.rewind();
  const hash = before.sizeBytes < CHUNK_BYTES ? readWhole(file, before, deps) : readLarge(file, before, deps);
  if (hash === undefined || !isSameInodeState(before, file.stat())) return undefined;
  return { kind: 'read', hash, stat: before };
}

function readWhole(file: OpenFile, { sizeBytes }: Stat, { chunk, hash, store, earlier }: ContentDeps): Bytes | undefined {
  // Growth past the size is seen by the caller, who compares the state after the reading.
  for (let length = 0; length < sizeBytes; ) {
    const got = file.read(chunk.subarray(length, sizeBytes));
    if (got === 0) return undefined;
    length += got;
  }
  const data = chunk.subarray(0, sizeBytes);
  const digest = hash.sha256(data);
  if (store !== undefined && !(earlier !== undefined && store.linkFrom(earlier, digest))) store.store(digest, data);
  return digest;
}

function readLarge(file: OpenFile, { sizeBytes }: Stat, { chunk, hash, store }: ContentDeps): Bytes | undefined {
  const stream = hash.createSha256();
  using temporary = store?.createTemporary();
  const isClone = temporary?.file.cloneFrom(file) ?? false;
  // Of a clone the copy is read: it can no longer change.
  const source = isClone && temporary !== undefined ? temporary.file : file;
  let length = 0;
  for (let got = source.read(chunk); got > 0 && length < sizeBytes; got = source.read(chunk)) {
    const data = chunk.subarray(0, Math.min(got, sizeBytes - length));
    stream.update(data);
    if (!isClone) temporary?.file.write(data);
    length += data.length;
  }
  if (length !== sizeBytes) return undefined;
  const digest = stream.digest();
  if (temporary !== undefined && store !== undefined && !store.has(digest)) store.keep(temporary, digest, length);
  return digest;
}
