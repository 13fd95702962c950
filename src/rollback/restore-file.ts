import type { Bytes } from '../bytes.ts';
import { DamageError, isErrno } from '../errors.ts';
import type { Directory } from '../ports/files.ts';
import type { Hash } from '../ports/hash.ts';
import type { ContentResult } from './content.ts';
import { cloneObject, type ObjectStore, readObject } from './objects.ts';
import { SparseWriter } from './sparse.ts';

/** The state of a file that is to be there. */
export interface WantedFile {
  readonly hash: Bytes;
  /** 0 to 0o7777. */
  readonly mode: number;
  readonly mtimeSeconds: number;
  readonly mtimeNanoseconds: number;
}

/** What making a file needs. */
export interface RestoreFileDeps {
  /** Where the contents are. */
  readonly objects: Directory;
  readonly hash: Hash;
  /** CHUNK_BYTES of memory. */
  readonly chunk: Uint8Array;
}

/** Writes a file with its content, mode and time; the content is checked before the last of it is written. */
export function writeWantedFile(parent: Directory, name: Bytes, want: WantedFile, deps: RestoreFileDeps): void {
  try {
    using file = parent.createFile(name, 0o600);
    fillFile(file, want, deps);
  } catch (error) {
    if (parent.stat(name) !== undefined) parent.removeFile(name);
    throw error;
  }
}

function fillFile(file: ReturnType<Directory['createFile']>, want: WantedFile, { objects, hash, chunk }: RestoreFileDeps): void {
  if (!cloneObject(objects, want.hash, file, hash, chunk)) {
    const writer = new SparseWriter(file);
    for (const piece of readObject(objects, want.hash, hash, chunk)) writer.write(piece);
    writer.finish();
  }
  file.setMode(want.mode);
  file.setModificationTime(want.mtimeSeconds, want.mtimeNanoseconds);
}

/** Where a file that is not there is to be made. */
export interface MissingFile {
  readonly parent: Directory;
  readonly name: Bytes;
  /** Free: what an interrupted attempt has left was removed before. */
  readonly temporary: Bytes;
  readonly want: WantedFile;
}

/**
 * Makes a file that is not there, and links its content into the session that will undo this. Never replaces
 * anything: what has appeared meanwhile stays.
 *
 * @returns `read` with the state of the new file; `kept` when it was made and its content could not be linked;
 *   `vanished` without its directory; `skipped` because something is there (`changing`), the content is
 *   damaged (`unreadable`), or the system does not permit it (`untouched`).
 */
export function restoreMissing(
  { parent, name, temporary, want }: MissingFile,
  deps: RestoreFileDeps & { readonly undo: ObjectStore },
): ContentResult {
  try {
    writeWantedFile(parent, temporary, want, deps);
    try {
      parent.renameNew(temporary, parent, name);
    } catch (error) {
      parent.removeFile(temporary);
      throw error;
    }
    const stat = parent.stat(name);
    const isLinked = deps.undo.linkFrom(deps.objects, want.hash);
    return isLinked && stat !== undefined ? { kind: 'read', hash: want.hash, stat } : { kind: 'kept' };
  } catch (error) {
    if (error instanceof DamageError) return { kind: 'skipped', reason: 'unreadable' };
    if (isErrno(error, 'EEXIST')) return { kind: 'skipped', reason: 'changing' };
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return { kind: 'vanished' };
    if (isErrno(error, 'EPERM', 'EACCES')) return { kind: 'skipped', reason: 'untouched' };
    throw error;
  }
}
