import { type Bytes, bytesFromBuffer } from '../bytes.ts';
import { DamageError } from '../errors.ts';
import { joinPath } from '../paths.ts';
import type { Directory, Files } from '../ports/files.ts';
import type { Hash } from '../ports/hash.ts';
import { compareGit, type GitChange } from './git-changes.ts';
import { decodeGitRecords, encodeGitRecords, type GitReading, type GitRecord, recordGit, recordGitAgain } from './git-record.ts';
import type { Manifest } from './manifest.ts';
import { CHUNK_BYTES, ObjectStore, objectPath, readObject } from './objects.ts';
import type { NewSession, RollbackSession } from './session-directory.ts';

/** The hash of the object that holds the records, undefined when there is nothing to record. */
export interface StoredGit {
  readonly hash: Bytes | undefined;
  readonly storedBytes: number;
}

interface Deps {
  readonly files: Files;
  readonly hash: Hash;
}

const NOTHING: StoredGit = { hash: undefined, storedBytes: 0 };

/** Records the work trees with these tops among the objects of a session that nobody can see yet. */
export function storeGit(deps: Deps, objects: Directory, tops: readonly Bytes[]): StoredGit {
  return store(deps, objects, false, (reading) => recordGit(reading, tops));
}

/** The same work trees again, when the session has ended. */
export function storeGitAgain(deps: Deps, objects: Directory, before: Bytes | undefined): StoredGit {
  if (before === undefined) return NOTHING;
  const earlier = readUndamaged(() => readGit(objects, before, deps.hash));
  return earlier === undefined ? NOTHING : store(deps, objects, true, (reading) => recordGitAgain(reading, earlier));
}

function store(
  { files, hash }: Deps,
  objects: Directory,
  isListed: boolean,
  take: (reading: GitReading) => readonly GitRecord[],
): StoredGit {
  const objectStore = new ObjectStore(objects, { writer: 'git', isListed });
  const keep = (contentHash: Bytes, data: Uint8Array) => objectStore.store(contentHash, data);
  const records = take({ files, hash, keep });
  if (records.length === 0) return NOTHING;
  const data = encodeGitRecords(records);
  const recordHash = hash.sha256(data);
  keep(recordHash, data);
  return { hash: recordHash, storedBytes: objectStore.storedBytes };
}

/** @throws {DamageError} when the object is not what its name says. */
export function readGit(objects: Directory, recordHash: Bytes, hash: Hash): GitRecord[] {
  return decodeGitRecords(readAll(objects, recordHash, hash));
}

function readAll(objects: Directory, contentHash: Bytes, hash: Hash): Bytes {
  const memory = new Uint8Array(new ArrayBuffer(CHUNK_BYTES));
  return Array.from(readObject(objects, contentHash, hash, memory), (piece) => bytesFromBuffer(piece)).join('') as Bytes;
}

/** Every object that the records of a session need. */
export function gitObjects(objects: Directory, { git }: Manifest, hash: Hash): Bytes[] {
  return [git?.before, git?.after].flatMap((recordHash) => {
    if (recordHash === undefined) return [];
    const files = readGit(objects, recordHash, hash).flatMap((record) => [...record.files.values()]);
    // A file that was too large to be kept has a hash and no object; of those that do not say so the ones that are there can be told.
    const kept = files.filter((file) => file.isKept || objects.stat(objectPath(file.hash)) !== undefined);
    return [recordHash, ...kept.map((file) => file.hash)];
  });
}

/** What moved in `.git` while the session ran; nothing while it runs, or where a record is damaged. */
export function gitChanges(session: NewSession | RollbackSession, { git }: Manifest, hash: Hash): GitChange[] {
  if (git?.before === undefined || git.after === undefined || git.before === git.after) return [];
  using objects = session.openObjects();
  const read = (contentHash: Bytes) => readUndamaged(() => readAll(objects, contentHash, hash));
  const [before, after] = [git.before, git.after].map((recordHash) => readUndamaged(() => readGit(objects, recordHash, hash)));
  if (before === undefined || after === undefined) return [];
  return compareGit(before, after, { read, pathOf: (contentHash) => joinPath(objects.path, objectPath(contentHash)) });
}

function readUndamaged<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof DamageError) return undefined;
    throw error;
  }
}
