import { type Bytes, bufferFromBytes } from '../bytes.ts';
import { isErrno } from '../errors.ts';
import type { Directory, Files } from '../ports/files.ts';
import type { Hash } from '../ports/hash.ts';
import type { Entry } from './entry.ts';
import { CHUNK_BYTES, readObject } from './objects.ts';
import { RootDirectories } from './root-directories.ts';
import { readUpTo } from './small-file.ts';

/** Where contents are: among the objects of a session, or still in the tracked files. */
export type ContentSource =
  | { readonly objects: Directory; readonly hash: Hash }
  | { readonly files: Files; readonly roots: readonly Bytes[] };

/** A content that can be read from its start as often as wanted, in pieces that are views of memory used again. */
export interface Content {
  readonly sizeBytes: number;
  pieces(): Iterable<Uint8Array>;
}

/** A tracked file of a running session may change between two readings: up to so many bytes it is read once. */
const KEPT_BYTES_MAXIMUM = 8 * 1024 * 1024;

/**
 * The content of a file or the target of a link.
 *
 * @throws {DamageError} while it is read, when an object is not what its name says.
 */
export function openContent(entry: Entry, path: Bytes, source: ContentSource): Content {
  if (entry.kind === 'symlink') return contentOf(bufferFromBytes(entry.target));
  const { sizeBytes } = entry;
  if ('objects' in source) {
    const { objects, hash } = source;
    return { sizeBytes, pieces: () => readObject(objects, entry.hash, hash, memoryFor(sizeBytes)) };
  }
  const { files, roots } = source;
  if (sizeBytes > KEPT_BYTES_MAXIMUM) return { sizeBytes, pieces: () => readTracked(files, roots, path) };
  let kept: Uint8Array | undefined;
  return {
    sizeBytes,
    pieces() {
      kept ??= Buffer.concat(Array.from(readTracked(files, roots, path), (piece) => Buffer.from(piece)));
      return [kept];
    },
  };
}

/** Of what is in memory already. */
export function contentOf(data: Uint8Array): Content {
  return { sizeBytes: data.length, pieces: () => (data.length === 0 ? [] : [data]) };
}

/** All of it; for what is known to be small. */
export function readWholeContent(content: Content): Bytes {
  return Array.from(content.pieces(), (piece) => Buffer.from(piece).toString('latin1')).join('') as Bytes;
}

/** The first `maximumBytes` of it; what comes after them is not read, and so not checked. */
export function readHead(content: Content, maximumBytes: number): Bytes {
  const head: Buffer[] = [];
  let length = 0;
  for (const piece of content.pieces()) {
    head.push(Buffer.from(piece.subarray(0, maximumBytes - length)));
    length += piece.length;
    if (length >= maximumBytes) break;
  }
  return Buffer.concat(head).toString('latin1') as Bytes;
}

/** Ends early when the file is gone or has become shorter. */
function* readTracked(files: Files, rootPaths: readonly Bytes[], path: Bytes): Generator<Uint8Array> {
  using roots = new RootDirectories(files, rootPaths);
  const parent = roots.parentOf(path);
  if (parent === undefined) return;
  try {
    using file = parent.openFile(roots.nameOf(path));
    if (file.stat().kind !== 'file') return;
    for (;;) {
      const piece = readUpTo(file, CHUNK_BYTES);
      if (piece.length > 0) yield piece;
      if (piece.length < CHUNK_BYTES) return;
    }
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES', 'EAGAIN', 'ENXIO', 'EXDEV')) throw error;
  }
}

function memoryFor(sizeBytes: number): Uint8Array {
  return new Uint8Array(new ArrayBuffer(Math.min(CHUNK_BYTES, Math.max(1, sizeBytes))));
}
