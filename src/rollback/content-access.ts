import type { Bytes } from '../bytes.ts';
import type { Directory, Files } from '../ports/files.ts';
import type { Hash } from '../ports/hash.ts';
import type { Entry } from './entry.ts';
import { CHUNK_BYTES, readObject } from './objects.ts';
import { RootDirectories } from './root-directories.ts';
import { readSmallFile } from './small-file.ts';

/** Where a content is: among the objects of a session, or still in the tracked file. */
export type ContentSource =
  | { readonly objects: Directory; readonly hash: Hash }
  | { readonly files: Files; readonly roots: readonly Bytes[]; readonly path: Bytes };

/** The content of a file entry as one byte string; '' for a tracked file that is gone meanwhile. */
export function readWholeContent(entry: Entry, source: ContentSource): Bytes {
  if ('objects' in source) {
    const chunk = new Uint8Array(new ArrayBuffer(Math.min(CHUNK_BYTES, Math.max(1, entry.sizeBytes))));
    const pieces = Array.from(readObject(source.objects, entry.hash, source.hash, chunk), (piece) => Buffer.from(piece));
    return Buffer.concat(pieces).toString('latin1') as Bytes;
  }
  using roots = new RootDirectories(source.files, source.roots);
  const parent = roots.parentOf(source.path);
  const content = parent === undefined ? undefined : readSmallFile(parent, roots.nameOf(source.path), Number.POSITIVE_INFINITY);
  return content ?? ('' as Bytes);
}
