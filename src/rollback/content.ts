import type { Bytes } from '../bytes.ts';
import { isErrno } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Directory, OpenFile, Stat } from '../ports/files.ts';
import type { Hash } from '../ports/hash.ts';
import { isSameInodeState, isSettled, type SkipReason } from './entry.ts';
import { CHUNK_BYTES, type ObjectStore } from './objects.ts';
import { SparseWriter } from './sparse.ts';

/** How often a file that changes while it is read is read again. */
const ATTEMPTS = 3;

/** What reading one file gave. */
export type ContentResult =
  /** An earlier session's object was taken over: the entry is right as it is. */
  | { readonly kind: 'kept' }
  | { readonly kind: 'read'; readonly hash: Bytes; readonly stat: Stat }
  | { readonly kind: 'skipped'; readonly reason: SkipReason }
  | { readonly kind: 'vanished' };

/** Where a content is read to. */
export interface ContentDeps {
  readonly hash: Hash;
  readonly clock: Pick<Clock, 'nowMs'>;
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
    const startedMs = deps.clock.nowMs();
    const result = readSettled(file, startedMs, deps);
    if (result !== undefined) return result;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      file.rewind();
      const compared = readCompared(file, deps);
      if (compared !== undefined) return compared;
    }
    return { kind: 'skipped', reason: 'changing' };
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return { kind: 'vanished' };
    // A name that has become a link, a FIFO or another file system since it was listed.
    if (isErrno(error, 'ELOOP', 'ENXIO', 'EXDEV', 'EISDIR', 'EAGAIN', 'ESPIPE')) return { kind: 'skipped', reason: 'changing' };
    if (isErrno(error, 'EACCES', 'EPERM')) return { kind: 'skipped', reason: 'unreadable' };
    throw error;
  }
}

/**
 * The common case in one look at the file: it is small, and was last changed clearly before the reading
 * began, so it cannot have changed while it was read.
 *
 * @returns undefined when that is not so.
 */
function readSettled(file: OpenFile, startedMs: number, deps: ContentDeps): ContentResult | undefined {
  const length = file.read(deps.chunk);
  const stat = file.stat();
  if (stat.kind !== 'file' || length !== stat.sizeBytes || length === deps.chunk.length) return undefined;
  if (stat.sizeBytes > deps.maxFileBytes || !isSettled(stat, startedMs)) return undefined;
  return { kind: 'read', hash: keepWhole(deps.chunk.subarray(0, length), deps), stat };
}

/** Reads between two looks at the file. @returns undefined when it changed meanwhile. */
function readCompared(file: OpenFile, deps: ContentDeps): ContentResult | undefined {
  const before = file.stat();
  if (before.kind !== 'file') return { kind: 'skipped', reason: 'changing' };
  if (before.sizeBytes > deps.maxFileBytes) return { kind: 'skipped', reason: 'file-limit' };
  const isSmall = before.sizeBytes < CHUNK_BYTES;
  const unchanged = () => isSameInodeState(before, file.stat());
  const hash = isSmall ? readWhole(file, before, unchanged, deps) : readLarge(file, before, unchanged, deps);
  return hash === undefined ? undefined : { kind: 'read', hash, stat: before };
}

function readWhole(file: OpenFile, { sizeBytes }: Stat, unchanged: () => boolean, deps: ContentDeps): Bytes | undefined {
  for (let length = 0; length < sizeBytes; ) {
    const got = file.read(deps.chunk.subarray(length, sizeBytes));
    if (got === 0) return undefined;
    length += got;
  }
  // Some file systems make contents when they are read, and do not know their sizes: what they say is no content.
  if (file.read(deps.chunk.subarray(sizeBytes, sizeBytes + 1)) > 0) return undefined;
  return unchanged() ? keepWhole(deps.chunk.subarray(0, sizeBytes), deps) : undefined;
}

function keepWhole(data: Uint8Array, { hash, store, earlier }: ContentDeps): Bytes {
  const digest = hash.sha256(data);
  if (store !== undefined && !(earlier !== undefined && store.linkFrom(earlier, digest))) store.store(digest, data);
  return digest;
}

function readLarge(
  file: OpenFile,
  { sizeBytes }: Stat,
  unchanged: () => boolean,
  { chunk, hash, store }: ContentDeps,
): Bytes | undefined {
  const stream = hash.createSha256();
  using temporary = store?.createTemporary();
  const isClone = temporary?.file.cloneFrom(file) ?? false;
  // Of a clone the copy is read: it can no longer change.
  const source = isClone && temporary !== undefined ? temporary.file : file;
  const writer = temporary === undefined || isClone ? undefined : new SparseWriter(temporary.file);
  let length = 0;
  for (let got = source.read(chunk); got > 0 && length < sizeBytes; got = source.read(chunk)) {
    const data = chunk.subarray(0, Math.min(got, sizeBytes - length));
    stream.update(data);
    writer?.write(data);
    length += data.length;
  }
  if (length !== sizeBytes || !unchanged()) return undefined;
  writer?.finish();
  const digest = stream.digest();
  if (temporary !== undefined && store !== undefined && !store.has(digest)) store.keep(temporary, digest, length);
  return digest;
}
